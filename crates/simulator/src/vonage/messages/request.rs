//! The body of a send request: every invalid parameter is named.

use serde_json::{Map, Value};
use url::Url;

use crate::{
    VonageAccount,
    inbound::query_parameter,
    reference::Reference,
    segments::{self, Encoding},
    vonage::{
        numbers::{is_number, is_sender},
        problem::InvalidParameter,
    },
};

const TEXT_CHARS_MAX: usize = 1000;
const CLIENT_REF_CHARS_MAX: usize = 100;
/// A week, in seconds.
const TTL_MAX_S: u64 = 604_800;

/// What a request asked for, once checked. Unknown members are ignored.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) to: String,
    pub(super) from: String,
    pub(super) text: String,
    pub(super) parts: usize,
    pub(super) client_ref: Option<String>,
    pub(super) webhook_url: Option<Url>,
}

type Body = Map<String, Value>;

/// The recipient as far as it can be read, for the log.
pub(super) fn recipient(body: &Body) -> &str {
    body.get("to").and_then(Value::as_str).unwrap_or_default()
}

/// Our reference: `client_ref`, else the `ref` parameter of the callback URL.
pub(super) fn reference(body: &Body) -> Option<Reference> {
    let text = |name| body.get(name).and_then(Value::as_str);
    text("client_ref").and_then(Reference::parse).or_else(|| {
        let (_, query) = text("webhook_url")?.split_once('?')?;
        query_parameter(Some(query), "ref").as_deref().and_then(Reference::parse)
    })
}

pub(super) fn check(body: &Body, account: &VonageAccount) -> Result<Message, Vec<InvalidParameter>> {
    let mut reader = Reader { body, invalid: Vec::new() };
    reader.one_of("message_type", &["text"], Needed::Yes);
    reader.one_of("channel", &["sms"], Needed::Yes);
    let to = reader.text("to", Needed::Yes, is_number);
    let may_send_as =
        |from: &str| account.senders.is_empty() || account.senders.iter().any(|own| own == from);
    let from = reader.text("from", Needed::Yes, |from| is_sender(from) && may_send_as(from));
    let text = reader.text("text", Needed::Yes, |text| (1..=TEXT_CHARS_MAX).contains(&text.chars().count()));
    let client_ref =
        reader.text("client_ref", Needed::No, |text| text.chars().count() <= CLIENT_REF_CHARS_MAX);
    let webhook_url = reader.text("webhook_url", Needed::No, |text| parse_url(text).is_some());
    reader.check("ttl", |ttl| ttl.as_u64().is_some_and(|ttl| (1..=TTL_MAX_S).contains(&ttl)));
    reader.one_of("webhook_version", &["v1"], Needed::No);
    reader.check("failover", |_| false);
    let encoding = reader.encoding();
    if !reader.invalid.is_empty() {
        return Err(reader.invalid);
    }
    Ok(Message {
        parts: segments::count(text.unwrap_or_default(), encoding),
        to: to.unwrap_or_default().to_owned(),
        from: from.unwrap_or_default().to_owned(),
        text: text.unwrap_or_default().to_owned(),
        client_ref: client_ref.map(str::to_owned),
        webhook_url: webhook_url.and_then(parse_url),
    })
}

fn parse_url(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Needed {
    Yes,
    No,
}

/// Reads members, and remembers which were wrong.
struct Reader<'a> {
    body: &'a Body,
    invalid: Vec<InvalidParameter>,
}

impl<'a> Reader<'a> {
    fn refuse(&mut self, name: &'static str, reason: &'static str) {
        self.invalid.push(InvalidParameter { name, reason });
    }

    fn text(
        &mut self,
        name: &'static str,
        needed: Needed,
        is_valid: impl FnOnce(&str) -> bool,
    ) -> Option<&'a str> {
        match self.body.get(name) {
            None | Some(Value::Null) if needed == Needed::Yes => self.refuse(name, "is required."),
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if is_valid(text) => return Some(text),
            Some(_) => self.refuse(name, "invalid value"),
        }
        None
    }

    fn one_of(&mut self, name: &'static str, allowed: &[&str], needed: Needed) {
        self.text(name, needed, |text| allowed.contains(&text));
    }

    /// A member that need not be there.
    fn check(&mut self, name: &'static str, is_valid: impl FnOnce(&Value) -> bool) {
        if self.body.get(name).is_some_and(|value| !value.is_null() && !is_valid(value)) {
            self.refuse(name, "invalid value");
        }
    }

    /// The members of `sms`.
    fn encoding(&mut self) -> Encoding {
        let options = match self.body.get("sms") {
            None | Some(Value::Null) => return Encoding::Auto,
            Some(Value::Object(options)) => options,
            Some(_) => {
                self.refuse("sms", "invalid value");
                return Encoding::Auto;
            }
        };
        for (name, dotted) in [("entity_id", "sms.entity_id"), ("content_id", "sms.content_id")] {
            if options.get(name).is_some_and(|value| !value.is_string()) {
                self.refuse(dotted, "invalid value");
            }
        }
        match options.get("encoding_type").map(Value::as_str) {
            None | Some(Some("auto")) => Encoding::Auto,
            Some(Some("text")) => Encoding::Gsm,
            Some(Some("unicode")) => Encoding::Ucs2,
            Some(Some(_) | None) => {
                self.refuse("sms.encoding_type", "invalid value");
                Encoding::Auto
            }
        }
    }
}

#[cfg(test)]
mod tests;
