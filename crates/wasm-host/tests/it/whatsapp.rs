//! Submissions to the WhatsApp Cloud API.

use hermes_domain::{
    UnixMillis,
    address::{Destination, Phone},
    content::{ChannelContent, Whatsapp},
    outcome::{ErrorClass, Level, Outcome},
};
use hermes_ports::{
    adapter::{AdapterHost, ConnectionAccess, LookupQuery, SendCall},
    http::{AuthScheme, Method, RequestEffect},
};
use serde_json::{Value, json};

use crate::{
    specs,
    support::{REFERENCE, Short, access, asked, begin, call, done, host, outcome, response},
};

const WAMID: &str = "wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI5QTNEQTA2RjdGMEY4RTRGAA==";

fn connection(config: Value) -> ConnectionAccess {
    let secrets = [("access_token", "EAAG"), ("app_secret", "s"), ("verify_token", "v")];
    access("whatsapp", config, &secrets)
}

fn plain() -> ConnectionAccess {
    connection(json!({ "phone_number_id": "106540352242922" }))
}

fn whatsapp(content: Whatsapp) -> SendCall {
    call(Destination::Whatsapp(Phone::parse("+16502530000").unwrap()), ChannelContent::Whatsapp(content))
}

fn text(text: &str) -> SendCall {
    whatsapp(Whatsapp { text: Some(text.to_owned()), ..Whatsapp::default() })
}

fn template() -> Value {
    json!({ "name": "order_update", "language": "en_US", "components": [
        { "type": "body", "parameters": [{ "type": "text", "text": "Alice" }] },
        { "type": "button", "sub_type": "url", "index": "0", "parameters": [{ "type": "text", "text": "01J" }] },
    ] })
}

fn body(call: &SendCall) -> Value {
    let body = serde_json::from_slice(&begin(&plain(), call).0.body).unwrap();
    specs::whatsapp_message(&body);
    body
}

#[test]
fn a_text_is_the_documented_body() {
    let (request, pending) = begin(&plain(), &text("Hi Zoë"));
    assert_eq!((request.method, request.effect), (Method::Post, RequestEffect::Submits));
    assert_eq!(request.url, "https://graph.facebook.com/v23.0/106540352242922/messages");
    assert_eq!(request.auth, AuthScheme::Bearer { token: "access_token".to_owned() });
    assert!(pending.submitted);
    let expected = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "+16502530000", "type": "text",
        "text": { "preview_url": false, "body": "Hi Zoë" }, "biz_opaque_callback_data": REFERENCE,
    });
    assert_eq!(body(&text("Hi Zoë")), expected);
    let other = connection(
        json!({ "phone_number_id": "1", "api_version": "v24.0", "base_url": "http://127.0.0.1:9/" }),
    );
    assert_eq!(begin(&other, &text("hi")).0.url, "http://127.0.0.1:9/v24.0/1/messages");
}

#[test]
fn templates_and_media_are_passed_on() {
    let sent = body(&whatsapp(Whatsapp { template: Some(template()), ..Whatsapp::default() }));
    assert_eq!(
        (&sent["type"], &sent["template"]["language"]),
        (&json!("template"), &json!({ "code": "en_US" }))
    );
    assert_eq!(sent["template"]["components"], template()["components"]);
    let bare = json!({ "name": "hello", "language": { "code": "da" }, "components": [] });
    let sent = body(&whatsapp(Whatsapp { template: Some(bare), ..Whatsapp::default() }));
    assert_eq!(sent["template"], json!({ "name": "hello", "language": { "code": "da" } }));
    for media in [
        json!({ "type": "document", "link": "https://example.com/a.pdf", "filename": "a.pdf", "caption": "A" }),
        json!({ "document": { "link": "https://example.com/a.pdf", "filename": "a.pdf", "caption": "A" } }),
    ] {
        let sent = body(&whatsapp(Whatsapp { media: Some(media), ..Whatsapp::default() }));
        let document = json!({ "link": "https://example.com/a.pdf", "filename": "a.pdf", "caption": "A" });
        assert_eq!((&sent["type"], &sent["document"]), (&json!("document"), &document));
    }
}

