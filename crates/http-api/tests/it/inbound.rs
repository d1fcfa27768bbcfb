//! What people write: kept for each tenant that it concerns, and told to their endpoints.

use hermes_domain::{
    MessageId, TenantId,
    address::Channel,
    message::Mode,
    suppression::{OptOutScope, SenderKey, SuppressionReason, SuppressionSource},
    tenant::TenantScope,
};
use hermes_ports::{
    Clock as _, InboundLog as _, Suppressions as _,
    adapter::{Inbound, InboundKind, Received, ReceivedEntry},
    inbound_log::InboundQuery,
    suppressions::SuppressionQuery,
};
use hermes_testkit::{connection, tenant};
use serde_json::{Value, json};

use crate::{
    app::{ADMIN, App, LIVE, OTHER, sms},
    client::Call,
};

const PHONE: &str = "+4520123456";

async fn endpoint(app: &App, key: &str, event_types: Value) {
    let body = json!({ "url": "https://example.com/hook", "event_types": event_types });
    let answer = app.post(key, "/v1/webhooks", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

pub(crate) async fn said(app: &App, through: u64, kind: InboundKind, body: &'static str) {
    said_to(app, (through, None), kind, body).await;
}

async fn said_to(app: &App, (through, to): (u64, Option<&str>), kind: InboundKind, body: &'static str) {
    let (from, to) = (PHONE.to_owned(), to.map(str::to_owned));
    let inbound = Inbound { channel: Channel::Sms, from, to, account: None, kind };
    let entries = vec![ReceivedEntry::Inbound(inbound)];
    app.gateway.receive_once(Ok(Ok(Received { entries, unreadable: 0, reply: None })));
    let call = Call::new("POST", format!("/receipts/twilio/{}", connection(through))).bytes(body);
    assert_eq!(app.call(call).await.status, 200);
}

async fn rule(app: &App, of: TenantId) -> Option<SuppressionReason> {
    let query =
        SuppressionQuery { address: Some(PHONE.to_owned()), ..SuppressionQuery::all(of, Mode::Live, 9) };
    let found = app.backend.list(query).await.unwrap();
    assert!(found.len() < 2, "{found:?}");
    found.first().map(|stored| stored.rule.reason)
}

/// Of whom the rules of tenant 1 are, oldest first.
async fn silenced(app: &App) -> Vec<Option<SenderKey>> {
    let all = app.backend.list(SuppressionQuery::all(tenant(1), Mode::Live, 9)).await.unwrap();
    assert!(all.iter().all(|stored| stored.rule.source == SuppressionSource::Inbound));
    all.into_iter().rev().map(|stored| stored.rule.sender).collect()
}

fn told(app: &App) -> Vec<(MessageId, &'static str)> {
    app.notifier.told.lock().drain(..).map(|entry| (entry.message.unwrap(), entry.event_type)).collect()
}

#[tokio::test]
async fn a_stop_on_a_shared_number_concerns_whoever_wrote_to_the_person() {
    let app = App::start().await;
    endpoint(&app, LIVE, json!([])).await;
    endpoint(&app, OTHER, json!([])).await;
    let id = app.message(&sms()).await;
    said(&app, 1, InboundKind::OptOut, "STOP").await;
    assert_eq!(rule(&app, tenant(1)).await, Some(SuppressionReason::OptOut));
    assert_eq!(rule(&app, tenant(2)).await, None);
    assert_eq!(told(&app), [(id, "inbound.received"), (id, "recipient.opted_out")]);
}

#[tokio::test]
async fn a_tenants_own_number_concerns_that_tenant_alone() {
    let app = App::start().await;
    app.message(&sms()).await;
    said(&app, 5, InboundKind::OptOut, "STOP").await;
    assert_eq!(
        (rule(&app, tenant(1)).await, rule(&app, tenant(2)).await),
        (None, Some(SuppressionReason::OptOut))
    );
    assert_eq!(told(&app), [], "no message of theirs could be named");
}

#[tokio::test]
async fn a_callback_that_comes_twice_is_told_once_and_never_with_an_address() {
    let app = App::start().await;
    endpoint(&app, LIVE, json!(["inbound.received"])).await;
    let id = app.message(&sms()).await;
    said(&app, 1, InboundKind::Message, "first").await;
    said(&app, 1, InboundKind::Message, "first").await;
    said(&app, 1, InboundKind::Message, "second").await;
    let told: Vec<_> = app.notifier.told.lock().drain(..).collect();
    let mut events: Vec<_> = told.iter().map(|entry| entry.event).collect();
    events.sort();
    events.dedup();
    assert_eq!((told.len(), events.len()), (3, 2));
    for entry in &told {
        assert!(!entry.body.contains(PHONE), "{}", entry.body);
        let body: Value = serde_json::from_str(&entry.body).unwrap();
        assert_eq!((&body["type"], &body["data"]["kind"]), (&json!("inbound.received"), &json!("message")));
        assert_eq!(body["data"]["message_id"], id.to_string());
    }
    assert_eq!(rule(&app, tenant(1)).await, None);
}

#[tokio::test]
async fn complaints_and_dead_addresses_stay_whatever_is_said_later() {
    for (kind, reason, event) in [
        (InboundKind::Complaint, SuppressionReason::Complaint, &["recipient.opted_out"][..]),
        (InboundKind::HardBounce, SuppressionReason::HardBounce, &[]),
    ] {
        let app = App::start().await;
        endpoint(&app, LIVE, json!([])).await;
        let id = app.message(&sms()).await;
        said(&app, 1, kind, "x").await;
        let expected: Vec<_> = event.iter().map(|event| (id, *event)).collect();
        assert_eq!(told(&app), expected, "{kind:?}");
        said(&app, 1, InboundKind::OptIn, "START").await;
        assert_eq!(rule(&app, tenant(1)).await, Some(reason));
    }
    let app = App::start().await;
    app.message(&sms()).await;
    said(&app, 1, InboundKind::OptOut, "STOP").await;
    said(&app, 1, InboundKind::OptIn, "START").await;
    assert_eq!(rule(&app, tenant(1)).await, None);
}

#[tokio::test]
async fn a_stop_silences_one_number_where_the_tenant_wants_it_so_and_start_revives_that_one_alone() {
    let app = App::start().await;
    app.message(&sms()).await;
    app.backend.set_opt_out_scope(tenant(1), Mode::Live, OptOutScope::Sender).await.unwrap();
    let (first, second) = ("+4550000001", "+4550000002");
    for to in [first, second, first] {
        said_to(&app, (1, Some(to)), InboundKind::OptOut, "STOP").await;
        app.clock.advance(std::time::Duration::from_millis(1));
    }
    assert_eq!(silenced(&app).await, [first, second].map(|number| Some(SenderKey::of(number))));
    said_to(&app, (1, Some("4550000001")), InboundKind::OptIn, "START").await;
    assert_eq!(silenced(&app).await, [Some(SenderKey::of(second))]);
}

#[tokio::test]
async fn a_stop_silences_every_sender() {
    let app = App::start().await;
    app.message(&sms()).await;
    said_to(&app, (1, Some("+4550000001")), InboundKind::OptOut, "STOP").await;
    assert_eq!(silenced(&app).await, [None]);
    said_to(&app, (1, Some("+4550000002")), InboundKind::OptIn, "START").await;
    assert_eq!(silenced(&app).await, []);
}

#[tokio::test]
async fn what_people_wrote_is_listed_for_the_tenant_that_it_concerns() {
    let app = App::start().await;
    let id = app.message(&sms()).await;
    said_to(&app, (1, Some("+4550000001")), InboundKind::OptOut, "STOP").await;
    said_to(&app, (1, Some("+4550000001")), InboundKind::OptOut, "STOP").await;
    app.clock.advance(std::time::Duration::from_millis(1));
    said(&app, 1, InboundKind::Message, "where is it?").await;
    said(&app, 1, InboundKind::Complaint, "spam").await;
    said(&app, 5, InboundKind::Message, "hello").await;
    let kinds = async |key: &str, query: &str| {
        let list = app.get(key, &format!("/v1/inbound{query}")).await.json();
        list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["kind"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(LIVE, "").await, ["message", "opt_out"], "newest first, each once, no complaint");
    let later = format!("?created_after={}", app.clock.now().rfc3339());
    for (query, expected) in [
        ("?from=%2B4520123456", 2),
        ("?from=+4520123456", 2),
        ("?from=%2B4520123457", 0),
        ("?channel=sms&limit=1", 1),
        ("?channel=email", 0),
        (&later, 1),
    ] {
        assert_eq!(kinds(LIVE, query).await.len(), expected, "{query}");
    }
    let stop = app.get(LIVE, "/v1/inbound").await.json()["data"][1].clone();
    assert_eq!(
        (&stop["from"], &stop["to"], &stop["message_id"], &stop["provider"]),
        (&json!(PHONE), &json!("+4550000001"), &json!(id.to_string()), &json!("twilio"))
    );
    let theirs = app.get(OTHER, "/v1/inbound").await.json()["data"].clone();
    assert_eq!((theirs.as_array().unwrap().len(), &theirs[0]["message_id"]), (1, &Value::Null));
    assert!(!app.get(LIVE, "/v1/inbound").await.text.contains("where is it"));
}

#[tokio::test]
async fn who_wrote_is_gone_once_erased_and_everything_goes_with_the_tenant() {
    let app = App::start().await;
    app.message(&sms()).await;
    said(&app, 1, InboundKind::Message, "hello").await;
    let erased = app.post(LIVE, "/v1/recipients/erase", &json!({ "phone": PHONE })).await;
    assert_eq!(erased.status, 200, "{}", erased.text);
    let list = app.get(LIVE, "/v1/inbound").await.json();
    assert_eq!((&list["data"][0]["from"], &list["data"][0]["kind"]), (&Value::Null, &json!("message")));
    let admin = format!("/admin/v1/tenants/{}", tenant(1));
    app.call(Call::new("POST", format!("{admin}/suspend")).key(ADMIN)).await;
    assert_eq!(app.call(Call::new("DELETE", admin).key(ADMIN)).await.status, 204);
    let scope = TenantScope::new(tenant(1), Mode::Live);
    assert_eq!(app.backend.newest(InboundQuery::all(scope, 9)).await.unwrap(), []);
}

#[tokio::test]
async fn what_is_told_at_once_is_what_is_read_back_with_metadata() {
    let app = App::start().await;
    endpoint(&app, LIVE, json!(["inbound.received"])).await;
    let mut body = sms();
    body["metadata"] = json!({ "order": "1042" });
    app.message(&body).await;
    said(&app, 1, InboundKind::Message, "first").await;
    let told = app.notifier.told.lock().remove(0);
    let body: Value = serde_json::from_str(&told.body).unwrap();
    assert_eq!(body["data"]["metadata"], json!({ "order": "1042" }));
    let kept = hermes_ports::Outbox::pending(&*app.backend, told.endpoint, 9).await.unwrap();
    assert_eq!(kept[0].body, told.body);
}
