//! Provider callbacks: verified, then durable, then answered.

use std::sync::atomic::Ordering;

use hermes_domain::{
    MessageId,
    address::Channel,
    message::Mode,
    outcome::{ErrorClass, Failure, Level, Receipt, ReceiptStatus},
};
use hermes_ports::{
    ReceiptInbox as _,
    adapter::{AdapterFault, Received, ReceivedEntry, WebhookRefusal},
    http::Method,
    parked_body::{decode_receipt, decode_webhook},
    provider_gateway::ReceiveError,
    receipt_inbox::ParkedKind,
};
use hermes_testkit::{connection, message_id};

use crate::{
    app::{App, LIVE, PUBLIC_URL, connect, sms},
    client::{Answer, Call},
};

/// From one round of verifying to the next.
const ROUND: std::time::Duration = std::time::Duration::from_secs(15);

fn receipt(id: Option<&str>, status: ReceiptStatus) -> Receipt {
    Receipt { provider_message_id: id.map(Into::into), ..Receipt::of(status) }
}

fn delivered(id: Option<&str>) -> Receipt {
    receipt(id, ReceiptStatus::Reached(Level::Delivered))
}

fn entry(reference: Option<String>, receipt: Receipt) -> ReceivedEntry {
    ReceivedEntry::Receipt { reference, account: None, receipt }
}

fn callback(number: u64, query: &str) -> Call {
    Call::new("POST", format!("/receipts/twilio/{}{query}", connection(number))).bytes("MessageSid=SM1")
}

async fn told(app: &App, entries: Vec<ReceivedEntry>, call: Call) -> Answer {
    app.gateway.receive_once(Ok(Ok(Received { entries, unreadable: 0, reply: None })));
    app.call(call).await
}

async fn status(app: &App, id: MessageId) -> String {
    app.get(LIVE, &format!("/v1/messages/{id}")).await.json()["status"].as_str().unwrap().to_owned()
}

async fn sent(app: &App) -> MessageId {
    let id = app.message(&sms()).await;
    app.accepted(id, "SM1").await;
    id
}

async fn parked(app: &App, kind: ParkedKind) -> Vec<hermes_ports::receipt_inbox::Parked> {
    app.backend.list(kind, None, 10).await.unwrap().into_iter().map(|(_, parked)| parked).collect()
}

#[tokio::test]
async fn the_reference_in_the_address_leads_to_the_attempt() {
    let app = App::start().await;
    let id = sent(&app).await;
    let answer =
        told(&app, vec![entry(None, delivered(Some("SM1")))], callback(1, &format!("?ref={id}.1"))).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(status(&app, id).await, "delivered");
}

#[tokio::test]
async fn the_entry_s_own_reference_wins_over_the_address() {
    let app = App::start().await;
    let (id, other) = (sent(&app).await, app.message(&sms()).await);
    app.accepted(other, "SM2").await;
    let entries = vec![entry(Some(format!("{id}-1")), delivered(Some("SM1")))];
    told(&app, entries, callback(1, &format!("?ref={other}.1"))).await;
    assert_eq!(
        (status(&app, id).await, status(&app, other).await),
        ("delivered".into(), "in_progress".into())
    );
}

#[tokio::test]
async fn without_a_reference_the_provider_s_id_is_looked_up() {
    let app = App::start().await;
    let id = sent(&app).await;
    told(&app, vec![entry(None, delivered(Some("SM1")))], callback(1, "")).await;
    assert_eq!(status(&app, id).await, "delivered");
}

#[tokio::test]
async fn what_belongs_to_nothing_yet_is_kept_as_an_orphan() {
    let app = App::start().await;
    let unknown = message_id(7);
    let by_reference = callback(1, &format!("?ref={unknown}.1"));
    assert_eq!(told(&app, vec![entry(None, delivered(Some("SM7")))], by_reference).await.status, 200);
    assert_eq!(told(&app, vec![entry(None, delivered(Some("SM8")))], callback(1, "")).await.status, 200);
    let orphans = parked(&app, ParkedKind::Orphan).await;
    let keys: Vec<_> = orphans.iter().map(|orphan| (orphan.connection, orphan.key.as_str())).collect();
    assert_eq!(keys, [(connection(1), format!("{unknown}.1").as_str()), (connection(1), "SM8")]);
    assert_eq!(decode_receipt(&orphans[1].body), Some(delivered(Some("SM8"))));
}

