//! What was sent and what it cost, to tenants and to operators.

use std::time::Duration;

use hermes_domain::message::Mode;
use hermes_ports::operational_events::{Announcement, Audience, OperationalEvent};
use hermes_testkit::tenant;
use serde_json::{Value, json};

use crate::{
    app::{ADMIN, App, LIVE, OTHER, TEST, sms, with},
    client::Call,
};

/// Two SMS of tenant 1, one accepted with two segments at 0.05 EUR each, and one of tenant 2.
async fn used() -> App {
    let app = App::start().await;
    app.directory.delete_connection(hermes_testkit::connection(1)).await.unwrap();
    let connection = json!({
        "provider": "twilio", "name": "main", "channel": "sms", "config": { "from": "+4520000000" },
        "cost": [{ "amount": "0.05", "currency": "EUR" }], "credentials": { "account_sid": "AC1", "auth_token": "t" },
    });
    assert_eq!(app.post(ADMIN, "/admin/v1/providers", &connection).await.status, 201);
    let long = with(sms(), "/content", json!({ "text": "a".repeat(161) }));
    let id = app.message(&long).await;
    app.accepted(id, "SM1").await;
    app.message(&sms()).await;
    let theirs = with(sms(), "/cascade", json!({ "steps": [{ "channel": "sms" }] }));
    assert_eq!(app.post(OTHER, "/v1/messages", &theirs).await.status, 202);
    app
}

fn counts(group: &Value) -> (i64, i64, i64, i64) {
    let number = |name: &str| group[name].as_i64().unwrap();
    (number("messages"), number("attempts"), number("accepted"), number("segments"))
}

#[tokio::test]
async fn a_tenant_sees_its_own_counts_in_the_groups_that_it_asks_for() {
    let app = used().await;
    let all = app.get(LIVE, "/v1/usage").await.json();
    assert_eq!((&all["from"], &all["to"]), (&json!("2026-01-01"), &json!("2026-01-02")));
    assert_eq!(all["data"].as_array().unwrap().len(), 1);
    assert_eq!(counts(&all["data"][0]), (2, 1, 1, 2));
    assert_eq!(all["data"][0]["cost"], json!([{ "amount": "0.10", "currency": "EUR" }]));

    let grouped = app.get(LIVE, "/v1/usage?group_by=channel,provider,country,day").await.json();
    let of = |provider: Value| {
        let found = grouped["data"].as_array().unwrap().iter().find(|group| group["provider"] == provider);
        found.unwrap_or_else(|| panic!("{grouped}")).clone()
    };
    let (messages, attempts) = (of(Value::Null), of(json!("main")));
    assert_eq!((counts(&messages), counts(&attempts)), ((2, 0, 0, 0), (0, 1, 1, 2)));
    for group in [messages, attempts] {
        assert_eq!(
            (&group["channel"], &group["country"], &group["day"]),
            (&json!("sms"), &json!("DK"), &json!("2026-01-02"))
        );
    }
    let before = app.get(LIVE, "/v1/usage?from=2025-12-01&to=2026-01-01").await.json();
    assert_eq!(before["data"], json!([]));
}

#[tokio::test]
async fn operators_see_every_tenant_and_files_have_a_column_for_each_currency() {
    let app = used().await;
    let all = app.get(ADMIN, "/admin/v1/usage?group_by=tenant_id,mode").await.json();
    let of = |number| {
        let id = json!(tenant(number).to_string());
        all["data"].as_array().unwrap().iter().find(|group| group["tenant_id"] == id).unwrap().clone()
    };
    assert_eq!((counts(&of(1)), counts(&of(2))), ((2, 1, 1, 2), (1, 0, 0, 0)));
    let file = app.call(Call::new("GET", "/v1/usage?group_by=channel&format=csv").key(LIVE)).await;
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(
        file.text,
        "channel,messages,attempts,accepted,segments,delivered,cost_EUR\nsms,2,1,1,2,0,0.10\n"
    );
}

