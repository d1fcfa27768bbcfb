//! `POST /admin/v1/redrive`: what was given up gets another chance, and nobody gets anything twice.

use std::{sync::atomic::Ordering, time::Duration};

use hermes_domain::{
    MessageId,
    address::Channel,
    cascade::{AdapterVersion, Event},
    message::Mode,
    outcome::{ErrorClass, Failure, Level, Outcome, Receipt, ReceiptStatus},
    tenant::TenantScope,
};
use hermes_ports::{
    CascadeInbox as _, CascadeStore as _, Idempotency as _,
    cascade_store::Commit,
    idempotency::{Claim, ClaimResult},
};
use hermes_testkit::{connection, tenant};
use serde_json::{Value, json};

use crate::{
    app::{ADMIN, App, LIVE, TEST, connect, sms, with},
    client::Call,
};

pub(crate) const DAY: Duration = Duration::from_secs(24 * 3_600);

fn failure() -> Failure {
    Failure { class: ErrorClass::RecipientPermanent, code: None, detail: None }
}

/// The only provider of a message refuses it.
pub(crate) async fn refuse(app: &App, id: MessageId) {
    let events = [
        Event::Permit { candidate: 0, adapter_version: AdapterVersion(7) },
        Event::Outcome { attempt: 1, outcome: Outcome::Rejected(failure()) },
    ];
    for event in events {
        app.inbox.deliver(id, event, None).await.unwrap();
    }
}

/// A message that has failed.
pub(crate) async fn failed(app: &App) -> MessageId {
    let id = app.message(&sms()).await;
    refuse(app, id).await;
    assert_eq!(message(app, id).await["status"], "failed");
    id
}

/// A message as its tenant reads it.
pub(crate) async fn message(app: &App, id: impl ToString) -> Value {
    app.get(LIVE, &format!("/v1/messages/{}", id.to_string())).await.json()
}

