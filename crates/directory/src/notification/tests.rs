use std::collections::BTreeMap;

use hermes_domain::{
    ConnectionId, EndpointId, MessageId, TenantId, UnixMillis,
    address::{Channel, Phone, Recipient},
    cascade::{AdapterVersion, Cascade, Event, begin, step},
    content::Content,
    message::{Lane, Mode},
    money::Money,
    outcome::{Acceptance, Level, Outcome, Receipt, ReceiptStatus},
    plan::{Candidate, OnLateReceipt, OnServerError, OnUnknownOutcome, Plan},
};
use serde_json::{Value, json};

use super::*;

const NOW: UnixMillis = UnixMillis(1_767_323_045_678);

fn connection() -> ConnectionId {
    ConnectionId::new(UnixMillis(1), 2)
}

fn envelope() -> Arc<Envelope> {
    let candidate =
        Candidate { connection: connection(), name: "main".into(), provider: "twilio".into(), price: None };
    let step = Step {
        channel: Channel::Sms,
        candidates: vec![candidate],
        success_on: Level::Delivered,
        timeout_s: 90,
        parts: 1,
        considered: Vec::new(),
    };
    Arc::new(Envelope {
        v: Envelope::VERSION,
        id: MessageId::mint(NOW, 1, 2, 3),
        tenant: TenantId::new(UnixMillis(1), 1),
        mode: Mode::Test,
        to: Recipient { phone: Phone::parse("+4520123456").ok(), ..Recipient::default() },
        content: Content { text: Some("the content".into()), ..Content::default() },
        template: None,
        cascade: None,
        plan: Plan {
            steps: vec![step],
            on_late_receipt: OnLateReceipt::default(),
            on_unknown_outcome: OnUnknownOutcome::default(),
            on_server_error: OnServerError::default(),
            attempts_per_step: 5,
        },
        sender: BTreeMap::new(),
        lane: Lane::Transactional,
        send_at: None,
        held_for: None,
        max_cost: None,
        country: None,
        expires_at: NOW.plus_s(3_600),
        created_at: NOW,
        tags: vec!["order".into()],
        metadata: BTreeMap::from([("order_id".to_owned(), "1042".to_owned())]),
        warnings: Vec::new(),
        traceparent: None,
        redrive_of: None,
        erased_at: None,
    })
}

fn endpoint(number: u128, event_types: &[&str]) -> Arc<Endpoint> {
    Arc::new(Endpoint {
        id: EndpointId::new(UnixMillis(1), number),
        tenant: TenantId::new(UnixMillis(1), 1),
        mode: Mode::Test,
        url: "https://example.com/hook".into(),
        event_types: event_types.iter().map(ToString::to_string).collect(),
        description: None,
        disabled: false,
        disabled_reason: None,
        created_at: UnixMillis(1),
    })
}

fn delivered() -> (Arc<Envelope>, usize, State) {
    let envelope = envelope();
    let mut cascade = Cascade { envelope: Arc::clone(&envelope), state: begin(&envelope, NOW).next };
    let receipt = Receipt {
        cost: Money::parse("0.05", "EUR").ok(),
        ..Receipt::of(ReceiptStatus::Reached(Level::Delivered))
    };
    let accepted = Outcome::Accepted(Acceptance::default());
    let before = [
        Event::Permit { candidate: 0, adapter_version: AdapterVersion(7) },
        Event::Outcome { attempt: 1, outcome: accepted },
    ];
    for event in before {
        cascade.state = step(&cascade, event, NOW.plus_ms(10)).unwrap().next;
    }
    let old_len = cascade.state.timeline.len();
    let event = Event::Receipt { attempt: 1, connection: connection(), receipt };
    (envelope, old_len, step(&cascade, event, NOW.plus_ms(52)).unwrap().next)
}

#[test]
fn without_types_an_endpoint_hears_of_the_end_only() {
    let (envelope, old_len, state) = delivered();
    let owed = notifications(&[endpoint(1, &[])], &envelope, old_len, &state);
    assert_eq!(owed.iter().map(|entry| entry.event_type).collect::<Vec<_>>(), ["message.delivered"]);
    assert_eq!(notifications(&[], &envelope, old_len, &state), []);
    assert_eq!(notifications(&[endpoint(1, &[])], &envelope, state.timeline.len(), &state), []);
}

