//! Submissions to FCM: request bytes and the outcome table.

use std::collections::BTreeMap;

use hermes_domain::{
    address::{Destination, PushToken},
    content::{ChannelContent, Push},
    outcome::{Acceptance, ErrorClass, Level, Outcome},
};
use hermes_ports::{
    adapter::{AdapterHost, ConnectionAccess, SendCall, WebhookRefusal},
    http::{AuthScheme, HttpResponse, Method, RequestEffect},
};
use serde_json::{Value, json};

use crate::{
    specs,
    support::{REFERENCE, Short, access, asked, begin, call, done, host, outcome, post, response},
};

fn connection(config: Value) -> ConnectionAccess {
    access("fcm", config, &[("service_account", "{\"private_key\":\"never shown\"}")])
}

fn plain() -> ConnectionAccess {
    connection(json!({ "project_id": "hermes-test" }))
}

fn push(content: Push) -> SendCall {
    let token = PushToken { token: "dUmmyT0ken:APA91bExample".to_owned(), platform: None };
    call(Destination::Push(token), ChannelContent::Push(content))
}

fn short() -> SendCall {
    push(Push { title: Some("t".to_owned()), ..Push::default() })
}

fn body(call: &SendCall) -> Value {
    let sent: Value = serde_json::from_slice(&begin(&plain(), call).0.body).unwrap();
    specs::fcm_send(&sent);
    sent
}

fn object(value: Value) -> serde_json::Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn a_submission_is_the_documented_json() {
    let mut call = push(Push {
        title: Some("Order shipped".to_owned()),
        body: Some("Your order 1234 is on its way".to_owned()),
        data: BTreeMap::from([("order".to_owned(), "1234".to_owned())]),
        android: object(json!({ "priority": "HIGH", "notification": { "channel_id": "orders" } })),
        apns: object(json!({ "headers": { "apns-priority": "10" }, "payload": { "aps": { "badge": 1 } } })),
        webpush: object(json!({ "headers": { "TTL": "60" } })),
    });
    call.ack_url = Some("https://hermes.example.com/v1/ack/t".to_owned());
    let (request, pending) = begin(&plain(), &call);
    assert_eq!(request.url, "https://fcm.googleapis.com/v1/projects/hermes-test/messages:send");
    assert_eq!(
        (request.method, request.effect, pending.submitted),
        (Method::Post, RequestEffect::Submits, true)
    );
    let scope = "https://www.googleapis.com/auth/firebase.messaging".to_owned();
    assert_eq!(request.auth, AuthScheme::GoogleServiceAccount { key: "service_account".to_owned(), scope });
    let id = "msg_01KDYYXGFEMXQKR0ZC0000001A";
    let expected = json!({ "message": {
        "token": "dUmmyT0ken:APA91bExample",
        "notification": { "title": "Order shipped", "body": "Your order 1234 is on its way" },
        "fcm_options": { "analytics_label": "order" },
        "data": { "order": "1234", "hermes_ref": REFERENCE, "ack_url": "https://hermes.example.com/v1/ack/t" },
        "android": { "priority": "HIGH", "ttl": "3600s", "notification": { "channel_id": "orders", "tag": id } },
        "apns": {
            "headers": { "apns-priority": "10", "apns-expiration": "1767326645", "apns-collapse-id": id },
            "payload": { "aps": { "badge": 1 } }
        },
        "webpush": { "headers": { "TTL": "60", "Topic": id } }
    } });
    assert_eq!(body(&call), expected);
}

#[test]
fn data_alone_is_silent_and_long_lives_are_cut() {
    let mut silent =
        push(Push { data: BTreeMap::from([("k".to_owned(), "v".to_owned())]), ..Push::default() });
    silent.valid_for_s = 7_776_000;
    let message = body(&silent)["message"].clone();
    assert_eq!(message.get("notification"), None);
    assert_eq!(message["android"], json!({ "ttl": "2419200s" }));
    assert_eq!(message["apns"]["headers"]["apns-priority"], "5");
}

#[test]
fn reserved_data_keys_are_refused_before_anything_is_sent() {
    for key in ["from", "message_type", "google.x", "gcm.notification.x", "hermes_ref", "ack_url"] {
        let call = push(Push { data: BTreeMap::from([(key.to_owned(), "v".to_owned())]), ..Push::default() });
        let refused = done(host().send(&plain(), &call).unwrap());
        assert_eq!(Short::from(&refused), Short::Rejected(ErrorClass::ContentRejected), "{key}");
    }
    let nowhere = done(host().send(&connection(json!({})), &short()).unwrap());
    assert_eq!(Short::from(&nowhere), Short::Rejected(ErrorClass::Auth));
}

#[test]
fn acceptance_is_the_most_it_will_say() {
    let name = "projects/hermes-test/messages/0:1767323045123456%31bd1c9631bd1c96";
    let accepted = outcome(&plain(), &short(), &response(200, &[], json!({ "name": name }).to_string()));
    let expected = Acceptance {
        provider_message_id: Some(name.to_owned()),
        level: Some(Level::Sent),
        ..Acceptance::default()
    };
    assert_eq!(accepted, Outcome::Accepted(expected));
}

