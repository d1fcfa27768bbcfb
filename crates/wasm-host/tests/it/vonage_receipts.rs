//! Vonage's callbacks: tokens of the Messages API, signatures of the SMS API.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hermes_domain::{
    address::Channel,
    outcome::{ErrorClass, Level, Receipt, ReceiptStatus},
};
use hermes_ports::{
    adapter::{
        AdapterHost, ConnectionAccess, Inbound, InboundKind, ReceiveResult, ReceivedEntry, WebhookRefusal,
    },
    http::{Method, Webhook},
};
use serde_json::{Value, json};

use crate::support::{RECEIVED_AT, access, done, hex, hmac_sha256, host, only_entry, post, short_status};

const SECRET: &str = "SIGNATURE_SECRET_0123456789abcdef";
const URL: &str = "https://hermes.example.com/receipts/vonage/prv_1";
/// The published vector; its token is of 2023.
const VECTOR_BODY: &str = r#"{"message_uuid":"aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab","to":"447700900000","from":"447700900001","timestamp":"2026-11-24T02:00:00.000Z","status":"delivered","client_ref":"hermes-42","usage":{"currency":"EUR","price":"0.0333"},"channel":"sms","destination":{"network_code":"23410"},"sms":{"count_total":"1"}}"#;
const VECTOR_TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE3MDAwMDAwMDAsImp0aSI6ImM1YmE4ZjI0LTFhMTQtNGMxMC1iZmRmLTNmYmU4Y2U1MTFiNSIsImlzcyI6IlZvbmFnZSIsInBheWxvYWRfaGFzaCI6IjZlYjhiNGJkZWM1NmVhOWU1YjFjMDA4ZTk5ODZlYmNlNjJkNWYyOWIwNjRlZjAxMmU5MTg5ODFjYWZmY2JjZGMiLCJhcGlfa2V5IjoiYWJjZDEyMzQiLCJhcHBsaWNhdGlvbl9pZCI6ImFhYWFhYWFhLWJiYmItY2NjYy1kZGRkLTAxMjM0NTY3ODlhYiJ9.pbhkA565Iq784M6xCPL2JODfFAeVhsmsu40SYGQ5Bpg";

fn connection(config: Value) -> ConnectionAccess {
    access("vonage", config, &[("signature_secret", SECRET)])
}

fn receive(access: &ConnectionAccess, webhook: &Webhook) -> ReceiveResult {
    done(host().receive(access, webhook).unwrap())
}

fn now_s() -> u64 {
    RECEIVED_AT.0 / 1_000
}

fn token(head: &Value, claims: &Value, secret: &str) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(head), part(claims));
    let signature = hmac_sha256(secret, signed.as_bytes());
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

fn claims(body: &str) -> Value {
    let hash = hex(ring::digest::digest(&ring::digest::SHA256, body.as_bytes()).as_ref());
    json!({ "iat": now_s(), "jti": "1", "iss": "Vonage", "payload_hash": hash, "api_key": "abcd1234" })
}

fn head() -> Value {
    json!({ "alg": "HS256", "typ": "JWT" })
}

fn signed(body: &str) -> Webhook {
    let bearer = format!("Bearer {}", token(&head(), &claims(body), SECRET));
    post(URL, &[("authorization", &bearer)], body)
}

