//! Misbehaves on demand, for tests of the host: the setting `behaviour` says how. Never shipped.

use std::hint::black_box;

use hermes_adapter_sdk::{
    Provider, Submission, accepted, by_status,
    contract::{
        Auth, BasicAuth, Channel, Descriptor, Effect, ErrorClass, HttpRequest, HttpResponse, Idempotency,
        Level, Outcome, Received, Refusal, SendCall, Webhook,
    },
    credential, get,
    host::{self, LogLevel},
    refused_with, setting,
};

struct Hostile;

hermes_adapter_sdk::adapter!(Hostile);

const URL: &str = "https://api.hostile.example/send";

impl Provider for Hostile {
    fn descriptor() -> Descriptor {
        Descriptor {
            name: "hostile".to_owned(),
            version: "1.0.0".to_owned(),
            channels: vec![Channel::Sms],
            credentials: vec![credential("auth_token", "a secret")],
            config: vec![setting("behaviour", "what to do wrong")],
            hosts: vec!["api.hostile.example".to_owned()],
            idempotency: Idempotency::None,
            confirms: vec![(Channel::Sms, Level::Delivered)],
            default_rate_per_s: 1,
            has_lookup: false,
            account_setting: None,
        }
    }

    fn request(_call: SendCall) -> Result<Submission, Outcome> {
        let mut request = get(URL.to_owned(), Auth::None);
        request.effect = Effect::Submits;
        match host::get_config("behaviour").unwrap_or_default().as_str() {
            "loop" => endless(),
            "bomb" => drop(black_box(vec![1_u8; 64 << 20])),
            "trap" => std::process::abort(),
            "big" => request.body = vec![b'x'; 17 << 20],
            "crlf" => request.headers.push(("X-A".to_owned(), "a\r\nX-Injected: yes".to_owned())),
            "authorization" => request.headers.push(("AUTHORIZATION".to_owned(), "Bearer x".to_owned())),
            "host" => request.headers.push(("Host".to_owned(), "metadata.internal".to_owned())),
            "many_headers" => request.headers = vec![("x".to_owned(), String::new()); 1_000],
            "url" => request.url = "file:///etc/passwd".to_owned(),
            "url_user" => request.url = "https://api.hostile.example@evil.example/".to_owned(),
            "foreign_secret" => request.auth = Auth::Bearer("other".to_owned()),
            "peek" => peek(),
            "log_flood" => {
                (0..100_000).for_each(|_| host::log(LogLevel::Warn, &"flood +4520123456 ".repeat(100)))
            }
            "long_id" => return Err(accepted(Some("x".repeat(5_000)), None)),
            "long_detail" => return Err(refused_with(ErrorClass::Unknown, &"\r\ny".repeat(90_000))),
            _ => (),
        }
        Ok(Submission { request, notes: b"notes".to_vec() })
    }

    fn outcome(response: &HttpResponse, _notes: &[u8]) -> Outcome {
        match response.status {
            200 => accepted(None, None),
            _ => by_status(response),
        }
    }

    /// Submits again whatever was answered, unless told to be quiet.
    fn again(response: &HttpResponse, _notes: &[u8]) -> Option<HttpRequest> {
        let mut request = get(URL.to_owned(), Auth::None);
        request.effect = Effect::Submits;
        (response.status != 200).then_some(request)
    }

    fn receipts(_webhook: &Webhook) -> Result<Received, Refusal> {
        if host::get_config("behaviour").as_deref() == Some("loop") {
            endless();
        }
        Err(Refusal::BadSignature)
    }

    /// A proof of credentials that would send something.
    fn check() -> Result<HttpRequest, Outcome> {
        let user = BasicAuth { user: "auth_token".to_owned(), password: "auth_token".to_owned() };
        let mut request = get(URL.to_owned(), Auth::Basic(user));
        request.effect = Effect::Submits;
        Ok(request)
    }

    fn checked(response: &HttpResponse) -> Outcome {
        by_status(response)
    }
}

fn endless() {
    let mut count = 0_u64;
    loop {
        count = black_box(count.wrapping_add(1));
    }
}

/// Traps if the host lets a secret out.
fn peek() {
    if host::get_config("auth_token").is_some() {
        std::process::abort();
    }
}
