//! Microseconds per call on a reused instance: `cargo run --release --example adapter_call`.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use hermes_domain::{
    AttemptRef, ConnectionId, MessageId, UnixMillis,
    address::{Channel, Destination, Phone},
    connection::Connection,
    content::{ChannelContent, Sms},
    message::Mode,
};
use hermes_ports::{
    adapter::{AdapterHost, AdapterStep, ConnectionAccess, Secrets, SendCall},
    http::{HttpResponse, Method, Webhook},
};
use hermes_wasm_host::{HostOptions, WasmHost};

const CALLS: u32 = 20_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = WasmHost::new(HostOptions::default())?;
    host.install_embedded()?;
    let (access, call) = (access(), call()?);
    let answer = HttpResponse {
        status: 201,
        headers: Vec::new(),
        body: br#"{"sid":"SM1","status":"queued"}"#.to_vec().into(),
    };
    let webhook = Webhook {
        method: Method::Post,
        url: "https://hermes.example.com/receipts/twilio/prv_1?ref=msg_1.1".to_owned(),
        headers: vec![("x-twilio-signature".to_owned(), "AAAA".to_owned())],
        body: b"MessageSid=SM1&MessageStatus=delivered&To=%2B447400123456".to_vec().into(),
        received_at: UnixMillis(0),
    };
    measure("send", || host.send(&access, &call).map(|_| ()))?;
    measure("send + resume", || match host.send(&access, &call)? {
        AdapterStep::Request(_, pending) => host.resume_send(&access, pending, &answer).map(|_| ()),
        AdapterStep::Done(_) => Ok(()),
    })?;
    measure("receive", || host.receive(&access, &webhook).map(|_| ()))?;
    Ok(())
}

fn measure<E>(what: &str, mut run: impl FnMut() -> Result<(), E>) -> Result<(), E> {
    run()?;
    let started = Instant::now();
    for _ in 0..CALLS {
        run()?;
    }
    let micros = started.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS);
    println!("{what:>14}: {micros:.1} µs");
    Ok(())
}

fn access() -> ConnectionAccess {
    let text = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
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
    let secrets = Secrets(text(&[("account_sid", "AC1"), ("auth_token", "12345")]));
    ConnectionAccess { connection: Arc::new(connection), secrets: Arc::new(secrets) }
}

fn call() -> Result<SendCall, Box<dyn std::error::Error>> {
    Ok(SendCall {
        reference: AttemptRef {
            message: MessageId::mint(UnixMillis(1_767_323_045_000), 1, 1, 1),
            attempt: 1,
        },
        to: Destination::Sms(Phone::parse("+447400123456")?),
        sender: None,
        content: ChannelContent::Sms(Sms {
            text: Some("Your code is 123456".to_owned()),
            media_urls: Vec::new(),
        }),
        callback_url: "https://hermes.example.com/receipts/twilio/prv_1?ref=msg_1.1".to_owned(),
        valid_for_s: 60,
        expires_at: UnixMillis(1_767_323_105_000),
        tags: Vec::new(),
        ack_url: None,
        alternate: false,
    })
}