fn receipt_of(entry: ReceivedEntry) -> (Option<String>, Receipt) {
    match entry {
        ReceivedEntry::Receipt { reference, receipt, account: None } => (reference, receipt),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_published_token_is_right_but_old() {
    // Its own signature is reproduced, so what refuses it is its age alone.
    let (signed_part, signature) = VECTOR_TOKEN.rsplit_once('.').unwrap();
    let expected = hmac_sha256(SECRET, signed_part.as_bytes());
    assert_eq!(BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap(), expected);
    let bearer = format!("Bearer {VECTOR_TOKEN}");
    let old = post(URL, &[("authorization", &bearer)], VECTOR_BODY);
    assert_eq!(receive(&connection(json!({})), &old), Err(WebhookRefusal::BadSignature));
    let mut claims: Value = {
        let claims = signed_part.split_once('.').unwrap().1;
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
    };
    claims["iat"] = now_s().into();
    let bearer = format!("Bearer {}", token(&head(), &claims, SECRET));
    let fresh = post(URL, &[("authorization", &bearer)], VECTOR_BODY);
    let (reference, receipt) = receipt_of(only_entry(receive(&connection(json!({})), &fresh)));
    assert_eq!(reference.as_deref(), Some("hermes-42"));
    assert_eq!(receipt.status, ReceiptStatus::Reached(Level::Delivered));
    assert_eq!(receipt.provider_message_id.as_deref(), Some("aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"));
    assert_eq!(receipt.segments, Some(1));
    assert_eq!(receipt.cost.map(|cost| cost.to_string()).as_deref(), Some("0.0333 EUR"));
    assert_eq!(receipt.provider_time.map(|at| at.0), Some(1_795_485_600_000));
}

#[test]
fn a_token_of_another_key_kind_issuer_body_or_time_is_refused() {
    let body = VECTOR_BODY;
    let changed = |name: &str, value: Value| {
        let mut claims = claims(body);
        claims[name] = value;
        token(&head(), &claims, SECRET)
    };
    let none =
        format!("{}.", token(&json!({ "alg": "none" }), &claims(body), SECRET).rsplit_once('.').unwrap().0);
    let tokens = [
        token(&head(), &claims(body), "another secret"),
        token(&json!({ "alg": "HS512", "typ": "JWT" }), &claims(body), SECRET),
        token(&json!({ "alg": "none", "typ": "JWT" }), &claims(body), SECRET),
        none,
        changed("iss", json!("Nexmo")),
        changed("payload_hash", json!("00")),
        changed("payload_hash", Value::Null),
        changed("iat", json!(now_s() - 400)),
        changed("iat", json!(now_s() + 200)),
        "not.a.token".to_owned(),
        String::new(),
    ];
    for token in tokens {
        let webhook = post(URL, &[("authorization", &format!("Bearer {token}"))], body);
        assert_eq!(receive(&connection(json!({})), &webhook), Err(WebhookRefusal::BadSignature), "{token}");
    }
    let mut other_body = signed(body);
    other_body.body = body.replace("delivered", "rejected").into();
    assert_eq!(receive(&connection(json!({})), &other_body), Err(WebhookRefusal::BadSignature));
    // After an internal fault Vonage sends without a token, then again with one.
    assert_eq!(receive(&connection(json!({})), &post(URL, &[], body)), Err(WebhookRefusal::SendAgain));
    let no_secret = access("vonage", json!({}), &[]);
    assert_eq!(receive(&no_secret, &signed(body)), Err(WebhookRefusal::BadSignature));
}

#[test]
fn every_status_of_the_messages_api_is_read() {
    use ErrorClass::{OptedOut, ProviderFault, RecipientPermanent, RecipientTemporary, Unknown};
    let read = |status: &str, error: Value| {
        let body =
            json!({ "message_uuid": "a", "status": status, "error": error, "channel": "sms" }).to_string();
        receive(&connection(json!({})), &signed(&body))
            .unwrap()
            .entries
            .pop()
            .map(|entry| receipt_of(entry).1.status)
    };
    let titled = |code: u64| json!({ "type": "x", "title": code, "detail": "d" });
    for (status, error, expected) in [
        ("submitted", Value::Null, ("sent", None)),
        ("delivered", Value::Null, ("delivered", None)),
        ("read", Value::Null, ("read", None)),
        ("undeliverable", titled(1100), ("failed", Some(ProviderFault))),
        ("rejected", titled(1360), ("expired", Some(RecipientTemporary))),
        ("rejected", titled(1180), ("failed", Some(RecipientTemporary))),
        ("rejected", titled(1220), ("failed", Some(RecipientTemporary))),
        ("rejected", titled(1190), ("undelivered", Some(RecipientPermanent))),
        ("rejected", titled(1240), ("undelivered", Some(OptedOut))),
        ("rejected", titled(1300), ("undelivered", Some(RecipientPermanent))),
        ("rejected", json!({ "title": "1190" }), ("undelivered", Some(RecipientPermanent))),
        ("rejected", json!({ "error": { "title": 1190 } }), ("undelivered", Some(RecipientPermanent))),
        ("rejected", titled(9999), ("rejected", Some(Unknown))),
        ("rejected", Value::Null, ("rejected", Some(Unknown))),
        ("teleported", Value::Null, ("nothing", None)),
    ] {
        assert_eq!(short_status(read(status, error.clone())), expected, "{status} {error}");
    }
    assert_eq!(receive(&connection(json!({})), &signed("[]")), Err(WebhookRefusal::Malformed));
}

const VECTOR: [(&str, &str); 13] = [
    ("msisdn", "447700900000"),
    ("to", "AcmeInc"),
    ("network-code", "23410"),
    ("messageId", "0A0000001234567B"),
    ("price", "0.03330000"),
    ("status", "delivered"),
    ("scts", "2611240200"),
    ("err-code", "0"),
    ("api-key", "abcd1234"),
    ("client-ref", "hermes&a=42"),
    ("message-timestamp", "2026-11-24 02:00:00"),
    ("timestamp", "1795485600"),
    ("nonce", "ec11dd3e-1e7f-4db5-9467-82b02cd223b9"),
];

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The signature that SHA-256 gives to fields whose values need no replacement.
fn sign(fields: &mut Vec<(&str, String)>) {
    fields.push(("timestamp", now_s().to_string()));
    fields.sort();
    let text: String =
        fields.iter().map(|(name, value)| format!("&{name}={}", value.replace(['&', '='], "_"))).collect();
    fields.push(("sig", hex(&hmac_sha256(SECRET, text.as_bytes())).to_uppercase()));
}

#[test]
fn every_published_signature_is_taken_at_its_time() {
    let vectors = [
        ("md5hash", "e2f2ac72f2681ae9408bae09c26fcb21"),
        ("md5", "e2a19c4034a0bea772c17b0406a6934e"),
        ("sha1", "7896ed7b26acd75b1b99dc78cf5812d448db05aa"),
        ("sha256", "4941e2c28b0848be83c39495bdd0acb2ae3cbae76d2d33113e90c69436ea108d"),
        (
            "sha512",
            "9a65287abeb5b9b058221ca985a592573f4b1fed65bd32f18065e230a9870bc415d1670c6294ca1030733c2f021062a9992a926709ad5712209ef9447ce61c12",
        ),
    ];
    for (method, sig) in vectors {
        let fields = [VECTOR.as_slice(), &[("sig", sig)]].concat();
        let webhook = post(URL, &[("content-type", "application/x-www-form-urlencoded")], form(&fields));
        let access = connection(json!({ "api": "sms", "signature_method": method }));
        let (reference, receipt) = receipt_of(only_entry(receive(&access, &webhook)));
        // One report per part: the part's id is not the message's.
        assert_eq!(reference.as_deref(), Some("hermes&a=42"));
        assert_eq!(receipt.part.as_deref(), Some("0A0000001234567B"));
        assert_eq!(
            (receipt.provider_message_id, receipt.status),
            (None, ReceiptStatus::Reached(Level::Delivered))
        );
        assert_eq!(receipt.provider_time, Some(RECEIVED_AT));
        let late = Webhook { received_at: RECEIVED_AT.plus_s(700), ..webhook.clone() };
        assert_eq!(receive(&access, &late), Err(WebhookRefusal::BadSignature), "{method}");
        let other = Webhook { body: form(&fields).replace("delivered", "accepted").into(), ..webhook };
        assert_eq!(receive(&access, &other), Err(WebhookRefusal::BadSignature), "{method}");
    }
}

fn report(fields: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let mut fields: Vec<_> = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    sign(&mut fields);
    fields
}

fn sms_api() -> ConnectionAccess {
    connection(json!({ "api": "sms", "signature_method": "sha256" }))
}

#[test]
fn reports_come_by_get_form_and_json() {
    let fields = report(&[
        ("messageId", "A1"),
        ("status", "delivered"),
        ("err-code", "0"),
        ("msisdn", "447700900000"),
    ]);
    let text: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let map: serde_json::Map<String, Value> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect();
    let json = Value::Object(map).to_string();
    let by_get =
        Webhook { method: Method::Get, ..post(&format!("{URL}?ref=msg_1.1&{}", form(&text)), &[], "") };
    let by_form = post(
        &format!("{URL}?ref=msg_1.1"),
        &[("content-type", "application/x-www-form-urlencoded")],
        form(&text),
    );
    let by_json = post(&format!("{URL}?ref=msg_1.1"), &[("content-type", "application/json")], json);
    for webhook in [by_get, by_form, by_json] {
        let (reference, receipt) = receipt_of(only_entry(receive(&sms_api(), &webhook)));
        assert_eq!(reference.as_deref(), Some("msg_1.1"));
        assert_eq!(
            (receipt.part.as_deref(), receipt.status),
            (Some("A1"), ReceiptStatus::Reached(Level::Delivered))
        );
    }
}

#[test]
fn every_status_and_code_of_a_report_is_read() {
    use ErrorClass::{
        ContentRejected, OptedOut, ProviderFault, RecipientPermanent, RecipientTemporary, SenderRejected,
        Unknown,
    };
    let read = |status: &str, code: &str| {
        let fields =
            report(&[("messageId", "A1"), ("client-ref", "msg_1.1"), ("status", status), ("err-code", code)]);
        let text: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        receive(&sms_api(), &post(URL, &[], form(&text)))
            .unwrap()
            .entries
            .pop()
            .map(|entry| receipt_of(entry).1.status)
    };
    for (status, code, expected) in [
        ("accepted", "0", ("sent", None)),
        ("buffered", "0", ("sent", None)),
        ("delivered", "0", ("delivered", None)),
        ("expired", "1", ("expired", Some(RecipientTemporary))),
        ("failed", "1", ("failed", Some(Unknown))),
        ("failed", "2", ("failed", Some(RecipientTemporary))),
        ("failed", "3", ("undelivered", Some(RecipientPermanent))),
        ("failed", "4", ("undelivered", Some(OptedOut))),
        ("failed", "5", ("failed", Some(ProviderFault))),
        ("failed", "6", ("rejected", Some(ContentRejected))),
        ("rejected", "6", ("rejected", Some(ContentRejected))),
        ("failed", "7", ("failed", Some(RecipientTemporary))),
        ("failed", "8", ("failed", Some(RecipientTemporary))),
        ("failed", "9", ("undelivered", Some(OptedOut))),
        ("failed", "10", ("failed", Some(ContentRejected))),
        ("failed", "11", ("failed", Some(ProviderFault))),
        ("failed", "12", ("undelivered", Some(RecipientPermanent))),
        ("failed", "13", ("undelivered", Some(RecipientPermanent))),
        ("failed", "14", ("undelivered", Some(RecipientPermanent))),
        ("failed", "15", ("failed", Some(RecipientTemporary))),
        ("rejected", "50", ("rejected", Some(ProviderFault))),
        ("rejected", "51", ("rejected", Some(SenderRejected))),
        ("rejected", "52", ("rejected", Some(ContentRejected))),
        ("rejected", "53", ("rejected", Some(OptedOut))),
        ("rejected", "54", ("rejected", Some(ProviderFault))),
        ("failed", "99", ("failed", Some(ProviderFault))),
        ("deleted", "0", ("rejected", Some(Unknown))),
        ("unknown", "0", ("nothing", None)),
    ] {
        assert_eq!(short_status(read(status, code)), expected, "{status} {code}");
    }
}

#[test]
fn what_people_write_is_told_apart_from_reports() {
    let inbound = |webhook: &Webhook, access: &ConnectionAccess| match only_entry(receive(access, webhook)) {
        ReceivedEntry::Inbound(inbound) => inbound,
        other @ ReceivedEntry::Receipt { .. } => panic!("{other:?}"),
    };
    let expected = |kind| Inbound {
        channel: Channel::Sms,
        from: "+447700900001".to_owned(),
        to: Some("+447700900000".to_owned()),
        account: None,
        kind,
    };
    for (text, kind) in
        [(" stop ", InboundKind::OptOut), ("START", InboundKind::OptIn), ("afmeld", InboundKind::Message)]
    {
        let body = json!({ "channel": "sms", "message_uuid": "u", "to": "447700900000", "from": "447700900001",
            "timestamp": "2026-11-24T02:00:00Z", "text": text, "sms": { "num_messages": "1" } });
        assert_eq!(inbound(&signed(&body.to_string()), &connection(json!({}))), expected(kind), "{text}");
        let fields = report(&[
            ("msisdn", "447700900001"),
            ("to", "447700900000"),
            ("messageId", "I1"),
            ("text", text),
            ("type", "text"),
        ]);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(inbound(&post(URL, &[], form(&fields)), &sms_api()), expected(kind), "{text}");
    }
    let part =
        report(&[("msisdn", "447700900001"), ("to", "447700900000"), ("text", "STOP"), ("concat", "true")]);
    let part: Vec<(&str, &str)> = part.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(inbound(&post(URL, &[], form(&part)), &sms_api()), expected(InboundKind::Message));
}
