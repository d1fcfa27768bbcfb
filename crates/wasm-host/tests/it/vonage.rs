//! Submissions to Vonage through both of its APIs.

use hermes_domain::{
    UnixMillis,
    outcome::{ErrorClass, Level, Outcome},
};
use hermes_ports::{
    adapter::{AdapterHost, ConnectionAccess, LookupQuery},
    http::{AuthScheme, Method, RequestEffect},
};
use serde_json::{Value, json};

use crate::{
    specs,
    support::{REFERENCE, Short, access, asked, begin, done, header, host, outcome, response, sms},
};

const APPLICATION: [(&str, &str); 3] = [
    ("application_id", "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"),
    ("private_key", "PEM"),
    ("signature_secret", "s"),
];
const ACCOUNT: [(&str, &str); 3] =
    [("api_key", "abcd1234"), ("api_secret", "secret"), ("signature_secret", "s")];

fn messages() -> ConnectionAccess {
    access("vonage", json!({ "from": "ACME" }), &APPLICATION)
}

fn sms_api() -> ConnectionAccess {
    access("vonage", json!({ "from": "+4520000000", "api": "sms" }), &ACCOUNT)
}

fn basic() -> AuthScheme {
    AuthScheme::Basic { user: "api_key".to_owned(), password: "api_secret".to_owned() }
}

#[test]
fn the_messages_api_gets_the_documented_body() {
    let (request, pending) = begin(&messages(), &sms("Your code is 123456 & æ"));
    assert_eq!((request.method, request.effect), (Method::Post, RequestEffect::Submits));
    assert_eq!(request.url, "https://api.nexmo.com/v1/messages");
    assert_eq!(header(&request, "content-type"), Some("application/json"));
    let claims = vec![("application_id".to_owned(), APPLICATION[0].1.to_owned())];
    assert_eq!(request.auth, AuthScheme::Jwt { key: "private_key".to_owned(), claims, valid_for_s: 900 });
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let expected = json!({
        "message_type": "text", "channel": "sms", "to": "447400123456", "from": "ACME",
        "text": "Your code is 123456 & æ", "ttl": 3_600, "client_ref": REFERENCE,
        "webhook_url": format!("https://hermes.example.com/receipts/x/prv_1?ref={REFERENCE}"),
        "webhook_version": "v1",
    });
    assert_eq!(body, expected);
    specs::vonage_message(&body);
    assert!(pending.submitted);
    // Without an application the account logs in.
    assert_eq!(begin(&access("vonage", json!({ "from": "ACME" }), &ACCOUNT), &sms("hi")).0.auth, basic());
}

#[test]
fn the_sms_api_gets_the_documented_form() {
    let mut call = sms("Your code is €5");
    call.sender = Some("+4520123456".to_owned());
    let (request, _) = begin(&sms_api(), &call);
    assert_eq!(request.url, "https://rest.nexmo.com/sms/json");
    assert_eq!(request.auth, basic());
    let body = format!(
        "from=4520123456&to=447400123456&text=Your+code+is+%E2%82%AC5&type=text&ttl=3600000&client-ref={REFERENCE}\
        &callback=https%3A%2F%2Fhermes.example.com%2Freceipts%2Fx%2Fprv_1%3Fref%3D{REFERENCE}"
    );
    assert_eq!(std::str::from_utf8(&request.body).unwrap(), body);
    specs::vonage_form(&request.body);
}

#[test]
fn texts_validity_and_callback_fit_the_sms_api() {
    let field = |call, name: &str| {
        let (request, _) = begin(&sms_api(), &call);
        specs::vonage_form(&request.body);
        form_urlencoded::parse(&request.body)
            .into_owned()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    };
    for (text, kind) in [("Æ {ok}", "text"), ("naïve", "unicode"), ("日本", "unicode")] {
        assert_eq!(field(sms(text), "type").as_deref(), Some(kind), "{text}");
    }
    for (valid_for_s, ttl) in [(1, "20000"), (60, "60000"), (2_000_000, "604800000")] {
        let call = hermes_ports::adapter::SendCall { valid_for_s, ..sms("hi") };
        assert_eq!(field(call, "ttl").as_deref(), Some(ttl));
    }
    // At most 100 characters: without the reference, which comes back anyway, or not at all.
    let to = |base: &str| {
        let callback_url = format!("{base}/receipts/vonage/prv_1?ref={REFERENCE}");
        hermes_ports::adapter::SendCall { callback_url, ..sms("hi") }
    };
    let long = format!("https://{}.example.com", "h".repeat(50));
    assert_eq!(field(to(&long), "callback"), Some(format!("{long}/receipts/vonage/prv_1")));
    assert_eq!(field(to(&format!("https://{}.example.com", "h".repeat(99))), "callback"), None);
}

