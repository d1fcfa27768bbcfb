//! What people write: kept for each tenant that it concerns, and told to their endpoints.

use hermes_domain::{MessageId, TenantId, address::Channel, message::Mode};
use hermes_ports::{
    Suppressions as _,
    adapter::{Inbound, InboundKind, Received, ReceivedEntry},
    suppressions::{SuppressedAddress, SuppressionReason},
};
use hermes_testkit::{connection, tenant};
use serde_json::{Value, json};

use crate::{
    app::{App, LIVE, OTHER, sms},
    client::Call,
};

const PHONE: &str = "+4520123456";

async fn endpoint(app: &App, key: &str, event_types: Value) {
    let body = json!({ "url": "https://example.com/hook", "event_types": event_types });
    let answer = app.post(key, "/v1/webhooks", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

async fn said(app: &App, through: u64, kind: InboundKind, body: &'static str) {
    let inbound = Inbound { channel: Channel::Sms, from: PHONE.to_owned(), to: None, account: None, kind };
    let entries = vec![ReceivedEntry::Inbound(inbound)];
    app.gateway.receive_once(Ok(Ok(Received { entries, reply: None })));
    let call = Call::new("POST", format!("/receipts/twilio/{}", connection(through))).bytes(body);
    assert_eq!(app.call(call).await.status, 200);
}

async fn rule(app: &App, of: TenantId) -> Option<SuppressionReason> {
    let address = SuppressedAddress::new(of, Mode::Live, Channel::Sms, PHONE);
    app.backend.find(address).await.unwrap().map(|rule| rule.reason)
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
