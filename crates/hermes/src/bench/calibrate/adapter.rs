//! What a call of an adapter costs: Twilio's real component, on an instance that is used again and again.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use hermes_domain::{
    AttemptRef, ConnectionId, MessageId, UnixMillis,
    address::{Channel, Destination, Phone},
    connection::Connection,
    content::{ChannelContent, Sms},
    message::Mode,
};
use hermes_ports::{
    adapter::{AdapterHost as _, AdapterStep, ConnectionAccess, Secrets, SendCall},
    http::{HttpResponse, Method, Webhook},
};
use hermes_wasm_host::{HostOptions, WasmHost};
use serde::Serialize;

const CALLBACK: &str = "https://hermes.example.com/receipts/twilio/prv_1?ref=msg_1.1";

/// Microseconds per call.
#[derive(Debug, Serialize)]
pub(super) struct Calls {
    /// A message becomes a request, and its answer an outcome.
    pub(super) send_us: f64,
    /// A receipt is read. Its signature is wrong, so this is the least.
    pub(super) receive_us: f64,
}

/// Calls for `length`, half of it each way.
///
/// # Errors
/// When the adapter cannot be loaded or fails.
pub(super) fn measure(length: Duration) -> anyhow::Result<Calls> {
    let host = WasmHost::new(HostOptions::default()).context("could not start the adapter engine")?;
    host.install_embedded().context("an adapter of this binary was refused")?;
    let (access, call, receipt) = (access(), call()?, receipt());
    let answer = HttpResponse {
        status: 201,
        headers: Vec::new(),
        body: br#"{"sid":"SM1","status":"queued"}"#.to_vec().into(),
    };
    let send = || match host.send(&access, &call)? {
        AdapterStep::Request(_, pending) => host.resume_send(&access, pending, &answer).map(drop),
        AdapterStep::Done(_) => Ok(()),
    };
    Ok(Calls {
        send_us: each_us(length / 2, send).context("the adapter failed to send")?,
        receive_us: each_us(length / 2, || host.receive(&access, &receipt).map(drop))
            .context("the adapter failed to read a receipt")?,
    })
}

fn each_us<E>(length: Duration, mut call: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    call()?; // The first call makes the instance.
    let (started, mut calls) = (Instant::now(), 0_u32);
    while started.elapsed() < length {
        call()?;
        calls += 1;
    }
    Ok(started.elapsed().as_secs_f64() * 1e6 / f64::from(calls.max(1)))
}

fn access() -> ConnectionAccess {
    let connection = Connection {
        id: ConnectionId::new(UnixMillis(1), 1),
        tenant: None,
        mode: Mode::Live,
        provider: "twilio".to_owned(),
        name: "twilio".to_owned(),
        channel: Channel::Sms,
        config: BTreeMap::from([("from".to_owned(), "ACME".into())]),
        rate_per_s: None,
        held: false,
        created_at: UnixMillis(0),
    };
    let secrets = [("account_sid", "AC1"), ("auth_token", "12345")];
    let secrets = secrets.map(|(name, value)| (name.to_owned(), value.to_owned()));
    ConnectionAccess { connection: Arc::new(connection), secrets: Arc::new(Secrets(secrets.into())) }
}

fn call() -> anyhow::Result<SendCall> {
    let message = MessageId::mint(UnixMillis(1_767_323_045_000), 1, 1, 1);
    Ok(SendCall {
        reference: AttemptRef { message, attempt: 1 },
        to: Destination::Sms(Phone::parse("+4520123456")?),
        sender: None,
        content: ChannelContent::Sms(Sms {
            text: Some("Order 1042 has shipped".to_owned()),
            media_urls: Vec::new(),
        }),
        callback_url: CALLBACK.to_owned(),
        valid_for_s: 60,
        expires_at: UnixMillis(1_767_323_105_000),
        tags: Vec::new(),
        ack_url: None,
        alternate: false,
    })
}

fn receipt() -> Webhook {
    Webhook {
        method: Method::Post,
        url: CALLBACK.to_owned(),
        headers: vec![("x-twilio-signature".to_owned(), "AAAA".to_owned())],
        body: b"MessageSid=SM1&MessageStatus=delivered&To=%2B4520123456".to_vec().into(),
        received_at: UnixMillis(0),
    }
}
