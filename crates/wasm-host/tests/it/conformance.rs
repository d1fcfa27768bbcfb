//! Requests for all kinds of messages fit the providers' own files, and a request with a mistake does not.

use std::panic::catch_unwind;

use hermes_domain::{
    address::{Destination, Email, Phone, PushToken},
    content::{ChannelContent, EmailBody, Push, Sms, Whatsapp},
};
use hermes_ports::adapter::{AdapterHost as _, AdapterStep, ConnectionAccess, SendCall};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    specs,
    support::{access, call, host},
};

/// A provider: its connection, and how a request of it is held against its file.
struct Provider {
    access: ConnectionAccess,
    check: fn(&[u8]),
}

fn json_of(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

fn twilio() -> Provider {
    let secrets = [("account_sid", "AC00000000000000000000000000000001"), ("auth_token", "t")];
    Provider {
        access: access("twilio", json!({ "from": "+15005550006" }), &secrets),
        check: specs::twilio_form,
    }
}

fn vonage(api: &str) -> Provider {
    let secrets = [("api_key", "abcd1234"), ("api_secret", "s")];
    let access = access("vonage", json!({ "from": "ACME", "api": api }), &secrets);
    let check: fn(&[u8]) = match api {
        "sms" => specs::vonage_form,
        _ => |body| specs::vonage_message(&json_of(body)),
    };
    Provider { access, check }
}

fn messente() -> Provider {
    let access = access("messente", json!({ "sender": "ACME" }), &[("username", "u"), ("password", "p")]);
    Provider { access, check: |body| specs::messente_omnimessage(&json_of(body)) }
}

fn ses() -> Provider {
    let secrets = [("access_key_id", "AKIDEXAMPLE"), ("secret_access_key", "s")];
    let config = json!({ "region": "eu-west-1", "from": "a@example.com", "configuration_set": "hermes" });
    Provider { access: access("ses", config, &secrets), check: |body| specs::ses_send_email(&json_of(body)) }
}

fn fcm() -> Provider {
    let access = access("fcm", json!({ "project_id": "p-1" }), &[("service_account", "{}")]);
    Provider { access, check: |body| specs::fcm_send(&json_of(body)) }
}

fn whatsapp() -> Provider {
    let secrets = [("access_token", "t"), ("app_secret", "s"), ("verify_token", "v")];
    let access = access("whatsapp", json!({ "phone_number_id": "106540352242922" }), &secrets);
    Provider { access, check: |body| specs::whatsapp_message(&json_of(body)) }
}

/// The body that submits `call`; `None` where the adapter refuses it before any request.
fn body(provider: &Provider, call: &SendCall) -> Option<Vec<u8>> {
    match host().send(&provider.access, call).unwrap() {
        AdapterStep::Request(request, _) => Some(request.body.to_vec()),
        AdapterStep::Done(_) => None,
    }
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![".{1,160}", "[a-zA-Z0-9 €{}^æøå]{1,400}", "\\PC{1,200}"]
}

fn phones() -> impl Strategy<Value = Phone> {
    prop_oneof!["\\+4790[0-9]{6}", "\\+4520[1-9][0-9]{5}", "\\+3725[0-9]{6}"]
        .prop_filter_map("a valid number", |text| Phone::parse(&text).ok())
}

fn sms_calls() -> impl Strategy<Value = SendCall> {
    let sender = proptest::option::of(prop_oneof!["[A-Za-z][A-Za-z0-9]{0,10}", "\\+4520[1-9][0-9]{5}"]);
    (phones(), texts(), sender, 1_u32..300_000).prop_map(|(to, text, sender, valid_for_s)| {
        let content = ChannelContent::Sms(Sms { text: Some(text), media_urls: Vec::new() });
        SendCall { sender, valid_for_s, ..call(Destination::Sms(to), content) }
    })
}

fn email_calls() -> impl Strategy<Value = SendCall> {
    let bodies = (proptest::option::of(texts()), texts(), any::<bool>());
    let tags = proptest::collection::vec("[a-z ]{1,12}", 0..4);
    ("[a-z]{1,12}@[a-z]{1,12}\\.com", texts(), bodies, tags).prop_map(
        |(to, subject, (html, text, both), tags)| {
            let text = (both || html.is_none()).then_some(text);
            let content = EmailBody {
                subject: Some(subject),
                text,
                html,
                list_unsubscribe: both.then(|| "https://example.com/u".to_owned()),
                ..EmailBody::default()
            };
            SendCall {
                tags,
                ..call(Destination::Email(Email::parse(&to).unwrap()), ChannelContent::Email(content))
            }
        },
    )
}

fn push_calls() -> impl Strategy<Value = SendCall> {
    let data = proptest::collection::btree_map("[a-z]{2,8}[0-9]", texts(), 0..4);
    (texts(), proptest::option::of(texts()), data, 1_u32..3_000_000).prop_map(
        |(title, text, data, valid_for_s)| {
            let content = Push { title: Some(title), body: text, data, ..Push::default() };
            let token = PushToken { token: "token".to_owned(), platform: None };
            SendCall { valid_for_s, ..call(Destination::Push(token), ChannelContent::Push(content)) }
        },
    )
}

fn whatsapp_calls() -> impl Strategy<Value = SendCall> {
    let content = prop_oneof![
        texts().prop_map(|text| Whatsapp { text: Some(text), ..Whatsapp::default() }),
        texts().prop_map(|text| {
            let parameters = json!([{ "type": "text", "text": text }]);
            let template = json!({ "name": "shipped", "language": "da",
                "components": [{ "type": "body", "parameters": parameters }] });
            Whatsapp { template: Some(template), ..Whatsapp::default() }
        }),
        "[a-z]{1,9}".prop_map(|name| {
            let image =
                json!({ "image": { "link": format!("https://example.com/{name}.png"), "caption": name } });
            Whatsapp { media: Some(image), ..Whatsapp::default() }
        }),
    ];
    (phones(), content)
        .prop_map(|(to, content)| call(Destination::Whatsapp(to), ChannelContent::Whatsapp(content)))
}

fn fits(provider: &Provider, call: &SendCall) {
    if let Some(body) = body(provider, call) {
        (provider.check)(&body);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_sms_fits(call in sms_calls()) {
        for provider in [twilio(), vonage("messages"), vonage("sms"), messente()] {
            fits(&provider, &call);
        }
    }

    #[test]
    fn every_email_fits(call in email_calls()) {
        fits(&ses(), &call);
    }

    #[test]
    fn every_push_fits(call in push_calls()) {
        fits(&fcm(), &call);
    }

    #[test]
    fn every_whatsapp_message_fits(call in whatsapp_calls()) {
        fits(&whatsapp(), &call);
    }
}

/// Parts that the files leave open: what they hold is the tenant's.
const OPEN: [&str; 4] =
    ["/message/data", "/message/apns/headers", "/message/webpush/headers", "/template/components"];

/// `body` with each field renamed, and with each value of another type.
fn mistakes(body: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    collect(body, "", &mut |pointer: &str| {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let mut renamed = body.clone();
        if let Some(Value::Object(map)) = renamed.pointer_mut(parent) {
            let value = map.remove(name).unwrap();
            map.insert(format!("{name}_x"), value);
            all.push((format!("{pointer} renamed"), renamed));
        }
        let mut retyped = body.clone();
        let value = retyped.pointer_mut(pointer).unwrap();
        *value = if value.is_string() || value.is_array() || value.is_object() {
            json!(7)
        } else {
            json!("seven")
        };
        all.push((format!("{pointer} retyped"), retyped));
    });
    all
}

fn collect(value: &Value, pointer: &str, found: &mut impl FnMut(&str)) {
    if OPEN.contains(&pointer) {
        return;
    }
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(name, inner)| (name.clone(), inner)).collect(),
        Value::Array(list) => {
            list.iter().enumerate().map(|(index, inner)| (index.to_string(), inner)).collect()
        }
        _ => Vec::new(),
    };
    for (name, inner) in children {
        let pointer = format!("{pointer}/{name}");
        found(&pointer);
        collect(inner, &pointer, found);
    }
}

