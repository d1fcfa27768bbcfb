//! Connections as the adapters' recorded exchanges have them, and calls that are made on their behalf.

use std::{collections::BTreeMap, sync::Arc};

use hermes_domain::{
    AttemptRef, ConnectionId, UnixMillis,
    address::{Channel, Destination, Email, Phone, PushToken},
    connection::Connection,
    content::{ChannelContent, EmailBody, Push, Sms, Whatsapp},
    message::Mode,
};
use hermes_ports::adapter::{AdapterFault, AdapterStep, ConnectionAccess, Pending, Secrets, SendCall};
use serde_json::Value;

use crate::signing::Scheme;

/// A connection of an adapter, by how its provider signs.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    /// What it is called in answers' first lines: the adapter, or one of its APIs.
    pub(crate) name: &'static str,
    pub(crate) access: ConnectionAccess,
    pub(crate) scheme: Scheme,
}

/// Every connection. Vonage has two APIs.
pub(crate) fn seats() -> Vec<Seat> {
    macro_rules! seat {
        ($name:literal, $adapter:literal, $fixture:literal, $scheme:ident) => {{
            let fixture =
                include_str!(concat!("../../../adapters/", $adapter, "/fixtures/", $fixture, ".json"));
            Seat { name: $name, access: access($adapter, fixture), scheme: Scheme::$scheme }
        }};
    }
    vec![
        seat!("fcm", "fcm", "webhook-refused", Nothing),
        seat!("messente", "messente", "webhook-delivered", Messente),
        seat!("ses", "ses", "webhook-delivered", Sns),
        seat!("twilio", "twilio", "webhook-shared-key", Twilio),
        seat!("vonage", "vonage", "messages-webhook-delivered", VonageToken),
        seat!("vonage-sms", "vonage", "sms-webhook-sha256", VonageParameters),
        seat!("whatsapp", "whatsapp", "webhook-delivered", Meta),
    ]
}

fn access(adapter: &str, fixture: &str) -> ConnectionAccess {
    let fixture: Value = serde_json::from_str(fixture).expect("the adapters' fixtures are JSON");
    let object = |name: &str| {
        fixture.pointer(&format!("/connection/{name}")).and_then(Value::as_object).into_iter().flatten()
    };
    let config: BTreeMap<String, Value> =
        object("config").map(|(name, value)| (name.clone(), value.clone())).collect();
    let secrets = object("credentials")
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    let connection = Connection {
        id: ConnectionId::new(UnixMillis(0), 1),
        tenant: None,
        mode: Mode::Test,
        provider: adapter.to_owned(),
        name: "fuzz".to_owned(),
        channel: Channel::Sms,
        config,
        rate_per_s: None,
        held: false,
        created_at: UnixMillis(0),
    };
    ConnectionAccess { connection: Arc::new(connection), secrets: Arc::new(Secrets(secrets)) }
}

/// A plain message on `channel`.
pub(crate) fn message(channel: Channel) -> SendCall {
    let text = || Some("Your order has shipped".to_owned());
    let phone = || Phone::parse("+4520123456").expect("a number of Denmark");
    let (to, content) = match channel {
        Channel::Sms => {
            let content = Sms { text: text(), media_urls: Vec::new() };
            (Destination::Sms(phone()), ChannelContent::Sms(content))
        }
        Channel::Email => {
            let to = Email::parse("a@example.com").expect("an address");
            let content = EmailBody { subject: text(), text: text(), ..EmailBody::default() };
            (Destination::Email(to), ChannelContent::Email(content))
        }
        Channel::Push => {
            let to = PushToken { token: "token".to_owned(), platform: None };
            (Destination::Push(to), ChannelContent::Push(Push { title: text(), ..Push::default() }))
        }
        Channel::Whatsapp => {
            let content = Whatsapp { text: text(), ..Whatsapp::default() };
            (Destination::Whatsapp(phone()), ChannelContent::Whatsapp(content))
        }
    };
    let reference = "msg_01KDYYXGFEMXQKR0ZC0000001A.1";
    SendCall {
        reference: reference.parse::<AttemptRef>().expect("a reference as they are printed"),
        to,
        sender: None,
        content,
        callback_url: format!("https://hermes.example.com/receipts/provider/prv_1?ref={reference}"),
        valid_for_s: 3_600,
        expires_at: UnixMillis(1_767_326_645_678),
        tags: Vec::new(),
        ack_url: None,
        alternate: false,
    }
}

/// Runs a call to its end; the host allows only a few rounds.
pub(crate) fn finish<T>(
    mut step: AdapterStep<T>,
    resume: impl Fn(Pending) -> Result<AdapterStep<T>, AdapterFault>,
) -> Result<T, AdapterFault> {
    loop {
        match step {
            AdapterStep::Done(done) => return Ok(done),
            AdapterStep::Request(_, pending) => step = resume(pending)?,
        }
    }
}