#[test]
fn what_cannot_be_sent_is_refused_before_any_request() {
    let refused = |access: &ConnectionAccess, call| Short::from(&done(host().send(access, &call).unwrap()));
    let rejected = Short::Rejected;
    assert_eq!(
        refused(&access("vonage", json!({}), &APPLICATION), sms("hi")),
        rejected(ErrorClass::SenderRejected)
    );
    assert_eq!(
        refused(&access("vonage", json!({ "from": "A" }), &[]), sms("hi")),
        rejected(ErrorClass::Auth)
    );
    // Another provider may take them.
    assert_eq!(refused(&messages(), sms(&"x".repeat(1_001))), rejected(ErrorClass::ProviderFault));
    let mut mms = sms("hi");
    let content =
        hermes_domain::content::Sms { text: None, media_urls: vec!["https://example.com/a.png".to_owned()] };
    mms.content = hermes_domain::content::ChannelContent::Sms(content);
    assert_eq!(refused(&messages(), mms), rejected(ErrorClass::ProviderFault));
}

#[test]
fn the_messages_apis_answers_have_their_outcomes() {
    use ErrorClass::{Auth, ContentRejected, Funds, RecipientPermanent, SenderRejected};
    let problem = |code: &str, fields: &[&str]| {
        let fields: Vec<Value> =
            fields.iter().map(|name| json!({ "name": name, "reason": "invalid value" })).collect();
        json!({ "type": format!("https://developer.vonage.com/api-errors/messages#{code}"), "title": "t",
            "detail": "d +447400123456", "invalid_parameters": fields })
    };
    let rejected = Short::Rejected;
    let table = [
        (202, json!({ "message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab" }), Short::Accepted),
        (202, json!({}), Short::Unknown),
        (401, problem("unauthorized", &[]), rejected(Auth)),
        (401, problem("unathorized", &[]), rejected(Auth)),
        (402, problem("low-balance", &[]), rejected(Funds)),
        (403, problem("account-suspended", &[]), rejected(Auth)),
        (422, problem("1150", &["to"]), rejected(RecipientPermanent)),
        (422, problem("1120", &["from"]), rejected(SenderRejected)),
        (422, problem("1060", &["ttl", "text"]), rejected(ContentRejected)),
        (422, problem("1150", &["ttl"]), rejected(ErrorClass::Unknown)),
        (422, problem("invalid-json", &[]), rejected(ErrorClass::Unknown)),
        (429, problem("1000", &[]), Short::Throttled(None)),
        (500, problem("1030", &[]), Short::ServerError),
        (503, json!(null), Short::ServerError),
    ];
    for (status, body, expected) in table {
        let outcome = outcome(&messages(), &sms("hi"), &response(status, &[], body.to_string()));
        assert_eq!(Short::from(&outcome), expected, "{status} {body}");
        assert!(!format!("{outcome:?}").contains("447400123456"), "{body} shows an address");
    }
}

#[test]
fn every_status_of_the_sms_api_has_its_outcome() {
    use ErrorClass::{Auth, ContentRejected, Funds, OptedOut, RecipientPermanent, SenderRejected, Unknown};
    let rejected = Short::Rejected;
    let table = [
        ("1", Short::Throttled(Some(1_000))),
        ("2", rejected(Unknown)),
        ("3", rejected(Unknown)),
        ("4", rejected(Auth)),
        ("5", Short::ServerError),
        ("6", rejected(RecipientPermanent)),
        ("7", rejected(OptedOut)),
        ("8", rejected(Auth)),
        ("9", rejected(Funds)),
        ("10", Short::Throttled(Some(1_000))),
        ("11", rejected(Auth)),
        ("12", rejected(ContentRejected)),
        ("13", Short::ServerError),
        ("14", rejected(Auth)),
        ("15", rejected(SenderRejected)),
        ("16", rejected(Unknown)),
        ("19", rejected(Auth)),
        ("22", rejected(Unknown)),
        ("23", rejected(Unknown)),
        ("29", rejected(Auth)),
        ("32", rejected(Auth)),
        ("33", rejected(RecipientPermanent)),
        ("34", rejected(RecipientPermanent)),
        ("77", rejected(Unknown)),
    ];
    let answer = |parts: Value| {
        let body = json!({ "message-count": "1", "messages": parts }).to_string();
        outcome(&sms_api(), &sms("hi"), &response(200, &[], body))
    };
    for (status, expected) in table {
        let outcome = answer(json!([{ "status": status, "error-text": "No." }]));
        assert_eq!(Short::from(&outcome), expected, "{status}");
    }
    let names_recipient = answer(json!([{ "status": "3", "error-text": "`to` address is not routable" }]));
    assert_eq!(Short::from(&names_recipient), rejected(RecipientPermanent));
    let Outcome::Rejected(failure) = answer(json!([{ "status": "77" }])) else { panic!() };
    assert_eq!(failure.code.as_deref(), Some("77"));
}