pub(crate) async fn redrive(app: &App, body: &Value) -> Value {
    let answer = app.post(ADMIN, "/admin/v1/redrive", body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

pub(crate) fn all_failed() -> Value {
    json!({ "what": "failed" })
}

/// How many matched, were redriven, had been before, and were refused.
pub(crate) fn counts(reply: &Value) -> [u64; 4] {
    ["matched", "redriven", "already_redriven", "refused"].map(|name| reply[name].as_u64().unwrap())
}

async fn messages_in_all(app: &App) -> usize {
    app.get(LIVE, "/v1/messages?limit=250").await.json()["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_failed_message_is_sent_once_more_as_a_new_one_and_both_tell() {
    let app = App::start().await;
    let body = with(with(sms(), "/tags", json!(["order"])), "/metadata", json!({ "order_id": "1042" }));
    let expires_at = app.clock.advance(Duration::ZERO).plus_s(1_000).rfc3339();
    let id = app.message(&with(body, "/expires_at", json!(expires_at))).await;
    refuse(&app, id).await;
    let now = app.clock.advance(DAY);
    let reply = redrive(&app, &all_failed()).await;
    assert_eq!(counts(&reply), [1, 1, 0, 0], "{reply}");
    assert_eq!(reply["by_reason"], json!([{ "reason": "steps_exhausted", "count": 1 }]));
    let new = reply["messages"][0]["redriven_as"].as_str().unwrap();
    let shown = json!([{ "message_id": id.to_string(), "tenant_id": tenant(1).to_string(), "outcome": "redriven",
        "redriven_as": new, "refused": null }]);
    assert_eq!(
        (&reply["messages"], &reply["has_more"], &reply["next_cursor"]),
        (&shown, &json!(false), &Value::Null)
    );
    let (old, new) = (message(&app, id).await, message(&app, new).await);
    assert_eq!(
        (&old["status"], &old["redriven_as"]),
        (&json!("failed"), &new["id"]),
        "a terminal status is frozen"
    );
    assert_eq!((&new["status"], &new["redrive_of"]), (&json!("accepted"), &old["id"]));
    for same in ["to", "sender", "lane", "tags", "metadata", "mode"] {
        assert_eq!(new[same], old[same], "{same}");
    }
    let times = [&new["created_at"], &new["expires_at"]].map(|time| time.as_str().unwrap().to_owned());
    assert_eq!(times, [now.rfc3339(), now.plus_s(1_000).rfc3339()], "it lives as long as the first was to");
    let ids = [&old["id"], &new["id"]].map(|id| id.as_str().unwrap().parse::<MessageId>().unwrap());
    let stored =
        [app.backend.load(ids[0]).await.unwrap().unwrap(), app.backend.load(ids[1]).await.unwrap().unwrap()];
    assert_eq!(stored[0].envelope.content, stored[1].envelope.content);
    for (id, of, by) in [(ids[0], Value::Null, json!(ids[1])), (ids[1], json!(ids[0]), Value::Null)] {
        let told = app.get(ADMIN, &format!("/admin/v1/cascades/{id}")).await.json();
        assert_eq!((&told["redrive_of"], &told["redriven_as"]), (&of, &by));
    }
}

#[tokio::test]
async fn a_message_is_never_sent_once_more_twice_however_late_it_is_asked_for() {
    let app = App::start().await;
    let id = failed(&app).await;
    let first = redrive(&app, &all_failed()).await;
    let new = first["messages"][0]["redriven_as"].clone();
    // A day, in which ordinary keys are forgotten, and the last day on which the message could be redriven.
    for days in [2, 32] {
        app.clock.advance(DAY * days);
        let again = redrive(&app, &all_failed()).await;
        assert_eq!(counts(&again), [1, 0, 1, 0], "{again}");
        assert_eq!(
            (&again["messages"][0]["redriven_as"], &again["messages"][0]["outcome"]),
            (&new, &json!("already_redriven"))
        );
    }
    assert_eq!(messages_in_all(&app).await, 2);
    app.clock.advance(DAY * 3);
    let late = redrive(&app, &all_failed()).await;
    assert_eq!(late["messages"][0]["message_id"], json!(id));
    assert_eq!((messages_in_all(&app).await, &late["redriven"]), (2, &json!(0)), "{late}");
}

#[tokio::test]
async fn a_redrive_that_fails_too_is_redriven_in_its_own_right() {
    let app = App::start().await;
    let id = failed(&app).await;
    let second = redrive(&app, &all_failed()).await["messages"][0]["redriven_as"].clone();
    let second: MessageId = second.as_str().unwrap().parse().unwrap();
    refuse(&app, second).await;
    let reply = redrive(&app, &all_failed()).await;
    assert_eq!(counts(&reply), [2, 1, 1, 0], "{reply}");
    let third = message(&app, reply["messages"][0]["redriven_as"].as_str().unwrap()).await;
    assert_eq!(third["redrive_of"], json!(second));
    assert_eq!(message(&app, id).await["redriven_as"], json!(second));
}

#[tokio::test]
async fn two_redrives_at_one_time_send_once() {
    let app = App::start().await;
    failed(&app).await;
    let (closed, body) = (app.intake.gate.write().await, all_failed());
    let first = app.post(ADMIN, "/admin/v1/redrive", &body);
    let second = async {
        app.intake.arrived.notified().await; // The first is being stored.
        let second = redrive(&app, &body).await;
        drop(closed);
        second
    };
    let (one, other) = tokio::join!(first, second);
    let one = one.json();
    assert_eq!((counts(&one), counts(&other)), ([1, 1, 0, 0], [1, 0, 0, 1]), "{other}");
    assert_eq!(other["refusals"], json!([{ "code": "idempotency_in_progress", "count": 1 }]));
    assert_eq!(messages_in_all(&app).await, 2);
}

/// Where claims and messages live in different servers, a crash can leave a claim alone.
#[tokio::test]
async fn a_claim_without_its_message_is_used_by_the_next_redrive() {
    let app = App::start().await;
    let id = failed(&app).await;
    redrive(&app, &all_failed()).await;
    let (scope, now) = (TenantScope::new(tenant(1), Mode::Live), app.clock.advance(Duration::ZERO));
    let key = format!("redrive {id}");
    let claim = app.backend.find(scope.tenant, scope.mode, &key, now).await.unwrap().unwrap();
    let reserved = MessageId::mint(now, 3, 1, 1);
    let crashed = Claim { result: ClaimResult::Message(reserved), ..claim };
    // The same message, in a store that knows the claim and not what it led to.
    let stored = app.backend.load(id).await.unwrap().unwrap();
    let other = App::start().await;
    let commit = Commit::of(&stored.envelope, &stored.state, None);
    other.backend.commit(commit).await.unwrap();
    other.backend.save(crashed).await.unwrap();
    let reply = redrive(&other, &all_failed()).await;
    assert_eq!(counts(&reply), [1, 1, 0, 0], "{reply}");
    assert_eq!(reply["messages"][0]["redriven_as"], json!(reserved));
}

#[tokio::test]
async fn what_may_have_arrived_is_left_alone() {
    let app = App::start().await;
    let id = app.message(&sms()).await;
    app.accepted(id, "SM1").await;
    let receipt = |status| Event::Receipt {
        attempt: 1,
        connection: connection(1),
        receipt: Receipt { provider_message_id: Some("SM1".into()), ..Receipt::of(status) },
    };
    app.inbox.deliver(id, receipt(ReceiptStatus::Undelivered(failure())), None).await.unwrap();
    let dry = json!({ "what": "failed", "dry_run": true });
    assert_eq!(counts(&redrive(&app, &dry).await), [1, 1, 0, 0], "it is known not to have arrived");
    app.inbox.deliver(id, receipt(ReceiptStatus::Reached(Level::Delivered)), None).await.unwrap();
    let running = app.message(&sms()).await;
    app.accepted(running, "SM2").await;
    for body in [dry, all_failed()] {
        let reply = redrive(&app, &body).await;
        assert_eq!(counts(&reply), [1, 0, 0, 1], "the running one does not count: {reply}");
        assert_eq!(reply["messages"][0]["refused"]["code"], "may_have_arrived");
    }
    assert_eq!(messages_in_all(&app).await, 2);
}

#[tokio::test]
async fn an_expired_message_that_was_never_sent_is_redriven_too() {
    let app = App::start().await;
    let id = app.message(&sms()).await;
    app.clock.advance(DAY * 4);
    while !message(&app, id).await["completed_at"].is_string() {
        app.inbox.deliver(id, Event::Due, None).await.unwrap();
    }
    let status = message(&app, id).await["status"].clone();
    assert_eq!(status, "expired");
    let reply = redrive(&app, &all_failed()).await;
    assert_eq!(counts(&reply), [1, 1, 0, 0]);
    assert_eq!(reply["by_reason"], json!([{ "reason": "expired", "count": 1 }]));
}

#[tokio::test]
async fn a_dry_run_counts_and_sends_nothing() {
    let app = App::start().await;
    failed(&app).await;
    failed(&app).await;
    let reply = redrive(&app, &json!({ "what": "failed", "dry_run": true })).await;
    assert_eq!((counts(&reply), &reply["dry_run"]), ([2, 2, 0, 0], &json!(true)));
    assert_eq!(reply["messages"][0]["redriven_as"], Value::Null);
    assert_eq!(messages_in_all(&app).await, 2);
    redrive(&app, &all_failed()).await;
    let reply = redrive(&app, &json!({ "what": "failed", "dry_run": true })).await;
    assert_eq!(counts(&reply), [2, 0, 2, 0]);
}

#[tokio::test]
async fn layers_are_asked_again_and_what_they_refuse_can_be_repeated() {
    let app = App::start().await;
    let id = failed(&app).await;
    let refused = async |code: &str| {
        let reply = redrive(&app, &all_failed()).await;
        assert_eq!(counts(&reply), [1, 0, 0, 1], "{reply}");
        assert_eq!(reply["messages"][0]["refused"]["code"], code, "{reply}");
        assert_eq!(reply["refusals"], json!([{ "code": code, "count": 1 }]));
        assert_eq!(message(&app, id).await["redriven_as"], Value::Null);
    };
    let rule = json!({ "address": "+4520123456", "channel": "sms", "reason": "opt_out" });
    let rule = app.post(LIVE, "/v1/suppressions", &rule).await.json()["id"].as_str().unwrap().to_owned();
    refused("recipient_suppressed").await;
    app.call(Call::new("DELETE", format!("/v1/suppressions/{rule}")).key(LIVE)).await;
    let path = format!("/admin/v1/tenants/{}", tenant(1));
    app.post(ADMIN, &format!("{path}/suspend"), &json!({})).await;
    refused("tenant_suspended").await;
    app.post(ADMIN, &format!("{path}/resume"), &json!({})).await;
    app.intake.overloaded.store(true, Ordering::SeqCst);
    refused("rate_limited").await;
    app.intake.overloaded.store(false, Ordering::SeqCst);
    assert_eq!(counts(&redrive(&app, &all_failed()).await), [1, 1, 0, 0]);
}

#[tokio::test]
async fn an_erased_recipient_is_not_written_to_again() {
    let app = App::start().await;
    failed(&app).await;
    let erased = app.post(LIVE, "/v1/recipients/erase", &json!({ "phone": "+4520123456" })).await;
    assert_eq!(erased.json()["messages"], 1, "{}", erased.text);
    let reply = redrive(&app, &all_failed()).await;
    assert_eq!(
        (counts(&reply), &reply["messages"][0]["refused"]["code"]),
        ([1, 0, 0, 1], &json!("recipient_erased"))
    );
}

#[tokio::test]
async fn steps_are_routed_anew_unless_the_tenant_named_their_connections() {
    let app = App::start().await;
    connect(&app.directory, 6, Some(tenant(1)), Mode::Live, "twilio", Channel::Sms).await;
    let by_router = failed(&app).await;
    let named = app.message(&with(sms(), "/cascade/steps/0/providers", json!(["twilio"]))).await;
    refuse(&app, named).await;
    let held = format!("/admin/v1/providers/{}/hold", connection(1));
    assert_eq!(app.post(ADMIN, &held, &json!({})).await.status, 200);
    redrive(&app, &all_failed()).await;
    let plan = async |id: MessageId| {
        let new = message(&app, id).await["redriven_as"].as_str().unwrap().to_owned();
        message(&app, new).await["plan"][0]["providers"].clone()
    };
    assert_eq!(plan(by_router).await, json!(["twilio-6", "twilio"]), "the one that is held comes last");
    assert_eq!(plan(named).await, json!(["twilio"]));
}

#[tokio::test]
async fn the_other_mode_stays_apart() {
    let app = App::start().await;
    failed(&app).await;
    let answer = app.post(TEST, "/v1/messages", &sms()).await.json();
    let tested: MessageId = answer["id"].as_str().unwrap().parse().unwrap();
    refuse(&app, tested).await;
    let reply = redrive(&app, &json!({ "what": "failed", "mode": "test" })).await;
    assert_eq!((counts(&reply), &reply["messages"][0]["message_id"]), ([1, 1, 0, 0], &json!(tested)));
    let new = reply["messages"][0]["redriven_as"].as_str().unwrap().to_owned();
    assert_eq!(app.get(TEST, &format!("/v1/messages/{new}")).await.json()["mode"], "test");
    assert_eq!(app.get(LIVE, &format!("/v1/messages/{new}")).await.status, 404);
}

#[tokio::test]
async fn a_step_that_had_one_connection_keeps_it_under_any_name_until_it_is_gone() {
    let app = App::start().await;
    let (first, second) = (failed(&app).await, failed(&app).await);
    connect(&app.directory, 6, Some(tenant(1)), Mode::Live, "twilio", Channel::Sms).await;
    let path = format!("/admin/v1/providers/{}", connection(1));
    let change = |method| Call::new(method, path.clone()).key(ADMIN).header("If-Match", "*");
    let credentials = json!({ "account_sid": "AC1", "auth_token": "secret" });
    let body = json!({ "name": "twilio dk", "credentials": credentials, "config": {} });
    let renamed = app.call(change("PATCH").json(&body)).await;
    assert_eq!(renamed.status, 200, "{}", renamed.text);
    let providers = async |id: MessageId| {
        let new = message(&app, id).await["redriven_as"].as_str().unwrap().to_owned();
        message(&app, new).await["plan"][0]["providers"].clone()
    };
    redrive(&app, &json!({ "what": "failed", "limit": 1 })).await;
    assert_eq!(providers(second).await, json!(["twilio dk"]), "the tenant may have named it");
    assert_eq!(app.call(change("DELETE")).await.status, 204);
    redrive(&app, &all_failed()).await;
    assert_eq!(providers(first).await, json!(["twilio-6"]));
}

#[tokio::test]
async fn a_redrive_is_no_duplicate_of_what_it_repeats() {
    let app = App::start().await;
    let policy = json!({ "policy": { "duplicate_window_s": 3_600 } });
    let path = format!("/admin/v1/tenants/{}", tenant(1));
    let changed = Call::new("PATCH", path).key(ADMIN).header("If-Match", "*").json(&policy);
    assert_eq!(app.call(changed).await.status, 200);
    failed(&app).await;
    assert_eq!(app.post(LIVE, "/v1/messages", &sms()).await.code(), "duplicate_suppressed");
    let reply = redrive(&app, &all_failed()).await;
    assert_eq!(counts(&reply), [1, 1, 0, 0], "{reply}");
}
