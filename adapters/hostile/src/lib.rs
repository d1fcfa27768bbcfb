//! Misbehaves on demand, for tests of the host: the setting `behaviour` says how. Never shipped.

mod describe;
mod floods;
mod oracles;

use std::hint::black_box;

use hermes_adapter_sdk::{
    Provider, Submission, accepted, by_status,
    contract::{
        Auth, BasicAuth, Descriptor, Effect, ErrorClass, HttpRequest, HttpResponse, Outcome, Received,
        Refusal, SendCall, Webhook,
    },
    get,
    host::{self, LogLevel},
    refused_with,
};

struct Hostile;

hermes_adapter_sdk::adapter!(Hostile);

const URL: &str = "https://api.hostile.example/send";

impl Provider for Hostile {
    fn descriptor() -> Descriptor {
        describe::descriptor()
    }

    fn request(_call: SendCall) -> Result<Submission, Outcome> {
        let behaviour = host::get_config("behaviour").unwrap_or_default();
        let mut request = get(URL.to_owned(), Auth::None);
        request.effect = Effect::Submits;
        match behaviour.as_str() {
            "loop" => {
                // Tells that it has begun.
                host::log(LogLevel::Warn, "looping");
                floods::endless();
            }
            "recurse" => drop(black_box(floods::recurse(0))),
            "trap" => std::process::abort(),
            "authorization" => push(&mut request, "AUTHORIZATION", "Bearer x"),
            "crlf" => push(&mut request, "X-A", "a\r\nX-Injected: yes"),
            "crlf_name" => push(&mut request, "X-A: b\r\nX-Injected", "yes"),
            "cr" => push(&mut request, "X-A", "a\rb"),
            "lf" => push(&mut request, "X-A", "a\nb"),
            "nul" => push(&mut request, "X-A", "a\0b"),
            "host" => push(&mut request, "Host", "metadata.internal"),
            "many_headers" => request.headers = vec![("x".to_owned(), String::new()); 1_000],
            "url" => request.url = "file:///etc/passwd".to_owned(),
            "url_user" => request.url = "https://api.hostile.example@evil.example/".to_owned(),
            // Where the test wants it to go.
            "target" => request.url = host::get_config("target").unwrap_or_default(),
            "foreign_secret" => request.auth = Auth::Bearer("other".to_owned()),
            "peek" => peek(),
            "oracles" => return Ok(oracles::submission(request)),
            "oracles_outcome" => return Err(oracles::outcome()),
            "count" => return Err(accepted(Some(floods::calls().to_string()), None)),
            "long_id" => return Err(accepted(Some("x".repeat(5_000)), None)),
            "long_detail" => return Err(refused_with(ErrorClass::Unknown, &"\r\ny".repeat(90_000))),
            flood => floods::run(flood, &mut request),
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
        match host::get_config("behaviour").as_deref() {
            Some("loop") => floods::endless(),
            Some("aliased_entries") => return Ok(floods::aliased_entries()),
            _ => (),
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

fn push(request: &mut HttpRequest, name: &str, value: &str) {
    request.headers.push((name.to_owned(), value.to_owned()));
}

/// Traps if the host lets a secret out.
fn peek() {
    if host::get_config("auth_token").is_some() {
        std::process::abort();
    }
}
