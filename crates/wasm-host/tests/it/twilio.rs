//! Submissions to Twilio: request bytes and the outcome table.

use hermes_domain::{
    UnixMillis,
    money::Money,
    outcome::{Acceptance, ErrorClass, Level, Outcome},
};
use hermes_ports::{
    adapter::{AdapterHost, ConnectionAccess, LookupQuery, SendCall},
    http::{AuthScheme, HttpResponse, Method, RequestEffect},
};
use serde_json::{Value, json};

use crate::{
    specs,
    support::{Short, access, asked, begin, call, done, header, host, outcome, response, sms},
};

const ACCOUNT: &str = "AC00000000000000000000000000000001";

fn connection(config: Value) -> ConnectionAccess {
    access("twilio", config, &[("account_sid", ACCOUNT), ("auth_token", "12345")])
}

fn plain() -> ConnectionAccess {
    connection(json!({ "from": "+15005550006" }))
}

fn fields(access: &ConnectionAccess, call: &SendCall) -> Vec<(String, String)> {
    let (request, _) = begin(access, call);
    form_urlencoded::parse(&request.body).into_owned().collect()
}

#[test]
fn a_submission_is_the_documented_form() {
    let service = connection(json!({ "messaging_service_sid": "MG00000000000000000000000000000001" }));
    let (request, pending) = begin(&service, &sms("Your code is 123456 & æ"));
    assert_eq!(request.method, Method::Post);
    assert_eq!(request.url, format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json"));
    assert_eq!(header(&request, "content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(request.effect, RequestEffect::Submits);
    let login = AuthScheme::Basic { user: "account_sid".to_owned(), password: "auth_token".to_owned() };
    assert_eq!(request.auth, login);
    let body = "To=%2B447400123456&MessagingServiceSid=MG00000000000000000000000000000001\
        &Body=Your+code+is+123456+%26+%C3%A6\
        &StatusCallback=https%3A%2F%2Fhermes.example.com%2Freceipts%2Fx%2Fprv_1%3Fref%3Dmsg_01KDYYXGFEMXQKR0ZC0000001A.1\
        &ValidityPeriod=3600";
    assert_eq!(std::str::from_utf8(&request.body).unwrap(), body);
    assert!(pending.submitted && pending.round == 1);
    specs::twilio_form(&request.body);
}

#[test]
fn senders_media_validity_and_host_follow_call_and_connection() {
    let both = connection(
        json!({ "from": "ACME", "messaging_service_sid": "MG1", "base_url": "http://127.0.0.1:8090/" }),
    );
    let mut message = sms("hi");
    message.valid_for_s = 259_200;
    let has = |fields: &[(String, String)], name: &str, value: &str| {
        fields.iter().any(|(key, given)| key == name && given == value)
    };
    let sent = fields(&both, &message);
    assert!(
        has(&sent, "From", "ACME")
            && has(&sent, "MessagingServiceSid", "MG1")
            && has(&sent, "ValidityPeriod", "36000")
    );
    message.sender = Some("+4520123456".to_owned());
    let sent = fields(&both, &message);
    assert!(has(&sent, "From", "+4520123456") && !has(&sent, "MessagingServiceSid", "MG1"));
    assert!(begin(&both, &message).0.url.starts_with("http://127.0.0.1:8090/2010-04-01/"));

    let media = vec!["https://example.com/a.png".to_owned(), "https://example.com/b.png".to_owned()];
    let content = hermes_domain::content::Sms { text: None, media_urls: media };
    let mms = call(message.to, hermes_domain::content::ChannelContent::Sms(content));
    let sent = fields(&plain(), &mms);
    assert_eq!(sent.iter().filter(|(name, _)| name == "MediaUrl").count(), 2);
    assert!(!sent.iter().any(|(name, _)| name == "Body"));

    let service = "MG0123456789abcdef0123456789abcdef";
    let mut named = sms("hi");
    named.sender = Some(service.to_owned());
    let sent = fields(&plain(), &named);
    assert!(sent.contains(&("MessagingServiceSid".to_owned(), service.to_owned())), "{sent:?}");
    assert!(!sent.iter().any(|(name, _)| name == "From"));
    let no_sender = done(host().send(&connection(json!({})), &sms("hi")).unwrap());
    assert_eq!(Short::from(&no_sender), Short::Rejected(ErrorClass::SenderRejected));
}

#[test]
fn an_api_key_logs_in_where_there_is_one() {
    let secrets =
        [("account_sid", ACCOUNT), ("auth_token", "t"), ("api_key_sid", "SK1"), ("api_key_secret", "s")];
    let access = access("twilio", json!({ "from": "ACME" }), &secrets);
    let (request, _) = begin(&access, &sms("hi"));
    let login = AuthScheme::Basic { user: "api_key_sid".to_owned(), password: "api_key_secret".to_owned() };
    assert_eq!(request.auth, login);
    assert!(request.url.contains(ACCOUNT));
    // A standard key may not read the account, but its messages.
    let (request, pending) = asked(host().check(&access).unwrap());
    assert!(request.url.ends_with("/Messages.json?PageSize=1"), "{}", request.url);
    let checked = |status, body| {
        Short::from(&done(
            host().resume_send(&access, pending.clone(), &response(status, &[], body)).unwrap(),
        ))
    };
    assert_eq!(checked(200, r#"{"messages":[]}"#), Short::Accepted);
    assert_eq!(checked(401, r#"{"code":20003}"#), Short::Rejected(ErrorClass::Auth));
}

#[test]
fn a_created_message_is_accepted_with_its_sid() {
    let body = json!({ "sid": "SM00000000000000000000000000000001", "status": "queued", "num_segments": "2",
        "price": "-0.00830", "price_unit": "USD", "error_code": null });
    let accepted = outcome(&plain(), &sms("hi"), &response(201, &[], body.to_string()));
    let expected = Acceptance {
        provider_message_id: Some("SM00000000000000000000000000000001".to_owned()),
        level: Some(Level::Accepted),
        segments: Some(2),
        cost: Some(Money::parse("0.0083", "USD").unwrap()),
    };
    assert_eq!(accepted, Outcome::Accepted(expected));
    let bare = json!({ "sid": "SM1", "status": "accepted", "num_segments": "0", "price": null });
    let Outcome::Accepted(bare) = outcome(&plain(), &sms("hi"), &response(201, &[], bare.to_string())) else {
        panic!()
    };
    assert_eq!((bare.segments, bare.cost), (None, None));
}

fn refusal(status: u16, code: u32) -> HttpResponse {
    let body = json!({ "code": code, "message": "Invalid 'To' Phone Number: +1234", "status": status });
    response(status, &[], body.to_string())
}

#[test]
fn every_code_of_the_table_has_its_outcome() {
    use ErrorClass::{
        Auth, ContentRejected, Funds, OptedOut, ProviderFault, RecipientPermanent, SenderRejected,
    };
    let rejected = Short::Rejected;
    let table = [
        (400, 21211, rejected(RecipientPermanent)),
        (400, 21614, rejected(RecipientPermanent)),
        (400, 21635, rejected(RecipientPermanent)),
        (400, 21604, rejected(ErrorClass::Unknown)),
        (400, 21612, rejected(ProviderFault)),
        (400, 21408, rejected(ProviderFault)),
        (400, 21608, rejected(Auth)),
        (400, 21212, rejected(SenderRejected)),
        (400, 21603, rejected(SenderRejected)),
        (400, 21606, rejected(SenderRejected)),
        (400, 21659, rejected(SenderRejected)),
        (400, 21601, rejected(SenderRejected)),
        (400, 21401, rejected(SenderRejected)),
        (400, 21705, rejected(SenderRejected)),
        (400, 21703, rejected(SenderRejected)),
        (400, 21610, rejected(OptedOut)),
        (400, 21602, rejected(ContentRejected)),
        (400, 21617, rejected(ContentRejected)),
        (400, 21611, Short::Throttled(Some(600_000))),
        (429, 21611, Short::Throttled(Some(600_000))),
        (503, 21730, Short::NotSent),
        (503, 20503, Short::ServerError),
        (401, 20003, rejected(Auth)),
        (403, 20005, rejected(Funds)),
        (401, 10001, rejected(Funds)),
        (404, 20404, rejected(Auth)),
        (429, 20429, Short::Throttled(None)),
        (429, 63017, Short::Throttled(None)),
        (429, 63038, Short::Throttled(Some(3_600_000))),
        // Codes of tomorrow fall back to the status.
        (400, 99999, rejected(ErrorClass::Unknown)),
        (401, 99999, rejected(Auth)),
        (429, 99999, Short::Throttled(None)),
        (500, 20500, Short::ServerError),
    ];
    for (status, code, expected) in table {
        let outcome = outcome(&plain(), &sms("hi"), &refusal(status, code));
        assert_eq!(Short::from(&outcome), expected, "{status} {code}");
        assert!(!format!("{outcome:?}").contains("+1234"), "{code} shows an address");
    }
    let Outcome::Rejected(failure) = outcome(&plain(), &sms("hi"), &refusal(400, 99999)) else { panic!() };
    assert_eq!(failure.code.as_deref(), Some("99999"));
}

#[test]
fn answers_without_a_code_are_read_by_status() {
    let html = "<html>502 Bad Gateway</html>";
    for (status, expected) in [
        (201, Short::Unknown),
        (302, Short::Unknown),
        (400, Short::Rejected(ErrorClass::Unknown)),
        (401, Short::Rejected(ErrorClass::Auth)),
        (403, Short::Rejected(ErrorClass::Auth)),
        (404, Short::Rejected(ErrorClass::Unknown)),
        (429, Short::Throttled(None)),
        (500, Short::ServerError),
        (502, Short::ServerError),
        (503, Short::ServerError),
        (504, Short::ServerError),
    ] {
        let outcome = outcome(&plain(), &sms("hi"), &response(status, &[], html));
        assert_eq!(Short::from(&outcome), expected, "{status}");
    }
}

#[test]
fn retry_after_is_read_in_both_forms_and_clamped() {
    let date = ("date", "Fri, 02 Jan 2026 03:04:05 GMT");
    for (headers, expected) in [
        (vec![("retry-after", "7")], Some(7_000)),
        (vec![("retry-after", "999999999")], Some(3_600_000)),
        (vec![("retry-after", "Fri, 02 Jan 2026 03:05:05 GMT"), date], Some(60_000)),
        (vec![("retry-after", "Fri, 02 Jan 2026 03:05:05 GMT")], None),
        (vec![("retry-after", "soon")], None),
    ] {
        let outcome = outcome(&plain(), &sms("hi"), &response(429, &headers, ""));
        assert_eq!(Short::from(&outcome), Short::Throttled(expected), "{headers:?}");
    }
}

#[test]
fn a_check_fetches_the_account() {
    let (request, pending) = asked(host().check(&plain()).unwrap());
    assert_eq!((request.method, request.effect), (Method::Get, RequestEffect::Safe));
    assert_eq!(request.url, format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}.json"));
    assert!(!pending.submitted);
    for (status, body, expected) in [
        (200, r#"{"status":"active"}"#, Short::Accepted),
        (200, r#"{"status":"suspended"}"#, Short::Rejected(ErrorClass::Funds)),
        (401, r#"{"code":20003}"#, Short::Rejected(ErrorClass::Auth)),
    ] {
        let answer =
            done(host().resume_send(&plain(), pending.clone(), &response(status, &[], body)).unwrap());
        assert_eq!(Short::from(&answer), expected, "{body}");
    }
}

fn query(id: Option<&str>) -> LookupQuery {
    let submitted_at = UnixMillis(1_767_323_045_678);
    LookupQuery { call: sms("hi & bye"), provider_message_id: id.map(str::to_owned), submitted_at }
}

#[test]
fn a_lookup_by_sid_tells_how_far_the_message_got() {
    let (request, pending) = asked(host().lookup(&plain(), &query(Some("SM1"))).unwrap().unwrap());
    assert_eq!((request.effect, pending.submitted), (RequestEffect::Safe, false));
    assert_eq!(
        request.url,
        format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/SM1.json")
    );
    let found = |body: Value, status| {
        done(host().resume_send(&plain(), pending.clone(), &response(status, &[], body.to_string())).unwrap())
    };
    let Outcome::Accepted(acceptance) = found(json!({ "sid": "SM1", "status": "delivered" }), 200) else {
        panic!()
    };
    assert_eq!(acceptance.level, Some(Level::Delivered));
    let failed = found(json!({ "sid": "SM1", "status": "undelivered", "error_code": 30005 }), 200);
    assert_eq!(Short::from(&failed), Short::Rejected(ErrorClass::RecipientPermanent));
    assert_eq!(Short::from(&found(json!({ "code": 20404 }), 404)), Short::Unknown);
    assert_eq!(Short::from(&found(json!({ "code": 20429 }), 429)), Short::Throttled(None));
}

#[test]
fn a_lookup_without_sid_recognises_exactly_one_message_and_proves_no_absence() {
    let (request, pending) = asked(host().lookup(&plain(), &query(None)).unwrap().unwrap());
    assert!(request.url.ends_with("/Messages.json?To=%2B447400123456&PageSize=50"), "{}", request.url);
    let message = |sid: &str, created: &str, body: &str| json!({ "sid": sid, "status": "sent", "date_created": created, "body": body });
    let ours = message("SM1", "Fri, 02 Jan 2026 03:04:06 +0000", "hi & bye");
    let earlier = message("SM2", "Fri, 02 Jan 2026 03:00:00 +0000", "hi & bye");
    let other = message("SM3", "Fri, 02 Jan 2026 03:04:06 +0000", "something else");
    for (messages, expected) in [
        (vec![&other, &ours, &earlier], Short::Accepted),
        (vec![&other, &earlier], Short::Unknown),
        (vec![&ours, &ours], Short::Unknown),
        (vec![], Short::Unknown),
    ] {
        let body = json!({ "messages": messages }).to_string();
        let outcome = done(host().resume_send(&plain(), pending.clone(), &response(200, &[], body)).unwrap());
        assert_eq!(Short::from(&outcome), expected, "{messages:?}");
    }
}