#[test]
fn the_alternate_is_the_fallback_template() {
    let content =
        Whatsapp { text: Some("Hi".to_owned()), fallback_template: Some(template()), ..Whatsapp::default() };
    assert_eq!(body(&whatsapp(content.clone()))["type"], "text");
    let alternate = SendCall { alternate: true, ..whatsapp(content) };
    let sent = body(&alternate);
    assert_eq!((&sent["type"], &sent["template"]["name"]), (&json!("template"), &json!("order_update")));
}

#[test]
fn what_cannot_be_sent_is_refused_before_any_request() {
    let refused =
        |access: &ConnectionAccess, call: &SendCall| Short::from(&done(host().send(access, call).unwrap()));
    let content = Short::Rejected(ErrorClass::ContentRejected);
    let media = |media: Value| whatsapp(Whatsapp { media: Some(media), ..Whatsapp::default() });
    for call in [
        text(&"x".repeat(4_097)),
        media(json!({ "type": "hologram", "link": "https://example.com/a" })),
        media(json!({ "image": { "id": "1", "link": "https://example.com/a" } })),
        media(json!({ "image": {} })),
        media(json!([])),
        whatsapp(Whatsapp { template: Some(json!({ "language": "da" })), ..Whatsapp::default() }),
        whatsapp(Whatsapp { template: Some(json!({ "name": "x" })), ..Whatsapp::default() }),
        whatsapp(Whatsapp::default()),
    ] {
        assert_eq!(refused(&plain(), &call), content, "{:?}", call.content);
    }
    let no_number = connection(json!({ "phone_number_id": "../x" }));
    assert_eq!(refused(&no_number, &text("hi")), Short::Rejected(ErrorClass::Auth));
}

fn error(code: u64) -> String {
    json!({ "error": { "message": "(#1) to +16502530000", "type": "OAuthException", "code": code,
        "error_data": { "messaging_product": "whatsapp", "details": "d" }, "fbtrace_id": "A" } })
    .to_string()
}

