//! The layers that a message passes: each refuses with its own code, in their order, and what they close leaves the plan.

use std::time::Duration;

use hermes_testkit::tenant;
use serde_json::{Value, json};

use crate::{
    app::{ADMIN, App, LIVE, sms, with},
    client::{Answer, Call},
};

/// The application's time is 04:04 in Copenhagen.
const NIGHT: &str = r#"{ "from": "21:00", "until": "08:00" }"#;

async fn with_policy(policy: Value) -> App {
    let app = App::start().await;
    let path = format!("/admin/v1/tenants/{}", tenant(1));
    let changed = app.call(Call::new("PATCH", path).key(ADMIN).json(&json!({ "policy": policy }))).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    app
}

fn night() -> Value {
    serde_json::from_str(NIGHT).unwrap()
}

fn said(text: &str) -> Value {
    with(sms(), "/content", json!({ "text": text }))
}

fn refusal(answer: &Answer) -> (u16, String, String, String) {
    let problem = answer.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (answer.status, text(&problem["layer"]), text(&problem["code"]), text(&problem["errors"][0]["code"]))
}

#[tokio::test]
async fn each_layer_refuses_with_its_code() {
    let marketing = |text: &str| with(said(text), "/category", json!("marketing"));
    let old = json!({ "obtained_at": "2024-01-01T00:00:00Z", "source": "sign-up form" });
    let file = |name: &str| {
        let file = json!({ "filename": name, "content_type": "application/zip", "content_base64": "AAAA" });
        with(sms(), "/content/email", json!({ "attachments": [file] }))
    };
    let american = with(with(sms(), "/to/phone", json!("+12015550123")), "/sender", json!({ "sms": "ACME" }));
    let cases = [
        (json!({}), with(sms(), "/to/phone", json!("+451")), "schema", "recipient_invalid", "phone_invalid"),
        (
            json!({}),
            with(sms(), "/to/timezone", json!("Mars/Olympus")),
            "schema",
            "recipient_invalid",
            "timezone",
        ),
        (json!({}), said("Dear {{ name }}"), "content", "content_rejected", "placeholder"),
        (json!({}), said("Hi ${first_name}!"), "content", "content_rejected", "placeholder"),
        (json!({}), file("setup.EXE "), "content", "content_rejected", "file_type"),
        (
            json!({ "refuse_shorteners": true }),
            said("see bit.ly/x"),
            "content",
            "content_rejected",
            "link_shortener",
        ),
        (
            json!({ "forbidden_hosts": ["evil.example"] }),
            said("https://a.evil.example/"),
            "content",
            "content_rejected",
            "link_forbidden",
        ),
        (
            json!({ "forbidden_hosts": ["evil.example"] }),
            with(
                sms(),
                "/content/email",
                json!({ "subject": "x", "html": "<a href='https://evil&#46;example'>x</a>" }),
            ),
            "content",
            "content_rejected",
            "link_forbidden",
        ),
        (json!({ "channels": ["email"] }), sms(), "compliance", "compliance_blocked", "channel_not_in_plan"),
        (
            json!({ "countries": ["SE", "NO"] }),
            sms(),
            "compliance",
            "compliance_blocked",
            "country_not_allowed",
        ),
        (json!({}), american, "compliance", "compliance_blocked", "sender_not_supported"),
        (json!({}), marketing("Buy now"), "compliance", "compliance_blocked", "unsubscribe_missing"),
        (
            json!({ "consent_days_max": 365 }),
            marketing("Buy now. STOP"),
            "compliance",
            "compliance_blocked",
            "consent_missing",
        ),
        (
            json!({ "consent_days_max": 365 }),
            with(marketing("Buy now. STOP"), "/consent", old),
            "compliance",
            "compliance_blocked",
            "consent_expired",
        ),
        (
            json!({ "quiet_hours": with(night(), "/action", json!("refuse")) }),
            sms(),
            "compliance",
            "outside_window",
            "quiet_hours",
        ),
    ];
    for (policy, body, layer, code, fault) in cases {
        let app = with_policy(policy.clone()).await;
        let answer = app.post(LIVE, "/v1/messages", &body).await;
        assert_eq!(refusal(&answer), (422, layer.into(), code.into(), fault.into()), "{policy} {body}");
        let rehearsed = app.post(LIVE, "/v1/messages/validate", &body).await.json();
        let refused = &rehearsed["refusals"][0];
        assert_eq!((&refused["layer"], &refused["code"]), (&json!(layer), &json!(code)), "{rehearsed}");
        assert_eq!(app.get(LIVE, "/v1/messages").await.json()["data"], json!([]), "nothing is stored");
    }
}