#[test]
fn each_endpoint_gets_what_it_asked_for_under_the_same_event_id() {
    let (envelope, old_len, state) = delivered();
    let endpoints = [endpoint(1, &["attempt.status"]), endpoint(2, &["attempt.status", "message.delivered"])];
    let owed = notifications(&endpoints, &envelope, old_len, &state);
    let told: Vec<_> = owed.iter().map(|entry| (entry.endpoint, entry.event_type)).collect();
    let expected = [
        (endpoints[0].id, "attempt.status"),
        (endpoints[1].id, "attempt.status"),
        (endpoints[1].id, "message.delivered"),
    ];
    assert_eq!(told, expected);
    assert_eq!(owed[0].event, owed[1].event);
    assert_ne!(owed[1].event, owed[2].event);
}

#[test]
fn the_body_is_the_contract_s_and_holds_neither_content_nor_address() {
    let (envelope, old_len, state) = delivered();
    let owed = notifications(&[endpoint(1, &[])], &envelope, old_len, &state);
    assert!(!owed[0].body.contains("1042"), "metadata is told, not stored");
    let body: Value = serde_json::from_str(&owed[0].told(&envelope.metadata).body).unwrap();
    let index = state.timeline.len() - 1;
    assert_eq!(webhook_body(&envelope, &state, index), owed[0].body);
    let expected = json!({
        "type": "message.delivered",
        "timestamp": "2026-01-02T03:04:05.730Z",
        "data": {
            "message_id": envelope.id.to_string(), "sequence": index, "mode": "test",
            "status": "delivered", "status_reason": "step_succeeded",
            "step": 0, "channel": "sms", "provider": "main",
            "attempt": {"id": envelope.id.attempt_id(1).to_string(), "number": 1, "status": "delivered"},
            "error": null, "cost": {"amount": "0.05", "currency": "EUR", "estimated": false},
            "tags": ["order"], "metadata": {"order_id": "1042"},
        },
    });
    assert_eq!(body, expected);
    assert!(!owed[0].body.contains("2012") && !owed[0].body.contains("the content"));
}

/// More happens than the timeline can hold, then the message ends.
#[test]
fn an_end_that_no_longer_fits_into_the_timeline_is_reported_once() {
    let envelope = envelope();
    let mut cascade = Cascade { envelope: Arc::clone(&envelope), state: begin(&envelope, NOW).next };
    let noise = [Event::Recovered, Event::Permit { candidate: 0, adapter_version: AdapterVersion(7) }];
    for event in noise {
        cascade.state = step(&cascade, event, NOW.plus_ms(10)).unwrap().next;
    }
    let mut full = serde_json::to_value(&cascade.state.timeline).unwrap();
    let entries = full.as_array_mut().unwrap();
    let filler = entries[entries.len() - 1].clone();
    while entries.len() < 64 {
        let mut another = filler.clone();
        another["kind"] = json!(entries.len() % 2 + 4);
        entries.push(another);
    }
    entries[63]["kind"] = json!(u8::from(EventKind::TimelineTruncated));
    cascade.state.timeline = serde_json::from_value(full).unwrap();
    let old_len = cascade.state.timeline.len();

    let rejected = Outcome::Rejected(Failure::new(hermes_domain::outcome::ErrorClass::OptedOut, "stop"));
    let event = Event::Outcome { attempt: 1, outcome: rejected };
    let ended = step(&cascade, event, NOW.plus_ms(20)).unwrap().next;
    let owed = notifications(&[endpoint(1, &[])], &envelope, old_len, &ended);
    let told: Vec<_> = owed.iter().map(|entry| (entry.event_type, entry.event)).collect();
    assert_eq!(told, [("message.failed", envelope.id.event_id(64))]);

    let later = State { updated_at: NOW.plus_ms(30), ..ended };
    assert_eq!(notifications(&[endpoint(1, &[])], &envelope, 64, &later), []);
}