#[tokio::test]
async fn questions_are_read_strictly() {
    let app = App::start().await;
    for query in [
        "from=2026-13-01",
        "to=tomorrow",
        "from=2026-01-03&to=2026-01-02",
        "from=2020-01-01",
        "group_by=tenant_id",
        "group_by=channel,,day",
        "format=xml",
        "month=1",
    ] {
        let answer = app.get(LIVE, &format!("/v1/usage?{query}")).await;
        assert_eq!((answer.status, answer.code()), (422, "parameter_invalid".into()), "{query}");
    }
}

async fn capped(quota: Value) -> App {
    let app = used().await;
    let path = format!("/admin/v1/tenants/{}", tenant(1));
    let changed = app.call(Call::new("PATCH", path).key(ADMIN).json(&json!({ "policy": quota }))).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    app
}

fn told(app: &App) -> Vec<(String, u8, String, String, String)> {
    let told = app.events.0.lock();
    let event = |announcement: &Announcement| match &announcement.event {
        OperationalEvent::QuotaThresholdReached {
            quota,
            threshold_percent,
            used,
            limit,
            unit,
            resets_at,
        } => {
            assert_eq!(resets_at.unwrap().rfc3339(), "2026-02-01T00:00:00.000Z");
            assert_eq!(announcement.audience, Audience::Tenant(tenant(1), Mode::Live));
            (quota.clone(), *threshold_percent, used.clone(), limit.clone(), unit.clone())
        }
        other => panic!("{other:?}"),
    };
    told.iter().map(event).collect()
}

#[tokio::test]
async fn a_used_up_quota_refuses_until_the_month_ends_and_its_shares_are_told_once() {
    let app = capped(json!({ "messages_per_month": 4 })).await;
    app.message(&sms()).await;
    assert_eq!(told(&app), [("messages_per_month".into(), 50, "2".into(), "4".into(), "messages".into())]);
    app.clock.advance(Duration::from_secs(2));
    app.message(&sms()).await;
    let refused = app.post(LIVE, "/v1/messages", &sms()).await;
    let problem = refused.json();
    assert_eq!(
        (refused.status, &problem["layer"], &problem["code"], &problem["errors"][0]["code"]),
        (429, &json!("tenant"), &json!("quota_exceeded"), &json!("messages_per_month"))
    );
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert_eq!(wait, 29 * 86_400 + 20 * 3_600 + 55 * 60 + 53, "to the first of February");
    assert_eq!(refused.header("ratelimit"), Some(&*format!("\"messages_per_month\";r=0;t={wait}")));
    assert_eq!(refused.header("ratelimit-policy"), Some("\"messages_per_month\";q=4"));
    let rehearsed = app.post(LIVE, "/v1/messages/validate", &sms()).await.json();
    assert_eq!(rehearsed["refusals"][0]["code"], "quota_exceeded");
    assert_eq!(
        app.post(TEST, "/v1/messages", &sms()).await.status,
        202,
        "the test mode has a quota of its own"
    );
    for _ in 0..2 {
        app.clock.advance(Duration::from_secs(2));
        assert_eq!(app.post(LIVE, "/v1/messages", &sms()).await.status, 429);
    }
    let shares: Vec<u8> = told(&app).iter().map(|told| told.1).collect();
    assert_eq!(shares, [50, 80, 100]);
    app.clock.advance(Duration::from_secs(wait));
    app.message(&sms()).await;
}

#[tokio::test]
async fn a_cap_of_money_counts_what_messages_are_expected_to_cost() {
    let app = capped(json!({ "spend_per_month": { "amount": "0.20", "currency": "EUR" } })).await;
    app.message(&sms()).await;
    app.message(&sms()).await;
    let refused = app.post(LIVE, "/v1/messages", &sms()).await;
    assert_eq!(refused.json()["errors"][0]["code"], "spend_per_month", "0.10 spent, 0.10 under way");
    assert_eq!(told(&app), [("spend_per_month".into(), 50, "0.10".into(), "0.20".into(), "EUR".into())]);
    let invalid = with(sms(), "/to/phone", json!("+451"));
    assert_eq!(
        app.post(LIVE, "/v1/messages", &invalid).await.status,
        429,
        "the tenant comes before the schema"
    );
}
