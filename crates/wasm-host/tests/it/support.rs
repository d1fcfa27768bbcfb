//! Builders: a host with every embedded adapter, connections, calls, answers.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, LazyLock},
};

use bytes::Bytes;
use hermes_domain::{
    AttemptRef, ConnectionId, MessageId, UnixMillis,
    address::{Channel, Destination, Phone},
    connection::Connection,
    content::{ChannelContent, Sms},
    message::Mode,
    outcome::{Acceptance, ErrorClass, Outcome, ReceiptStatus},
};
use hermes_ports::{
    adapter::{
        AdapterHost, AdapterStep, ConnectionAccess, Pending, ReceiveResult, Received, ReceivedEntry, Secrets,
        SendCall,
    },
    http::{HttpRequest, HttpResponse, Method, Webhook},
};
use hermes_wasm_host::{HostOptions, WasmHost};
use serde_json::Value;

/// The reference of every call here.
pub(crate) const REFERENCE: &str = "msg_01KDYYXGFEMXQKR0ZC0000001A.1";

/// When every webhook here arrives: 2026-11-24T02:00:00Z.
pub(crate) const RECEIVED_AT: UnixMillis = UnixMillis(1_795_485_600_000);

/// Guest time in tests, in milliseconds: the host's own part is unoptimised here and counts, and what is
/// tested is that a limit holds, not which.
pub(crate) const GUEST_TIME_MS: u64 = 400;

/// Options with a cache of compiled code, as every test is its own process.
pub(crate) fn options() -> HostOptions {
    let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("adapter-code");
    HostOptions { cache_dir: Some(cache), guest_time_ms: GUEST_TIME_MS, ..HostOptions::default() }
}

/// The embedded adapters.
pub(crate) fn host() -> &'static WasmHost {
    static HOST: LazyLock<WasmHost> = LazyLock::new(|| {
        let host = WasmHost::new(options()).unwrap();
        host.install_embedded().unwrap();
        host
    });
    &HOST
}

/// A connection of `provider`.
pub(crate) fn access(provider: &str, config: Value, secrets: &[(&str, &str)]) -> ConnectionAccess {
    let config: BTreeMap<String, Value> = serde_json::from_value(config).unwrap();
    let secrets = secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let connection = Connection {
        id: ConnectionId::new(UnixMillis(1_767_323_045_000), 7),
        tenant: None,
        mode: Mode::Live,
        provider: provider.to_owned(),
        name: provider.to_owned(),
        channel: Channel::Sms,
        config,
        rate_per_s: None,
        held: false,
        created_at: UnixMillis(0),
    };
    ConnectionAccess { connection: Arc::new(connection), secrets: Arc::new(Secrets(secrets)) }
}

/// A submission to `to`.
pub(crate) fn call(to: Destination, content: ChannelContent) -> SendCall {
    SendCall {
        reference: REFERENCE.parse::<AttemptRef>().unwrap(),
        to,
        sender: None,
        content,
        callback_url: format!("https://hermes.example.com/receipts/x/prv_1?ref={REFERENCE}"),
        valid_for_s: 3_600,
        expires_at: UnixMillis(1_767_326_645_678),
        tags: vec!["order".to_owned(), "ny kunde".to_owned()],
        ack_url: None,
        alternate: false,
    }
}

/// An SMS.
pub(crate) fn sms(text: &str) -> SendCall {
    let content = Sms { text: Some(text.to_owned()), media_urls: Vec::new() };
    call(Destination::Sms(Phone::parse("+447400123456").unwrap()), ChannelContent::Sms(content))
}

/// Begins a submission that must ask for a request.
pub(crate) fn begin(access: &ConnectionAccess, call: &SendCall) -> (HttpRequest, Pending) {
    asked(host().send(access, call).unwrap())
}

/// The request of a step that must be one.
pub(crate) fn asked<T: std::fmt::Debug>(step: AdapterStep<T>) -> (HttpRequest, Pending) {
    match step {
        AdapterStep::Request(request, pending) => (request, pending),
        AdapterStep::Done(done) => panic!("expected a request, got {done:?}"),
    }
}

/// The result of a step that must be the last.
pub(crate) fn done<T>(step: AdapterStep<T>) -> T {
    match step {
        AdapterStep::Done(done) => done,
        AdapterStep::Request(request, _) => panic!("expected the end, got {request:?}"),
    }
}

/// The outcome of `call` when the provider answers `response`.
pub(crate) fn outcome(access: &ConnectionAccess, call: &SendCall, response: &HttpResponse) -> Outcome {
    let (_, pending) = begin(access, call);
    done(host().resume_send(access, pending, response).unwrap())
}

/// A response.
pub(crate) fn response(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> HttpResponse {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    HttpResponse { status, headers, body: Bytes::copy_from_slice(body.as_ref()) }
}

/// A webhook by POST.
pub(crate) fn post(url: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Webhook {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Webhook {
        method: Method::Post,
        url: url.to_owned(),
        headers,
        body: Bytes::copy_from_slice(body.as_ref()),
        received_at: RECEIVED_AT,
    }
}

/// The only entry of a webhook that must be taken.
pub(crate) fn only_entry(result: ReceiveResult) -> ReceivedEntry {
    let Received { mut entries, .. } = result.expect("the webhook must be taken");
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.remove(0)
}

/// A header of a request.
pub(crate) fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// An outcome in short: its kind, class and pause.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Short {
    Accepted,
    Rejected(ErrorClass),
    Throttled(Option<u64>),
    NotSent,
    ServerError,
    Unknown,
}

impl From<&Outcome> for Short {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Accepted(Acceptance { .. }) => Self::Accepted,
            Outcome::Rejected(failure) => Self::Rejected(failure.class),
            Outcome::Throttled { retry_after_ms, .. } => Self::Throttled(*retry_after_ms),
            Outcome::NotSent(_) => Self::NotSent,
            Outcome::ServerError(_) => Self::ServerError,
            Outcome::Unknown(_) => Self::Unknown,
            Outcome::AdapterFault(failure) => panic!("a guest cannot say this: {failure:?}"),
        }
    }
}

/// A message id is needed where the reference is parsed.
pub(crate) fn reference_of(text: &str) -> MessageId {
    text.parse::<AttemptRef>().unwrap().message
}

/// A receipt's status in short: its name and class; `nothing` where there was no receipt.
pub(crate) fn short_status(status: Option<ReceiptStatus>) -> (&'static str, Option<ErrorClass>) {
    match status {
        None => ("nothing", None),
        Some(ReceiptStatus::Reached(level)) => (level.as_str(), None),
        Some(ReceiptStatus::Undelivered(failure)) => ("undelivered", Some(failure.class)),
        Some(ReceiptStatus::Failed(failure)) => ("failed", Some(failure.class)),
        Some(ReceiptStatus::Rejected(failure)) => ("rejected", Some(failure.class)),
        Some(ReceiptStatus::Expired(failure)) => ("expired", Some(failure.class)),
    }
}

pub(crate) fn hmac_sha256(key: &str, data: &[u8]) -> Vec<u8> {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key.as_bytes());
    ring::hmac::sign(&key, data).as_ref().to_vec()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