fn error(status: u16, word: &str, code: Option<&str>, message: &str) -> HttpResponse {
    let details = code.map(
        |code| json!([{ "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code }]),
    );
    let error = json!({ "code": status, "message": message, "status": word, "details": details });
    response(status, &[], json!({ "error": error }).to_string())
}

#[test]
fn every_error_of_the_table_has_its_outcome() {
    use ErrorClass::{Auth, ContentRejected, RecipientPermanent, Unknown};
    let rejected = Short::Rejected;
    let token = "The registration token is not a valid FCM registration token";
    for (answer, expected) in [
        (error(400, "INVALID_ARGUMENT", Some("INVALID_ARGUMENT"), token), rejected(RecipientPermanent)),
        (
            error(400, "INVALID_ARGUMENT", Some("INVALID_ARGUMENT"), "Android message is too big"),
            rejected(ContentRejected),
        ),
        (error(400, "INVALID_ARGUMENT", None, "Invalid value"), rejected(ContentRejected)),
        (
            error(404, "NOT_FOUND", Some("UNREGISTERED"), "Requested entity was not found."),
            rejected(RecipientPermanent),
        ),
        (error(404, "NOT_FOUND", None, "Requested entity was not found."), rejected(Auth)),
        (error(403, "PERMISSION_DENIED", Some("SENDER_ID_MISMATCH"), ""), rejected(RecipientPermanent)),
        (error(403, "PERMISSION_DENIED", None, ""), rejected(Auth)),
        (error(401, "UNAUTHENTICATED", Some("THIRD_PARTY_AUTH_ERROR"), ""), rejected(Auth)),
        (error(429, "RESOURCE_EXHAUSTED", Some("QUOTA_EXCEEDED"), ""), Short::Throttled(Some(60_000))),
        (error(429, "RESOURCE_EXHAUSTED", None, ""), Short::Throttled(Some(60_000))),
        (error(503, "UNAVAILABLE", Some("UNAVAILABLE"), ""), Short::NotSent),
        (error(500, "INTERNAL", Some("INTERNAL"), ""), Short::ServerError),
        (error(418, "UNKNOWN", Some("UNSPECIFIED_ERROR"), ""), rejected(Unknown)),
        (response(503, &[], "<html>"), Short::ServerError),
        (response(200, &[], "{}"), Short::Unknown),
    ] {
        let outcome = outcome(&plain(), &short(), &answer);
        assert_eq!(Short::from(&outcome), expected, "{:?}", std::str::from_utf8(&answer.body));
    }
    let violation = json!({ "error": { "code": 400, "status": "INVALID_ARGUMENT", "message": "Invalid", "details": [
        { "@type": "type.googleapis.com/google.rpc.BadRequest",
          "fieldViolations": [{ "field": "message.token", "description": "Invalid" }] }] } });
    let outcome_ = outcome(&plain(), &short(), &response(400, &[], violation.to_string()));
    assert_eq!(Short::from(&outcome_), rejected(RecipientPermanent));
    let mut pause = error(503, "UNAVAILABLE", Some("UNAVAILABLE"), "");
    pause.headers.push(("retry-after".to_owned(), "3".to_owned()));
    assert_eq!(Short::from(&outcome(&plain(), &short(), &pause)), Short::Throttled(Some(3_000)));
}

#[test]
fn a_stale_token_is_renewed_once() {
    let (first, pending) = begin(&plain(), &short());
    let stale = error(401, "UNAUTHENTICATED", None, "");
    let (second, again) = asked(host().resume_send(&plain(), pending, &stale).unwrap());
    assert_eq!((&second.body, second.effect, again.round), (&first.body, RequestEffect::Submits, 2));
    assert_eq!((&second.url, &second.auth), (&first.url, &first.auth));
    let twice = done(host().resume_send(&plain(), again, &stale).unwrap());
    assert_eq!(Short::from(&twice), Short::Rejected(ErrorClass::Auth));
}

#[test]
fn a_check_delivers_nothing_and_an_error_about_its_token_proves_the_credentials() {
    let (request, pending) = asked(host().check(&plain()).unwrap());
    let sent: Value = serde_json::from_slice(&request.body).unwrap();
    specs::fcm_send(&sent);
    assert_eq!(
        (request.effect, &sent["validate_only"], pending.submitted),
        (RequestEffect::Safe, &json!(true), false)
    );
    let token = "The registration token is not a valid FCM registration token";
    for (answer, expected) in [
        (error(400, "INVALID_ARGUMENT", Some("INVALID_ARGUMENT"), token), Short::Accepted),
        (error(404, "NOT_FOUND", Some("UNREGISTERED"), ""), Short::Accepted),
        (response(200, &[], r#"{"name":"projects/p/messages/fake_message_id"}"#), Short::Accepted),
        (error(404, "NOT_FOUND", None, ""), Short::Rejected(ErrorClass::Auth)),
        (error(403, "PERMISSION_DENIED", None, ""), Short::Rejected(ErrorClass::Auth)),
        (error(401, "UNAUTHENTICATED", None, ""), Short::Rejected(ErrorClass::Auth)),
    ] {
        let outcome = done(host().resume_send(&plain(), pending.clone(), &answer).unwrap());
        assert_eq!(Short::from(&outcome), expected, "{:?}", std::str::from_utf8(&answer.body));
    }
}

#[test]
fn it_has_no_webhooks() {
    let webhook = post("https://hermes.example.com/receipts/fcm/prv_1", &[], "{}");
    assert_eq!(done(host().receive(&plain(), &webhook).unwrap()), Err(WebhookRefusal::BadSignature));
}