#[test]
fn a_long_text_is_accepted_with_its_parts_even_if_one_is_refused() {
    let part =
        |id: &str| json!({ "to": "447400123456", "message-id": id, "status": "0", "message-price": "0.04" });
    let refused = json!({ "status": "1", "error-text": "Throttled" });
    for parts in [json!([part("A1"), part("A2")]), json!([part("A1"), refused])] {
        let body = json!({ "message-count": "2", "messages": parts }).to_string();
        let Outcome::Accepted(told) = outcome(&sms_api(), &sms("hi"), &response(200, &[], body)) else {
            panic!()
        };
        assert_eq!((told.provider_message_id.as_deref(), told.segments), (Some("A1"), Some(2)));
    }
    for (status, expected) in [
        (200, Short::Unknown),
        (420, Short::Throttled(Some(1_000))),
        (401, Short::Rejected(ErrorClass::Auth)),
        (503, Short::ServerError),
    ] {
        let outcome = outcome(&sms_api(), &sms("hi"), &response(status, &[], "<html>"));
        assert_eq!(Short::from(&outcome), expected, "{status}");
    }
}

#[test]
fn a_check_names_no_recipient() {
    for (access, url, good) in [
        (messages(), "https://api.nexmo.com/v1/messages", (422, json!({ "type": "x#1150" }))),
        (sms_api(), "https://rest.nexmo.com/sms/json", (200, json!({ "messages": [{ "status": "2" }] }))),
    ] {
        let (request, pending) = asked(host().check(&access).unwrap());
        assert_eq!((request.effect, request.url.as_str()), (RequestEffect::Safe, url));
        assert!(!String::from_utf8_lossy(&request.body).contains("to"), "{:?}", request.body);
        let bad = json!({ "messages": [{ "status": "4", "error-text": "Bad Credentials" }] });
        let bad = if url.ends_with("json") { (200, bad) } else { (401, json!({ "type": "x#unauthorized" })) };
        for ((status, body), expected) in [(good, Short::Accepted), (bad, Short::Rejected(ErrorClass::Auth))]
        {
            let answer = response(status, &[], body.to_string());
            let outcome = done(host().resume_send(&access, pending.clone(), &answer).unwrap());
            assert_eq!(Short::from(&outcome), expected, "{body}");
        }
    }
}

#[test]
fn a_check_names_what_status_callbacks_need() {
    let key_only = access("vonage", json!({ "from": "ACME" }), &ACCOUNT);
    let refused = done(host().check(&key_only).unwrap());
    assert_eq!(Short::from(&refused), Short::Rejected(ErrorClass::Auth));
    assert!(format!("{refused:?}").contains("application_id"), "{refused:?}");
}

#[test]
fn a_record_of_one_part_is_not_asked_about_a_long_text() {
    let query = |text: &str| LookupQuery {
        call: sms(text),
        provider_message_id: Some("0A1".to_owned()),
        submitted_at: UnixMillis(1_767_323_045_678),
    };
    let asks = |access: &ConnectionAccess, text: &str| host().lookup(access, &query(text)).unwrap().is_some();
    for (text, one_part) in [
        ("a".repeat(160), true),
        ("a".repeat(161), false),
        ("€".repeat(80), true),
        ("€".repeat(81), false),
        ("ж".repeat(70), true),
        ("ж".repeat(71), false),
    ] {
        assert_eq!(asks(&sms_api(), &text), one_part, "{text}");
        assert!(
            asks(&access("vonage", json!({ "from": "ACME" }), &ACCOUNT), &text),
            "one id names the whole message there"
        );
    }
}

#[test]
fn a_lookup_asks_the_reports_api_by_id() {
    let mut access = access("vonage", json!({ "from": "ACME" }), &ACCOUNT);
    let query = |id: Option<&str>| LookupQuery {
        call: sms("hi"),
        provider_message_id: id.map(str::to_owned),
        submitted_at: UnixMillis(1_767_323_045_678),
    };
    assert!(host().lookup(&access, &query(None)).unwrap().is_none());
    let (request, pending) = asked(host().lookup(&access, &query(Some("a-1"))).unwrap().unwrap());
    let url = "https://api.nexmo.com/v2/reports/records?account_id=abcd1234&product=MESSAGES&direction=outbound&id=a-1";
    assert_eq!((request.url.as_str(), &request.auth, request.effect), (url, &basic(), RequestEffect::Safe));
    let found = |body: Value, status| {
        done(host().resume_send(&access, pending.clone(), &response(status, &[], body.to_string())).unwrap())
    };
    let record = |status: &str, code: &str| json!({ "records": [{ "message_id": "a-1", "status": status, "error_code": code }] });
    let Outcome::Accepted(told) = found(record("delivered", "0"), 200) else { panic!() };
    assert_eq!(told.level, Some(Level::Delivered));
    let failed = found(record("rejected", "1190"), 200);
    assert_eq!(Short::from(&failed), Short::Rejected(ErrorClass::RecipientPermanent));
    assert_eq!(Short::from(&found(json!({ "records": [], "ids_not_found": "a-1" }), 200)), Short::Unknown);
    assert_eq!(Short::from(&found(json!({}), 401)), Short::Unknown);
    access = sms_api();
    let (request, _) = asked(host().lookup(&access, &query(Some("0A1"))).unwrap().unwrap());
    assert!(request.url.contains("product=SMS"), "{}", request.url);
}
