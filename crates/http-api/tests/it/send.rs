//! Sending, reading, acting on messages.

use std::{sync::atomic::Ordering, time::Duration};

use hermes_domain::{
    CascadeTemplateId,
    cascade::{AdapterVersion, Event},
    content::ChannelContent,
    money::Money,
    outcome::{ErrorClass, Failure, Level, Outcome, Receipt, ReceiptStatus},
};
use hermes_ports::{CascadeInbox as _, CascadeStore as _};
use hermes_testkit::START;
use serde_json::{Value, json};

use crate::{
    app::{ADMIN, App, LIVE, priced, sms, with},
    client::Call,
};

/// The contract's own example, every field named.
pub(crate) fn everything() -> Value {
    json!({
        "to": { "phone": "+4520123456", "email": "a@example.dk", "whatsapp": "+4520123456",
                "push": [{ "token": "t-1", "platform": "android" }], "locale": "da-DK", "timezone": "Europe/Copenhagen" },
        "content": {
            "text": "Order 1042 has shipped", "subject": "Your order",
            "sms": { "text": "Shipped", "media_urls": [] },
            "email": { "subject": "Shipped", "text": "t", "html": "<p>h</p>", "reply_to": "r@example.dk",
                       "list_unsubscribe": "https://example.dk/u",
                       "attachments": [{ "filename": "a.txt", "content_type": "text/plain", "content_base64": "aGk=", "content_id": null }] },
            "push": { "title": "t", "body": "b", "data": { "k": "v" }, "android": {}, "apns": {}, "webpush": {} },
            "whatsapp": { "text": "w", "media": null, "template": { "name": "n", "language": "da", "components": [] }, "fallback_template": null },
        },
        "cascade": {
            "steps": [
                { "channel": "sms", "providers": ["twilio"], "success_on": "delivered", "timeout_s": 90 },
                { "channel": "email", "success_on": "accepted", "timeout_s": 900 },
                { "channel": "push", "success_on": "accepted", "timeout_s": 300 },
            ],
            "on_late_receipt": "stop_remaining", "on_unknown_outcome": "next_provider", "on_server_error": "wait",
        },
        "sender": { "sms": "ACME", "email": "no-reply@acme.example" },
        "lane": "transactional", "send_at": null, "expires_at": null,
        "dedupe": { "key": "order-1042", "window_s": 3600 },
        "limits": { "max_cost": "0.25", "currency": "EUR" },
        "tags": ["order"], "metadata": { "order_id": "1042" },
    })
}