#[tokio::test]
async fn a_receipt_through_another_connection_or_for_another_id_is_quarantined() {
    let app = App::start().await;
    let id = sent(&app).await;
    let entries = || vec![entry(Some(format!("{id}.1")), delivered(Some("SM1")))];
    assert_eq!(told(&app, entries(), callback(5, "")).await.status, 200);
    let forged = vec![entry(Some(format!("{id}.1")), delivered(Some("SM-forged")))];
    assert_eq!(told(&app, forged, callback(1, "")).await.status, 200);
    assert_eq!(parked(&app, ParkedKind::Quarantined).await.len(), 2);
    assert_eq!(status(&app, id).await, "in_progress");
}

#[tokio::test]
async fn an_entry_belongs_to_the_connection_that_has_its_account() {
    let app = App::start().await;
    connect(&app.directory, 6, None, Mode::Live, "twilio", Channel::Sms).await;
    let id = sent(&app).await;
    let of = |account: &str| ReceivedEntry::Receipt {
        reference: Some(format!("{id}.1")),
        account: Some(account.to_owned()),
        receipt: delivered(Some("SM1")),
    };
    // No connection of the same owner and mode has these: of nobody, of test mode, of another tenant.
    for account in ["99", "4", "5"] {
        assert_eq!(told(&app, vec![of(account)], callback(1, "")).await.status, 200);
        assert_eq!(status(&app, id).await, "in_progress", "{account}");
    }
    // The owner of connection 5 cannot speak for a connection that is not its own.
    told(&app, vec![of("1")], callback(5, "")).await;
    assert_eq!(status(&app, id).await, "in_progress");
    // Came to another address of the same owner: connection 6, or its own.
    told(&app, vec![of("1")], callback(6, "")).await;
    assert_eq!(status(&app, id).await, "delivered");
}

#[tokio::test]
async fn entries_are_applied_each_on_its_own() {
    let app = App::start().await;
    let (id, other) = (sent(&app).await, app.message(&sms()).await);
    app.accepted(other, "SM2").await;
    let failed = receipt(
        Some("SM2"),
        ReceiptStatus::Undelivered(Failure::new(ErrorClass::RecipientPermanent, "gone")),
    );
    let entries = vec![
        entry(Some(format!("{}.1", message_id(3))), delivered(Some("SM3"))),
        entry(Some(format!("{id}.1")), delivered(Some("SM1"))),
        entry(Some(format!("{other}.1")), failed),
        entry(Some(format!("{id}.1")), delivered(Some("SM1"))),
    ];
    assert_eq!(told(&app, entries, callback(1, "")).await.status, 200);
    assert_eq!((status(&app, id).await, status(&app, other).await), ("delivered".into(), "failed".into()));
}

#[tokio::test]
async fn a_refused_callback_leaves_nothing_behind() {
    let app = App::start().await;
    let id = sent(&app).await;
    for (refusal, status) in [(WebhookRefusal::BadSignature, 403), (WebhookRefusal::Malformed, 400)] {
        app.gateway.receive_once(Ok(Err(refusal)));
        assert_eq!(app.call(callback(1, &format!("?ref={id}.1"))).await.status, status);
    }
    let wrong_provider = Call::new("POST", format!("/receipts/ses/{}", connection(1))).bytes("x");
    assert_eq!(app.call(wrong_provider).await.status, 404);
    assert_eq!(app.call(callback(99, "")).await.status, 404);
    assert_eq!(app.call(Call::new("POST", "/receipts/twilio/nobody").bytes("x")).await.status, 404);
    assert_eq!(app.call(callback(1, "").bytes(vec![0; 4 * 1024 * 1024 + 1])).await.status, 413);
    for kind in [ParkedKind::Orphan, ParkedKind::Unverified, ParkedKind::Quarantined] {
        assert!(parked(&app, kind).await.is_empty());
    }
    assert_eq!(status(&app, id).await, "in_progress");
}

#[tokio::test]
async fn what_cannot_be_verified_now_is_kept_as_it_came() {
    let app = App::start().await;
    for fault in [ReceiveError::Adapter(AdapterFault::Busy), ReceiveError::Fetch] {
        app.gateway.receive_once(Err(fault));
        let call =
            callback(1, "?ref=x.1&a=%20b").header("x-twilio-signature", "sig").header("host", "evil.example");
        assert_eq!(app.call(call).await.status, 200);
    }
    let kept = parked(&app, ParkedKind::Unverified).await;
    assert_eq!(kept.len(), 1, "the same callback is kept once");
    let webhook = decode_webhook(&kept[0].body).unwrap();
    let url = format!("{PUBLIC_URL}/receipts/twilio/{}?ref=x.1&a=%20b", connection(1));
    assert_eq!((webhook.method, webhook.url, &webhook.body[..]), (Method::Post, url, &b"MessageSid=SM1"[..]));
    assert!(webhook.headers.contains(&("x-twilio-signature".into(), "sig".into())));
}

