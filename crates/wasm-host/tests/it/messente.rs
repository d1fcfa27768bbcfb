//! Messente: submissions, reports, inbound texts, status.

use hermes_domain::{
    UnixMillis,
    address::Channel,
    outcome::{ErrorClass, Level, Outcome, Receipt, ReceiptStatus},
};
use hermes_ports::{
    adapter::{
        AdapterHost, ConnectionAccess, Inbound, InboundKind, LookupQuery, ReceiveResult, ReceivedEntry,
        SendCall, WebhookRefusal,
    },
    http::{AuthScheme, Method, RequestEffect},
};
use serde_json::{Value, json};

use crate::{
    specs,
    support::{
        REFERENCE, Short, access, asked, begin, done, hex, hmac_sha256, host, only_entry, outcome, post,
        response, short_status, sms,
    },
};

const PASSWORD: &str = "messente-api-password";
const INBOUND_SECRET: &str = "inbound-shared-secret";
const URL: &str = "https://hermes.example.com/receipts/messente/prv_1?ref=msg_1.1";
const OMNI: &str = "d7248cda-6c1a-4436-acf5-aaf249bb67d3";

fn connection(config: Value) -> ConnectionAccess {
    let secrets = [("username", "api-user"), ("password", PASSWORD), ("inbound_secret", INBOUND_SECRET)];
    access("messente", config, &secrets)
}

fn plain() -> ConnectionAccess {
    connection(json!({ "sender": "ACME" }))
}

fn body(access: &ConnectionAccess, call: &SendCall) -> Value {
    let body = serde_json::from_slice(&begin(access, call).0.body).unwrap();
    specs::messente_omnimessage(&body);
    body
}

#[test]
fn a_submission_is_the_documented_body() {
    let (request, pending) = begin(&plain(), &sms("Your code is 123456 & õ"));
    assert_eq!((request.method, request.effect), (Method::Post, RequestEffect::Submits));
    assert_eq!(request.url, "https://api.messente.com/v1/omnimessage");
    let login = AuthScheme::Basic { user: "username".to_owned(), password: "password".to_owned() };
    assert_eq!(request.auth, login);
    let expected = json!({
        "to": "+447400123456",
        "dlr_url": format!("https://hermes.example.com/receipts/x/prv_1?ref={REFERENCE}"),
        "text_store": "nostore",
        "messages": [{ "channel": "sms", "sender": "ACME", "text": "Your code is 123456 & õ", "ttl": 3_600 }],
    });
    assert_eq!(body(&plain(), &sms("Your code is 123456 & õ")), expected);
    assert!(pending.submitted);
}

#[test]
fn sender_store_and_priority_follow_call_and_connection() {
    let mut call = sms("hi");
    call.sender = Some("+37251000000".to_owned());
    let set = connection(json!({ "sender": "ACME", "text_store": "sha256", "priority": "high" }));
    let sent = body(&set, &call);
    assert_eq!(sent["messages"][0]["sender"], "+37251000000");
    assert_eq!((&sent["text_store"], &sent["priority"]), (&json!("sha256"), &json!("high")));
    assert_eq!(body(&connection(json!({})), &sms("hi"))["messages"][0].get("sender"), None);
}

#[test]
fn every_answer_has_its_outcome() {
    use ErrorClass::{Auth, ContentRejected, RecipientPermanent, SenderRejected, Unknown};
    let rejected = Short::Rejected;
    let error = |code: &str, source: Value| json!({ "errors": [{ "code": code, "title": "t", "detail": "Invalid phone number +1234", "source": source }] });
    let created = json!({ "messages": [{ "channel": "sms", "message_id": "m", "sender": "ACME" }],
        "omnimessage_id": OMNI, "to": "+447400123456" });
    for (status, body, expected) in [
        (201, created, Short::Accepted),
        (201, json!({}), Short::Unknown),
        (400, error("105", json!("to")), rejected(RecipientPermanent)),
        (400, error("105", json!("messages.0.sender")), rejected(SenderRejected)),
        (400, error("106", json!("messages.0.text")), rejected(ContentRejected)),
        (400, error("106", Value::Null), rejected(Unknown)),
        (401, error("103", Value::Null), rejected(Auth)),
        (403, error("102", Value::Null), rejected(Auth)),
        (404, error("101", Value::Null), rejected(Unknown)),
        (405, error("107", Value::Null), rejected(Unknown)),
        (429, Value::Null, Short::Throttled(None)),
        (500, error("104", Value::Null), Short::ServerError),
        (502, Value::Null, Short::ServerError),
    ] {
        let outcome = outcome(&plain(), &sms("hi"), &response(status, &[], body.to_string()));
        assert_eq!(Short::from(&outcome), expected, "{status} {body}");
        assert!(!format!("{outcome:?}").contains("1234"), "{body} shows an address");
    }
    let accepted =
        outcome(&plain(), &sms("hi"), &response(201, &[], json!({ "omnimessage_id": OMNI }).to_string()));
    let Outcome::Accepted(told) = accepted else { panic!() };
    assert_eq!(told.provider_message_id.as_deref(), Some(OMNI));
}