#[test]
fn a_json_request_with_a_mistake_does_not_fit() {
    let sms = ChannelContent::Sms(Sms { text: Some("Hi".to_owned()), media_urls: Vec::new() });
    let sms = call(Destination::Sms(Phone::parse("+4520123456").unwrap()), sms);
    let mail = EmailBody {
        subject: Some("Hi".to_owned()),
        text: Some("Hi".to_owned()),
        html: Some("<p>Hi</p>".to_owned()),
        ..EmailBody::default()
    };
    let mail = call(Destination::Email(Email::parse("a@example.com").unwrap()), ChannelContent::Email(mail));
    let push = Push { title: Some("Hi".to_owned()), body: Some("Hi".to_owned()), ..Push::default() };
    let token = PushToken { token: "token".to_owned(), platform: None };
    let push = call(Destination::Push(token), ChannelContent::Push(push));
    let text = Whatsapp { text: Some("Hi".to_owned()), ..Whatsapp::default() };
    let to = Destination::Whatsapp(Phone::parse("+4520123456").unwrap());
    let text = call(to, ChannelContent::Whatsapp(text));
    for (provider, call) in
        [(vonage("messages"), &sms), (messente(), &sms), (ses(), &mail), (fcm(), &push), (whatsapp(), &text)]
    {
        let good = json_of(&body(&provider, call).unwrap());
        let mistakes = mistakes(&good);
        assert!(mistakes.len() >= 10);
        for (what, bad) in mistakes {
            let check = provider.check;
            let bad = serde_json::to_vec(&bad).unwrap();
            let refused = catch_unwind(move || check(&bad)).is_err();
            assert!(refused, "{}: {what} passes", provider.access.connection.provider);
        }
    }
}

#[test]
fn a_form_with_a_mistake_does_not_fit() {
    let sms = ChannelContent::Sms(Sms { text: Some("Hi".to_owned()), media_urls: Vec::new() });
    let sms = call(Destination::Sms(Phone::parse("+4520123456").unwrap()), sms);
    for (provider, number) in [(twilio(), "ValidityPeriod"), (vonage("sms"), "ttl")] {
        let good = body(&provider, &sms).unwrap();
        let fields: Vec<(String, String)> = form_urlencoded::parse(&good).into_owned().collect();
        let form = |fields: &[(String, String)]| {
            form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()
        };
        let check = provider.check;
        for index in 0..fields.len() {
            let mut renamed = fields.clone();
            renamed[index].0.push('x');
            let bad = form(&renamed);
            assert!(catch_unwind(move || check(&bad)).is_err(), "{} renamed passes", fields[index].0);
        }
        let mut retyped = fields.clone();
        retyped.iter_mut().find(|(name, _)| name == number).unwrap().1 = "soon".to_owned();
        let bad = form(&retyped);
        assert!(catch_unwind(move || check(&bad)).is_err(), "{number} retyped passes");
    }
}