#[tokio::test]
async fn what_was_kept_is_verified_later_and_applied_or_forgotten() {
    let app = App::start().await;
    let id = sent(&app).await;
    for body in ["MessageSid=SM1", "forged"] {
        app.gateway.receive_once(Err(ReceiveError::Fetch));
        app.call(callback(1, &format!("?ref={id}.1")).bytes(body)).await;
    }
    app.gateway.receive_once(Err(ReceiveError::Fetch)); // Still no certificate.
    app.gateway.receive_once(Ok(Err(WebhookRefusal::SendAgain))); // Answered, but without one.
    app.parked_receipts.lock().await.offer_again().await.unwrap();
    assert_eq!(parked(&app, ParkedKind::Unverified).await.len(), 2);

    app.clock.advance(ROUND);
    let entries = vec![entry(None, delivered(Some("SM1")))];
    app.gateway.receive_once(Ok(Ok(Received { entries, unreadable: 0, reply: None })));
    app.gateway.receive_once(Ok(Err(WebhookRefusal::BadSignature)));
    app.parked_receipts.lock().await.offer_again().await.unwrap();
    assert_eq!(status(&app, id).await, "delivered");
    assert!(parked(&app, ParkedKind::Unverified).await.is_empty());
}

#[tokio::test]
async fn what_no_adapter_can_read_does_not_stand_before_others_and_is_given_up() {
    let app = App::start().await;
    let id = sent(&app).await;
    app.gateway.receive_once(Err(ReceiveError::Fetch));
    app.call(callback(1, "").bytes("unreadable")).await;
    app.clock.advance(std::time::Duration::from_secs(47 * 3_600));
    app.gateway.receive_once(Err(ReceiveError::Fetch));
    app.call(callback(1, &format!("?ref={id}.1"))).await;

    app.gateway.receive_once(Err(ReceiveError::Adapter(AdapterFault::Trap("unreachable".into()))));
    let entries = vec![entry(None, delivered(Some("SM1")))];
    app.gateway.receive_once(Ok(Ok(Received { entries, unreadable: 0, reply: None })));
    app.parked_receipts.lock().await.offer_again().await.unwrap();
    assert_eq!(status(&app, id).await, "delivered", "behind one that failed");
    assert_eq!(parked(&app, ParkedKind::Unverified).await.len(), 1);

    app.clock.advance(std::time::Duration::from_secs(3_600));
    app.parked_receipts.lock().await.offer_again().await.unwrap();
    assert!(parked(&app, ParkedKind::Unverified).await.is_empty(), "after two days");
}

#[tokio::test]
async fn an_entry_beyond_the_limits_costs_the_others_of_its_callback_nothing() {
    let app = App::start().await;
    let id = sent(&app).await;
    let entries = vec![entry(None, delivered(Some("SM1")))];
    app.gateway.receive_once(Ok(Ok(Received { entries, unreadable: 1, reply: None })));
    assert_eq!(app.call(callback(1, &format!("?ref={id}.1"))).await.status, 200);
    assert_eq!(status(&app, id).await, "delivered");
}

#[tokio::test]
async fn an_orphan_that_its_outcome_missed_finds_its_message() {
    let app = App::start().await;
    let id = app.message(&sms()).await;
    told(&app, vec![entry(None, delivered(Some("SM1")))], callback(1, "")).await;
    app.accepted(id, "SM1").await;
    app.parked_receipts.lock().await.offer_again().await.unwrap();
    assert_eq!(parked(&app, ParkedKind::Orphan).await.len(), 1, "its outcome may be under way");
    app.clock.advance(std::time::Duration::from_secs(3));
    app.parked_receipts.lock().await.offer_again().await.unwrap();
    assert_eq!(status(&app, id).await, "delivered");
    assert!(parked(&app, ParkedKind::Orphan).await.is_empty());
}

#[tokio::test]
async fn a_message_that_cannot_take_it_now_makes_the_provider_come_back() {
    let app = App::start().await;
    let id = sent(&app).await;
    app.inbox.busy.store(true, Ordering::SeqCst);
    let answer =
        told(&app, vec![entry(None, delivered(Some("SM1")))], callback(1, &format!("?ref={id}.1"))).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
}

#[tokio::test]
async fn a_handshake_is_answered_as_the_adapter_says() {
    let app = App::start().await;
    let reply = Some(("text/plain".to_owned(), "challenge-1".to_owned()));
    app.gateway.receive_once(Ok(Ok(Received { entries: vec![], unreadable: 0, reply })));
    let answer =
        app.call(Call::new("GET", format!("/receipts/twilio/{}?hub.mode=subscribe", connection(1)))).await;
    assert_eq!(
        (answer.status, answer.text.as_str(), answer.header("content-type")),
        (200, "challenge-1", Some("text/plain"))
    );
}