fn receive(signature: &str, body: &str) -> ReceiveResult {
    done(host().receive(&plain(), &post(URL, &[("x-messente-signature", signature)], body)).unwrap())
}

fn signed(key: &str, body: &Value) -> ReceiveResult {
    let body = body.to_string();
    receive(&hex(&hmac_sha256(key, body.as_bytes())), &body)
}

fn receipt_of(entry: ReceivedEntry) -> (Option<String>, Receipt) {
    match entry {
        ReceivedEntry::Receipt { reference, receipt, account: None } => (reference, receipt),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_published_signatures_are_taken() {
    let report = r#"{"status":"DELIVRD","sender":"MySender","err":0,"message_id":"3e28ec48-d620-4191-a96e-d91ba8ecc949","to":"+3725555555","channel":"sms","error":null,"omnimessage_id":"d7248cda-6c1a-4436-acf5-aaf249bb67d3","timestamp":"2026-11-24T02:00:00.389630","price_info":{"part_price":"0.1","parts_count":2,"total_price":"0.2"}}"#;
    let signature = "bc220cea6e7747e72eb6609827a0f35c384a1712580e5fdc5828975931643308";
    for signature in [signature.to_owned(), signature.to_uppercase()] {
        let (reference, receipt) = receipt_of(only_entry(receive(&signature, report)));
        assert_eq!(reference.as_deref(), Some("msg_1.1"));
        assert_eq!(receipt.provider_message_id.as_deref(), Some(OMNI));
        assert_eq!(receipt.status, ReceiptStatus::Reached(Level::Delivered));
        assert_eq!(receipt.provider_time, Some(UnixMillis(1_795_485_600_389)));
        assert_eq!(
            (receipt.segments, receipt.cost.map(|cost| cost.to_string())),
            (Some(2), Some("0.20 EUR".to_owned()))
        );
    }
    let inbound = r#"{"msg_id":"1f5197ec-b4d7-4d5f-8bba-e005d1cadba1","sub_msg_id":"d276e75e-e9f5-4b44-88aa-d5c7b38a1e4a","channel":"sms","recipient":"1234","time":"2026-11-24T02:00:00.000000Z","text":"STOP päring","sender":"+37251000000"}"#;
    let signature = "dbb21697edb5e2111489a73dfc78a3da02cb9907d6fa0c3bc6ce0d5e5d1651a1";
    let expected = Inbound {
        channel: Channel::Sms,
        from: "+37251000000".to_owned(),
        to: Some("1234".to_owned()),
        account: None,
        kind: InboundKind::Message,
    };
    assert_eq!(only_entry(receive(signature, inbound)), ReceivedEntry::Inbound(expected));
    for (signature, body) in [
        ("", report),
        ("00", report),
        (signature, report),
        (&signature.replace('d', "e"), inbound),
        (signature, "{}"),
    ] {
        assert_eq!(receive(signature, body), Err(WebhookRefusal::BadSignature), "{signature}");
    }
}

#[test]
fn each_key_signs_its_own_kind_of_callback() {
    let stop = json!({ "msg_id": "1", "recipient": "1234", "text": " stop", "sender": "+37251000000" });
    let ReceivedEntry::Inbound(inbound) = only_entry(signed(INBOUND_SECRET, &stop)) else { panic!() };
    assert_eq!(inbound.kind, InboundKind::OptOut);
    for (sender, kind) in [("+4520123456", InboundKind::OptOut), ("+37251000000", InboundKind::Message)] {
        let danish = json!({ "msg_id": "1", "recipient": "1234", "text": "Afmeld", "sender": sender });
        let ReceivedEntry::Inbound(inbound) = only_entry(signed(INBOUND_SECRET, &danish)) else { panic!() };
        assert_eq!(inbound.kind, kind, "{sender}");
    }
    assert_eq!(signed(PASSWORD, &stop), Err(WebhookRefusal::BadSignature));
    assert_eq!(signed(INBOUND_SECRET, &json!({ "status": "DELIVRD" })), Err(WebhookRefusal::BadSignature));
    assert_eq!(signed(PASSWORD, &json!([1])), Err(WebhookRefusal::Malformed));
}

#[test]
fn every_status_and_code_is_read() {
    use ErrorClass::{
        ContentRejected, Funds, ProviderFault, RecipientPermanent, RecipientTemporary, SenderRejected,
        Unknown,
    };
    let read = |status: Value, err: Value| {
        let report = json!({ "status": status, "err": err, "omnimessage_id": OMNI, "message_id": "m" });
        signed(PASSWORD, &report).unwrap().entries.pop().map(|entry| receipt_of(entry).1.status)
    };
    for (status, err, expected) in [
        (json!("ACK"), json!(null), ("sent", None)),
        (json!("ACCEPTD"), json!(null), ("sent", None)),
        (json!("DELIVRD"), json!(0), ("delivered", None)),
        (json!("SEEN"), json!(10), ("read", None)),
        (json!("UNDELIV"), json!(3), ("undelivered", Some(RecipientPermanent))),
        (json!("UNDELIV"), json!(0), ("undelivered", Some(RecipientPermanent))),
        (json!("UNDELIV"), json!(999), ("failed", Some(RecipientTemporary))),
        (json!("FAILED"), json!(999), ("failed", Some(RecipientTemporary))),
        (json!("FAILED"), json!(1), ("failed", Some(ProviderFault))),
        (json!("FAILED"), json!(5), ("failed", Some(RecipientPermanent))),
        (json!("FAILED"), json!(77), ("failed", Some(RecipientTemporary))),
        (json!("FAILED"), json!(2), ("expired", Some(RecipientTemporary))),
        (json!("UNDELIV"), json!(2), ("expired", Some(RecipientTemporary))),
        (json!("EXPIRED"), json!(2), ("expired", Some(RecipientTemporary))),
        (json!("REJECTD"), json!(4), ("rejected", Some(Funds))),
        (json!("REJECTD"), json!(6), ("rejected", Some(ContentRejected))),
        (json!("REJECTD"), json!(7), ("rejected", Some(SenderRejected))),
        (json!("NACK"), json!(8), ("rejected", Some(ProviderFault))),
        (json!("NACK"), json!(9), ("rejected", Some(ProviderFault))),
        (json!("DELETED"), json!(0), ("rejected", Some(Unknown))),
        (json!("UNKNOWN"), json!(1), ("nothing", None)),
        (json!(null), json!(null), ("nothing", None)),
    ] {
        assert_eq!(short_status(read(status.clone(), err.clone())), expected, "{status} {err}");
    }
}

#[test]
fn a_check_asks_for_a_message_that_cannot_exist() {
    let (request, pending) = asked(host().check(&plain()).unwrap());
    assert_eq!((request.method, request.effect), (Method::Get, RequestEffect::Safe));
    for (status, code, expected) in [
        (404, "101", Short::Accepted),
        (401, "103", Short::Rejected(ErrorClass::Auth)),
        (403, "102", Short::Rejected(ErrorClass::Auth)),
    ] {
        let body =
            json!({ "errors": [{ "code": code, "title": "t", "detail": "d", "source": null }] }).to_string();
        let answer =
            done(host().resume_send(&plain(), pending.clone(), &response(status, &[], body)).unwrap());
        assert_eq!(Short::from(&answer), expected, "{status}");
    }
}

#[test]
fn a_lookup_asks_for_the_omnimessage() {
    let query = |id: Option<&str>| LookupQuery {
        call: sms("hi"),
        provider_message_id: id.map(str::to_owned),
        submitted_at: UnixMillis(1_767_323_045_678),
    };
    assert!(host().lookup(&plain(), &query(None)).unwrap().is_none());
    let (request, pending) = asked(host().lookup(&plain(), &query(Some(OMNI))).unwrap().unwrap());
    assert_eq!(request.url, format!("https://api.messente.com/v1/omnimessage/{OMNI}/status"));
    let found = |status: u16, body: Value| {
        done(host().resume_send(&plain(), pending.clone(), &response(status, &[], body.to_string())).unwrap())
    };
    let with = |status: &str, err: u32| {
        json!({ "omnimessage_id": OMNI, "to": "+1", "statuses": [{ "status": status, "err": err, "message_id": "m",
            "price_info": { "part_price": "0.1", "parts_count": 2, "total_price": "0.2" } }] })
    };
    let Outcome::Accepted(told) = found(200, with("DELIVRD", 0)) else { panic!() };
    assert_eq!((told.level, told.segments), (Some(Level::Delivered), Some(2)));
    assert_eq!(Short::from(&found(200, with("UNDELIV", 3))), Short::Rejected(ErrorClass::RecipientPermanent));
    assert_eq!(Short::from(&found(200, with("UNKNOWN", 0))), Short::Unknown);
    assert_eq!(Short::from(&found(404, json!({}))), Short::Unknown);
}