#[tokio::test]
async fn what_the_rules_allow_passes() {
    let cases = [
        (json!({ "countries": ["DK"], "channels": ["sms"] }), sms()),
        (json!({ "refuse_shorteners": true }), said("see https://acme.example/bit.ly and rabbit.ly/x")),
        (json!({ "consent_days_max": 365 }), said("Your parcel is here")),
        (
            json!({ "consent_days_max": 365 }),
            with(
                with(said("Sale! Reply STOP to end"), "/category", json!("marketing")),
                "/consent",
                json!({ "obtained_at": "2025-12-01T00:00:00Z" }),
            ),
        ),
        (json!({ "quiet_hours": night() }), with(sms(), "/lane", json!("otp"))),
        (json!({ "quiet_hours": night() }), with(sms(), "/to/timezone", json!("Asia/Tokyo"))),
        (json!({}), said("{ not a placeholder } $5 {%")),
    ];
    for (policy, body) in cases {
        let app = with_policy(policy).await;
        let answer = app.post(LIVE, "/v1/messages", &body).await;
        assert_eq!(
            (answer.status, &answer.json()["status"]),
            (202, &json!("accepted")),
            "{body}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn a_channel_that_is_closed_leaves_the_plan_and_others_stay() {
    let app = with_policy(json!({ "countries": ["SE"] })).await;
    let steps = json!({ "steps": [{ "channel": "sms" }, { "channel": "email" }] });
    let body = with(with(sms(), "/to/email", json!("a@example.dk")), "/cascade", steps);
    let reply = app.post(LIVE, "/v1/messages", &body).await.json();
    assert_eq!((&reply["plan"][0]["channel"], &reply["plan"][1]), (&json!("email"), &Value::Null), "{reply}");
    assert_eq!(
        (&reply["warnings"][0]["code"], &reply["warnings"][0]["pointer"]),
        (&json!("country_not_allowed"), &json!("/cascade/steps/0"))
    );
}

#[tokio::test]
async fn a_message_in_quiet_hours_is_scheduled_for_their_end() {
    let app = with_policy(json!({ "quiet_hours": night() })).await;
    let reply = app.post(LIVE, "/v1/messages", &sms()).await.json();
    assert_eq!(reply["status"], "scheduled", "{reply}");
    let read = app.get(LIVE, &format!("/v1/messages/{}", reply["id"].as_str().unwrap())).await.json();
    assert_eq!(
        (&read["status"], &read["status_reason"], &read["send_at"]),
        (&json!("scheduled"), &json!("quiet_hours"), &json!("2026-01-02T07:00:00.000Z"))
    );
    let rehearsed = app.post(LIVE, "/v1/messages/validate", &sms()).await.json();
    assert_eq!((&rehearsed["held_for"], &rehearsed["send_at"]), (&json!("quiet_hours"), &read["send_at"]));

    let in_time = with(sms(), "/expires_at", json!("2026-01-02T06:59:00Z"));
    assert_eq!(app.post(LIVE, "/v1/messages", &in_time).await.code(), "outside_window", "it would end first");
    let by_day = with(sms(), "/send_at", json!("2026-01-02T12:00:00Z"));
    let reply = app.post(LIVE, "/v1/messages", &by_day).await.json();
    let read = app.get(LIVE, &format!("/v1/messages/{}", reply["id"].as_str().unwrap())).await.json();
    assert_eq!(
        (&read["send_at"], &read["status_reason"]),
        (&json!("2026-01-02T12:00:00.000Z"), &json!("send_at"))
    );
}

#[tokio::test]
async fn a_rate_counts_accepted_messages_of_its_kind_and_says_when_there_is_room() {
    let rate = json!({ "channel": "sms", "lane": "bulk", "messages": 2, "period_s": 60 });
    let app = with_policy(json!({ "rates": [rate] })).await;
    let bulk = || with(sms(), "/lane", json!("bulk"));
    for _ in 0..3 {
        assert_eq!(
            app.post(LIVE, "/v1/messages", &with(bulk(), "/to/phone", json!("+451"))).await.status,
            422
        );
        assert_eq!(app.post(LIVE, "/v1/messages/validate", &bulk()).await.json()["valid"], true);
    }
    app.message(&bulk()).await;
    app.message(&bulk()).await;
    let refused = app.post(LIVE, "/v1/messages", &bulk()).await;
    assert_eq!(refusal(&refused), (429, "rate".into(), "rate_limited".into(), "message_rate".into()));
    let told = |answer: &Answer| {
        ["retry-after", "ratelimit", "ratelimit-policy"].map(|name| answer.header(name).unwrap().to_owned())
    };
    let policy = "\"messages.bulk.sms\";q=2;w=60";
    assert_eq!(told(&refused), ["60", "\"messages.bulk.sms\";r=0;t=60", policy]);
    app.message(&sms()).await;
    app.clock.advance(Duration::from_millis(59_001));
    let refused = app.post(LIVE, "/v1/messages", &bulk()).await;
    assert_eq!(
        (refused.status, told(&refused)),
        (429, ["1", "\"messages.bulk.sms\";r=0;t=1", policy].map(str::to_owned))
    );
    app.clock.advance(Duration::from_millis(998));
    assert_eq!(app.post(LIVE, "/v1/messages", &bulk()).await.status, 429);
    app.clock.advance(Duration::from_millis(1));
    let accepted = app.post(LIVE, "/v1/messages", &bulk()).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    assert!(
        accepted.header("ratelimit").unwrap().starts_with("\"tenant\";"),
        "what was not spent is not told"
    );
}

#[tokio::test]
async fn of_two_rates_that_refuse_the_longer_one_is_told() {
    let rates = json!([{ "messages": 1, "period_s": 5 }, { "lane": "bulk", "messages": 1, "period_s": 90 }]);
    let app = with_policy(json!({ "rates": rates })).await;
    let bulk = || with(sms(), "/lane", json!("bulk"));
    app.message(&bulk()).await;
    let refused = app.post(LIVE, "/v1/messages", &bulk()).await;
    assert_eq!(refused.header("retry-after"), Some("90"));
    assert_eq!(refused.header("ratelimit"), Some("\"messages.bulk\";r=0;t=90"));
    let refused = app.post(LIVE, "/v1/messages", &sms()).await;
    assert_eq!(refused.header("ratelimit"), Some("\"messages\";r=0;t=5"));
    app.clock.advance(Duration::from_secs(5));
    app.message(&sms()).await;
}

#[tokio::test]
async fn the_same_content_to_the_same_recipient_is_a_duplicate_where_the_tenant_says_so() {
    let app = with_policy(json!({ "duplicate_window_s": 300 })).await;
    let first = app.message(&said("Your code is 1")).await;
    let again = app.post(LIVE, "/v1/messages", &said("Your code is 1")).await;
    assert_eq!(refusal(&again), (409, "dedup".into(), "duplicate_suppressed".into(), "duplicate".into()));
    assert!(again.text.contains(&first.to_string()));
    app.message(&said("Your code is 2")).await;
    app.message(&with(said("Your code is 1"), "/to/phone", json!("+4520123457"))).await;
    app.clock.advance(Duration::from_secs(300));
    app.message(&said("Your code is 1")).await;
}

#[tokio::test]
async fn rehearsing_tells_what_is_known_of_the_recipient() {
    let app = App::start().await;
    let reply = app.post(LIVE, "/v1/messages/validate", &sms()).await.json();
    assert_eq!(
        reply["recipient"],
        json!({ "country": "DK", "number_type": "fixed_line_or_mobile", "timezones": ["Europe/Copenhagen"], "locale": null })
    );
}

#[tokio::test]
async fn a_policy_is_read_strictly_and_shown_as_it_is_kept() {
    let app = App::start().await;
    let path = format!("/admin/v1/tenants/{}", tenant(1));
    let patch = |policy: Value| Call::new("PATCH", &path).key(ADMIN).json(&json!({ "policy": policy }));
    for (policy, pointer) in [
        (json!({ "countries": ["Denmark"] }), "/policy/countries/0"),
        (json!({ "countries": ["XX"] }), "/policy/countries/0"),
        (json!({ "forbidden_hosts": ["localhost"] }), "/policy/forbidden_hosts/0"),
        (json!({ "quiet_hours": { "from": "25:00", "until": "08:00" } }), "/policy/quiet_hours/from"),
        (
            json!({ "quiet_hours": { "from": "21:00", "until": "08:00", "timezone": "Mars" } }),
            "/policy/quiet_hours/timezone",
        ),
        (json!({ "rates": [{ "messages": 0, "period_s": 1 }] }), "/policy/rates/0/messages"),
        (json!({ "quotas": 1 }), "/policy/quotas"),
    ] {
        let answer = app.call(patch(policy)).await;
        assert_eq!((answer.status, answer.pointers()), (422, vec![pointer.to_owned()]), "{}", answer.text);
    }
    let policy = json!({ "countries": ["DK", "SE"], "quiet_hours": { "from": "21:00", "until": "08:00", "action": "hold" }, "refuse_shorteners": false });
    assert_eq!(app.call(patch(policy.clone())).await.json()["policy"], policy);
    assert_eq!(app.get(ADMIN, &path).await.json()["policy"], policy);
    assert_eq!(app.call(patch(json!({}))).await.json()["policy"], json!({ "refuse_shorteners": false }));
}