#[test]
fn every_code_of_the_table_has_its_outcome() {
    use ErrorClass::{
        Auth, ContentRejected, Funds, NeedsAlternate, OptedOut, ProviderFault, RecipientPermanent,
        RecipientTemporary, SenderRejected, Unknown,
    };
    let rejected = Short::Rejected;
    let table: [(&[u64], Short); 17] = [
        (&[0, 3, 10, 190, 200, 250, 299, 131_005, 368, 131_031, 131_030, 133_016], rejected(Auth)),
        (&[130_497, 132_015, 132_016, 131_063, 135_000], rejected(ProviderFault)),
        // Turned away before anything was processed, or for this recipient alone.
        (&[2, 131_016, 131_056, 131_057], Short::NotSent),
        (&[1, 131_000], Short::ServerError),
        (&[4, 80_007], Short::Throttled(Some(60_000))),
        (&[130_429, 132_069], Short::Throttled(Some(2_000))),
        (&[131_048, 131_064], Short::Throttled(Some(3_600_000))),
        (&[33, 131_037, 131_045, 133_010], rejected(SenderRejected)),
        (&[131_021, 131_026, 131_062, 137_000], rejected(RecipientPermanent)),
        (&[131_050], rejected(OptedOut)),
        (&[131_049, 130_472, 131_043], rejected(RecipientTemporary)),
        (&[131_047], rejected(NeedsAlternate)),
        (&[100, 131_008, 131_009, 131_051, 131_052, 131_053], rejected(ContentRejected)),
        (&[132_000, 132_001, 132_005, 132_007, 132_008, 132_012, 132_068], rejected(ContentRejected)),
        (&[131_042, 131_044], rejected(Funds)),
        // Codes of tomorrow fall back to the status.
        (&[999_999], rejected(Unknown)),
        (&[300], rejected(Unknown)),
    ];
    for (codes, expected) in table {
        for code in codes {
            // Meta changes statuses between versions: the code decides.
            let outcome = outcome(&plain(), &text("hi"), &response(400, &[], error(*code)));
            assert_eq!(Short::from(&outcome), expected, "{code}");
            assert!(!format!("{outcome:?}").contains("1650253"), "{code} shows an address");
        }
    }
    let with =
        |status, body: &str| Short::from(&outcome(&plain(), &text("hi"), &response(status, &[], body)));
    assert_eq!(with(500, &error(999_999)), Short::ServerError);
    assert_eq!(with(400, r#"{"error":{"code":999999,"is_transient":true}}"#), Short::ServerError);
    assert_eq!(with(502, "<html>"), Short::ServerError);
    assert_eq!(with(429, ""), Short::Throttled(None));
    assert_eq!(with(200, "{}"), Short::Unknown);
    let usage =
        ("x-business-use-case-usage", r#"{"1":[{"type":"whatsapp","estimated_time_to_regain_access":3}]}"#);
    let paused = outcome(&plain(), &text("hi"), &response(429, &[usage], error(80_007)));
    assert_eq!(Short::from(&paused), Short::Throttled(Some(180_000)));
}

#[test]
fn an_accepted_message_keeps_its_wamid() {
    let answer = |status: Option<&str>| {
        let mut message = json!({ "id": WAMID });
        if let Some(status) = status {
            message["message_status"] = status.into();
        }
        let body = json!({ "messaging_product": "whatsapp", "contacts": [{ "input": "+1", "wa_id": "1" }], "messages": [message] });
        outcome(&plain(), &text("hi"), &response(200, &[], body.to_string()))
    };
    for status in [None, Some("accepted"), Some("held_for_quality_assessment")] {
        let Outcome::Accepted(told) = answer(status) else { panic!("{status:?}") };
        assert_eq!(told.provider_message_id.as_deref(), Some(WAMID));
    }
    assert_eq!(Short::from(&answer(Some("paused"))), Short::Rejected(ErrorClass::ProviderFault));
}

#[test]
fn a_check_reads_the_number() {
    let (request, pending) = asked(host().check(&plain()).unwrap());
    assert_eq!((request.method, request.effect), (Method::Get, RequestEffect::Safe));
    assert!(
        request.url.starts_with("https://graph.facebook.com/v23.0/106540352242922?fields="),
        "{}",
        request.url
    );
    for (status, body, expected) in [
        (200, r#"{"id":"106540352242922"}"#.to_owned(), Short::Accepted),
        (401, error(190), Short::Rejected(ErrorClass::Auth)),
    ] {
        let answer =
            done(host().resume_send(&plain(), pending.clone(), &response(status, &[], body)).unwrap());
        assert_eq!(Short::from(&answer), expected);
    }
}

#[test]
fn a_lookup_asks_only_where_the_connection_says_so() {
    let query = LookupQuery {
        call: text("hi"),
        provider_message_id: Some(WAMID.to_owned()),
        submitted_at: UnixMillis(1),
    };
    assert!(host().lookup(&plain(), &query).unwrap().is_none());
    let access = connection(json!({ "phone_number_id": "1", "message_history": true }));
    let (request, pending) = asked(host().lookup(&access, &query).unwrap().unwrap());
    assert!(request.url.contains("/v23.0/1/message_history?message_id=wamid.HBgL"), "{}", request.url);
    let found = |events: Value| {
        let body =
            json!({ "data": [{ "id": "1", "message_id": WAMID, "events": { "data": events } }] }).to_string();
        done(host().resume_send(&access, pending.clone(), &response(200, &[], body)).unwrap())
    };
    let Outcome::Accepted(told) =
        found(json!([{ "delivery_status": "READ" }, { "delivery_status": "SENT" }]))
    else {
        panic!()
    };
    assert_eq!(told.level, Some(Level::Read));
    assert_eq!(Short::from(&found(json!([{ "delivery_status": "FAILED" }]))), Short::Unknown);
    assert_eq!(Short::from(&found(json!([]))), Short::Unknown);
}