#[tokio::test]
async fn the_contract_s_example_is_accepted_and_read_back() {
    let app = App::start().await;
    priced(&app, 1, "0.05").await;
    priced(&app, 2, "0.0001").await;
    let answer = app.post(LIVE, "/v1/messages", &everything()).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let reply = answer.json();
    let id = reply["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), Some(format!("/v1/messages/{id}").as_str()));
    assert_eq!(
        reply,
        json!({
            "id": id, "status": "accepted", "created_at": START.rfc3339(),
            "expires_at": START.plus_s(259_200).rfc3339(), "lane": "transactional",
            "plan": [
                { "step": 0, "channel": "sms", "providers": ["twilio"], "success_on": "delivered", "timeout_s": 90 },
                { "step": 1, "channel": "email", "providers": ["ses"], "success_on": "accepted", "timeout_s": 900 },
                { "step": 2, "channel": "push", "providers": ["fcm"], "success_on": "accepted", "timeout_s": 300 },
            ],
            "tags": ["order"], "metadata": { "order_id": "1042" }, "warnings": [],
        })
    );
    let message = app.get(LIVE, &format!("/v1/messages/{id}")).await.json();
    assert_eq!(message["to"]["phone"], "+4520123456");
    assert_eq!(
        (&message["sender"]["sms"], &message["waiting_for"]["what"]),
        (&json!("ACME"), &json!("permit"))
    );
    let stored = app.backend.load(id.parse().unwrap()).await.unwrap().unwrap();
    let Some(ChannelContent::Sms(sms)) =
        stored.envelope.content.for_channel(hermes_domain::address::Channel::Sms)
    else {
        panic!("no SMS")
    };
    assert_eq!(sms.text.as_deref(), Some("Shipped"));
}

#[tokio::test]
async fn a_step_without_address_or_content_leaves_the_plan_with_a_warning() {
    let app = App::start().await;
    let steps = json!({ "steps": [{ "channel": "email" }, { "channel": "whatsapp" }, { "channel": "sms" }] });
    let reply = app.post(LIVE, "/v1/messages", &with(sms(), "/cascade", steps)).await.json();
    let warnings: Vec<_> =
        reply["warnings"].as_array().unwrap().iter().map(|one| (&one["code"], &one["pointer"])).collect();
    let expected = [
        (json!("address_missing"), json!("/cascade/steps/0")),
        (json!("no_connection"), json!("/cascade/steps/1")),
    ];
    assert_eq!(warnings, expected.iter().map(|(code, pointer)| (code, pointer)).collect::<Vec<_>>());
    assert_eq!(reply["plan"].as_array().unwrap().len(), 1);

    let only_sms =
        with(with(sms(), "/content", json!({ "sms": { "text": "x" } })), "/to/email", json!("a@b.dk"));
    let steps = json!({ "steps": [{ "channel": "sms" }, { "channel": "email" }] });
    let reply = app.post(LIVE, "/v1/messages", &with(only_sms, "/cascade", steps)).await.json();
    assert_eq!(reply["warnings"][0]["code"], "content_missing");
}

#[tokio::test]
async fn the_cascade_may_be_the_tenant_s_default_or_a_stored_one() {
    let app = App::start().await;
    let mut body = sms();
    body.as_object_mut().unwrap().remove("cascade");
    assert_eq!(app.post(LIVE, "/v1/messages", &body).await.json()["plan"][0]["timeout_s"], 90);
    // The server's own time-out for push, as its settings have it.
    let push = with(sms(), "/to/push", json!([{ "token": "sim-0001-token" }]));
    let push = with(push, "/cascade", json!({ "steps": [{ "channel": "push" }] }));
    assert_eq!(app.post(LIVE, "/v1/messages", &push).await.json()["plan"][0]["timeout_s"], 61);
    let stored = json!({ "name": "slow", "steps": [{ "channel": "sms", "timeout_s": 600 }] });
    let id = app.post(LIVE, "/v1/cascades", &stored).await.json()["id"].clone();
    assert!(id.as_str().unwrap().parse::<CascadeTemplateId>().is_ok());
    let reply = app.post(LIVE, "/v1/messages", &with(sms(), "/cascade", id)).await.json();
    assert_eq!(reply["plan"][0]["timeout_s"], 600);
}

#[tokio::test]
async fn a_scheduled_message_says_so_and_expires_after_it_starts() {
    let app = App::start().await;
    let at = START.plus_s(86_400);
    let reply = app.post(LIVE, "/v1/messages", &with(sms(), "/send_at", json!(at.rfc3339()))).await.json();
    assert_eq!(
        (&reply["status"], &reply["expires_at"]),
        (&json!("scheduled"), &json!(at.plus_s(259_200).rfc3339()))
    );
    let message = app.get(LIVE, &format!("/v1/messages/{}", reply["id"].as_str().unwrap())).await.json();
    assert_eq!(
        (&message["status"], &message["waiting_for"]["what"]),
        (&json!("scheduled"), &json!("send_at"))
    );
}

#[tokio::test]
async fn events_tell_the_course_of_a_message() {
    let app = App::start().await;
    let id = app.message(&sms()).await;
    app.accepted(id, "SM1").await;
    let events = app.get(LIVE, &format!("/v1/messages/{id}/events")).await.json();
    let kinds: Vec<_> =
        events["data"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["message.accepted", "step.started", "attempt.submitted", "attempt.status"]);
    assert_eq!(events["data"][3]["data"]["status"], "accepted");
    assert_eq!((&events["data"][3]["provider"], &events["has_more"]), (&json!("twilio"), &json!(false)));
    let message = app.get(LIVE, &format!("/v1/messages/{id}")).await.json();
    assert_eq!(message["attempts"][0]["provider_message_id"], "SM1");
    assert_eq!(message["attempts"][0]["id"], id.attempt_id(1).to_string());
}

#[tokio::test]
async fn a_failed_attempt_says_why_in_the_timeline() {
    let app = App::start().await;
    let id = app.message(&sms()).await;
    let failure =
        Failure { code: Some("21211".into()), ..Failure::new(ErrorClass::RecipientPermanent, "no number") };
    let events = [
        Event::Permit { candidate: 0, adapter_version: AdapterVersion(7) },
        Event::Outcome { attempt: 1, outcome: Outcome::Rejected(failure) },
    ];
    for event in events {
        app.inbox.deliver(id, event, None).await.unwrap();
    }
    let events = app.get(LIVE, &format!("/v1/messages/{id}/events")).await.json();
    for event in events["data"].as_array().unwrap() {
        let error = event["type"].as_str().filter(|kind| *kind == "attempt.failed").map(
            |_| json!({ "class": "recipient_permanent", "provider_code": "21211", "detail": "no number" }),
        );
        assert_eq!(event["data"].get("error"), error.as_ref(), "{event}");
    }
    assert!(events.to_string().contains("21211"));
}

#[tokio::test]
async fn cancelling_is_immediate_before_a_submission_and_refused_after_the_end() {
    let app = App::start().await;
    let id = app.message(&sms()).await;
    let path = format!("/v1/messages/{id}/cancel");
    let answer = app.call(Call::new("POST", path.clone()).key(LIVE)).await;
    assert_eq!((answer.status, answer.json()["status"].clone()), (200, json!("cancelled")));
    let again = app.call(Call::new("POST", path).key(LIVE)).await;
    assert_eq!((again.status, again.code()), (409, "not_cancellable".into()));

    let running = app.message(&sms()).await;
    app.accepted(running, "SM2").await;
    let answer = app.call(Call::new("POST", format!("/v1/messages/{running}/cancel")).key(LIVE)).await;
    assert_eq!((answer.status, answer.json()["status"].clone()), (200, json!("in_progress")));
}

#[tokio::test]
async fn a_busy_message_is_asked_again_and_then_given_up() {
    let app = App::start().await;
    let id = app.message(&sms()).await;
    app.inbox.busy.store(true, Ordering::SeqCst);
    let answer = app.call(Call::new("POST", format!("/v1/messages/{id}/cancel")).key(LIVE)).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
}

#[tokio::test]
async fn the_same_dedupe_key_is_the_same_message_within_its_window() {
    let app = App::start().await;
    let body = with(sms(), "/dedupe", json!({ "key": "order-1", "window_s": 60 }));
    let first = app.message(&body).await;
    let second = app.post(LIVE, "/v1/messages", &body).await;
    assert_eq!((second.status, second.code()), (409, "duplicate_suppressed".into()));
    assert!(second.text.contains(&first.to_string()), "{}", second.text);
    assert_eq!(second.json()["layer"], "dedup");
    app.clock.advance(Duration::from_secs(60));
    app.message(&body).await;
}

#[tokio::test]
async fn a_refused_message_frees_its_dedupe_key() {
    let app = App::start().await;
    let body = with(sms(), "/dedupe", json!({ "key": "order-1" }));
    app.intake.overloaded.store(true, Ordering::SeqCst);
    let refused = app.post(LIVE, "/v1/messages", &body).await;
    assert_eq!(
        (refused.status, refused.code(), refused.header("retry-after")),
        (429, "rate_limited".into(), Some("7"))
    );
    app.intake.overloaded.store(false, Ordering::SeqCst);
    app.message(&body).await;
}

#[tokio::test]
async fn a_suspended_tenant_reads_but_does_not_send() {
    let app = App::start().await;
    let id = app.message(&sms()).await;
    let tenant = hermes_testkit::tenant(1);
    let answer = app.call(Call::new("POST", format!("/admin/v1/tenants/{tenant}/suspend")).key(ADMIN)).await;
    assert_eq!(answer.json()["suspended"], true);
    let refused = app.post(LIVE, "/v1/messages", &sms()).await;
    assert_eq!((refused.status, refused.code()), (403, "tenant_suspended".into()));
    assert_eq!(app.get(LIVE, &format!("/v1/messages/{id}")).await.status, 200);
    app.call(Call::new("POST", format!("/admin/v1/tenants/{tenant}/resume")).key(ADMIN)).await;
    app.message(&sms()).await;
}

#[tokio::test]
async fn the_trace_of_the_request_goes_with_the_message() {
    let app = App::start().await;
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let call = Call::new("POST", "/v1/messages").key(LIVE).header("traceparent", parent).json(&sms());
    let id = app.call(call).await.json()["id"].as_str().unwrap().parse().unwrap();
    let stored = app.backend.load(id).await.unwrap().unwrap();
    assert_eq!(stored.envelope.traceparent.as_deref(), Some(parent));
    let garbled = Call::new("POST", "/v1/messages").key(LIVE).header("traceparent", "nonsense").json(&sms());
    assert_eq!(app.call(garbled).await.status, 202);
}

#[tokio::test]
async fn rehearsing_tells_plan_segments_and_cost_and_sends_nothing() {
    let app = App::start().await;
    priced(&app, 1, "0.05").await;
    priced(&app, 2, "0.0001").await;
    let body = with(everything(), "/content/sms/text", json!("ж".repeat(71)));
    let answer = app.post(LIVE, "/v1/messages/validate", &body).await;
    let reply = answer.json();
    assert_eq!((answer.status, &reply["valid"]), (200, &json!(true)), "{reply}");
    assert_eq!(reply["plan"].as_array().unwrap().len(), 3);
    assert_eq!(reply["segments"], json!([{ "step": 0, "encoding": "ucs2", "count": 2 }]));
    assert_eq!(reply["cost"][0]["amount"], "0.10", "both segments");
    assert_eq!(app.get(LIVE, "/v1/messages").await.json()["data"], json!([]));
    // It did not take the dedupe key either.
    app.message(&body).await;
}

#[tokio::test]
async fn what_a_provider_took_costs_what_the_price_list_says_until_it_tells() {
    let app = App::start().await;
    priced(&app, 1, "0.50").await;
    let id = app.message(&with(sms(), "/content/text", json!("ж".repeat(71)))).await;
    let read = async || app.get(LIVE, &format!("/v1/messages/{id}")).await.json();
    assert_eq!(read().await["cost"], json!(null), "nobody has taken it yet");
    app.accepted(id, "SM1").await;
    let (message, estimated) =
        (read().await, json!({ "amount": "1.00", "currency": "EUR", "estimated": true }));
    assert_eq!((&message["cost"], &message["attempts"][0]["cost"]), (&estimated, &estimated), "two segments");
    let told = Receipt {
        cost: Money::parse("0.93", "EUR").ok(),
        ..Receipt::of(ReceiptStatus::Reached(Level::Sent))
    };
    let event = Event::Receipt { attempt: 1, connection: hermes_testkit::connection(1), receipt: told };
    app.inbox.deliver(id, event, None).await.unwrap();
    let (message, told) = (read().await, json!({ "amount": "0.93", "currency": "EUR", "estimated": false }));
    assert_eq!((&message["cost"], &message["attempts"][0]["cost"]), (&told, &told));
}

#[tokio::test]
async fn rehearsing_tells_every_refusal_of_every_layer() {
    let app = App::start().await;
    let mut body = with(sms(), "/to/phone", json!("+451"));
    body = with(body, "/content/subject", json!("a\nb"));
    let reply = app.post(LIVE, "/v1/messages/validate", &body).await.json();
    let codes: Vec<_> = reply["refusals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["layer"].clone(), one["code"].clone()))
        .collect();
    assert_eq!(
        codes,
        [(json!("schema"), json!("recipient_invalid")), (json!("content"), json!("content_rejected"))]
    );
    assert_eq!(reply["valid"], false);
}

#[tokio::test]
async fn attachments_make_room_for_ten_mebibytes() {
    let app = App::start().await;
    let file = json!({ "filename": "a.bin", "content_type": "application/pdf", "content_base64": "AAAA".repeat(500_000) });
    let body = with(sms(), "/content/email", json!({ "attachments": [file] }));
    assert_eq!(app.post(LIVE, "/v1/messages", &body).await.status, 202);
}

#[tokio::test]
async fn status_tells_channels_providers_and_limits() {
    let app = App::start().await;
    app.directory.set_held(hermes_testkit::connection(2), true).await.unwrap();
    let status = app.get(LIVE, "/v1/status").await.json();
    let channel =
        |index: usize| (&status["channels"][index]["channel"], &status["channels"][index]["available"]);
    assert_eq!(channel(0), (&json!("sms"), &json!(true)));
    assert_eq!(
        (channel(1), &status["channels"][1]["providers"][0]["state"]),
        ((&json!("email"), &json!(false)), &json!("held"))
    );
    assert_eq!(channel(3), (&json!("whatsapp"), &json!(false)));
    assert_eq!(status["limits"]["requests_per_s"], 10_000);
}
