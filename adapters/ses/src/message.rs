//! The body of `SendEmail`.

use base64::{Engine, prelude::BASE64_STANDARD};
use hermes_adapter_sdk::{
    contract::{EmailContent, ErrorClass, Outcome},
    host, refused_with, sanitized,
};
use serde_json::{Map, Value, json};

use crate::mime;

/// Longest header value that SES takes.
const HEADER_CHARS_MAX: usize = 995;
/// Longest tag value that SES takes.
const TAG_CHARS_MAX: usize = 256;

/// Members that a connection's settings fill.
const SETTINGS: [(&str, &str); 3] = [
    ("ConfigurationSetName", "configuration_set"),
    ("TenantName", "tenant_name"),
    ("FeedbackForwardingEmailAddress", "feedback_address"),
];

/// What a mail says on its envelope.
pub(crate) struct Mail<'a> {
    /// Our reference.
    pub(crate) reference: &'a str,
    /// Who sends it.
    pub(crate) from: Mailbox,
    /// The one address it goes to.
    pub(crate) to: &'a str,
    /// In milliseconds since 1970.
    pub(crate) sent_at_ms: u64,
}

/// One recipient per call, or events would not tell whom they are about.
pub(crate) fn build(mail: &Mail<'_>, tags: Value, content: EmailContent) -> Result<Value, Outcome> {
    let mut message = Map::new();
    message.insert("FromEmailAddress".to_owned(), mail.from.encoded().into());
    message.insert("Destination".to_owned(), json!({ "ToAddresses": [mail.to] }));
    let reply_to = content.reply_to.as_deref().map(Mailbox::parse).transpose()?;
    if let Some(reply_to) = &reply_to {
        message.insert("ReplyToAddresses".to_owned(), json!([reply_to.encoded()]));
    }
    let (kind, content) = if content.attachments.is_empty() {
        ("Simple", simple(content)?)
    } else {
        ("Raw", Map::from_iter([("Data".to_owned(), mime::build(mail, reply_to.as_ref(), content)?.into())]))
    };
    message.insert("Content".to_owned(), Map::from_iter([(kind.to_owned(), content.into())]).into());
    message.insert("EmailTags".to_owned(), tags);
    for (member, setting) in SETTINGS {
        if let Some(value) = host::get_config(setting).filter(|value| !value.is_empty()) {
            message.insert(member.to_owned(), value.into());
        }
    }
    Ok(Value::Object(message))
}

fn simple(content: EmailContent) -> Result<Map<String, Value>, Outcome> {
    let mut body = Map::new();
    for (name, text) in [("Text", content.text), ("Html", content.html)] {
        if let Some(text) = text {
            body.insert(name.to_owned(), utf8(text));
        }
    }
    let mut simple = Map::new();
    simple.insert("Subject".to_owned(), utf8(content.subject));
    simple.insert("Body".to_owned(), Value::Object(body));
    if let Some(url) = &content.list_unsubscribe {
        let headers = unsubscribe_headers(url)?;
        let headers = headers.map(|(name, value)| json!({ "Name": name, "Value": value }));
        simple.insert("Headers".to_owned(), headers.to_vec().into());
    }
    Ok(simple)
}

fn utf8(text: String) -> Value {
    let pairs = [("Data", text.into()), ("Charset", "UTF-8".into())];
    Value::Object(pairs.into_iter().map(|(name, value): (&str, Value)| (name.to_owned(), value)).collect())
}

/// RFC 8058: one click, no landing page.
pub(crate) fn unsubscribe_headers(url: &str) -> Result<[(&'static str, String); 2], Outcome> {
    let fits = url.len() <= HEADER_CHARS_MAX - 2 && url.bytes().all(|byte| byte.is_ascii_graphic());
    if !fits {
        return Err(refused_with(ErrorClass::ContentRejected, "list_unsubscribe does not fit a header"));
    }
    Ok([
        ("List-Unsubscribe", format!("<{url}>")),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
    ])
}

/// Our reference first: it comes back with every event. Tag values allow no dot.
pub(crate) fn tags(reference: &str, tags: &[String]) -> Value {
    let reference = json!({ "Name": "hermes_ref", "Value": sanitized(reference, TAG_CHARS_MAX) });
    let own = tags.iter().filter(|tag| !tag.is_empty()).enumerate();
    let own = own.map(|(index, tag)| json!({ "Name": format!("hermes_tag_{index}"), "Value": sanitized(tag, TAG_CHARS_MAX) }));
    std::iter::once(reference).chain(own).collect()
}

/// `address` or `Name <address>`.
pub(crate) struct Mailbox {
    /// As it is shown, in any script.
    pub(crate) name: Option<String>,
    /// ASCII: SES takes no other.
    pub(crate) address: String,
}

impl Mailbox {
    pub(crate) fn parse(text: &str) -> Result<Self, Outcome> {
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
            Some((name, address)) => (name.trim().trim_matches('"'), address),
            None => ("", text),
        };
        if !address.is_ascii() {
            return Err(refused_with(ErrorClass::SenderRejected, "an address of the message is not ASCII"));
        }
        let name = (!name.is_empty()).then(|| name.to_owned());
        Ok(Self { name, address: address.to_owned() })
    }

    /// A name beyond ASCII as encoded words (RFC 2047), one with special characters in quotes.
    fn encoded(&self) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b" !#$%&'*+-/=?^_`{|}~".contains(&byte);
        match self.name.as_deref() {
            None => self.address.clone(),
            Some(name) if !name.is_ascii() => format!("{} <{}>", encoded_words(name), self.address),
            Some(name) if name.bytes().all(plain) => format!("{name} <{}>", self.address),
            Some(name) => {
                let name = name.replace('\\', "\\\\").replace('"', "\\\"");
                format!("\"{name}\" <{}>", self.address)
            }
        }
    }
}

/// Encoded words of at most 75 characters, cut between characters.
fn encoded_words(name: &str) -> String {
    const BYTES_PER_WORD: usize = 45;
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for char in name.chars() {
        if word.len() + char.len_utf8() > BYTES_PER_WORD {
            words.push(std::mem::take(&mut word));
        }
        word.push(char);
    }
    words.push(word);
    let encoded = words.iter().map(|word| format!("=?UTF-8?B?{}?=", BASE64_STANDARD.encode(word)));
    encoded.collect::<Vec<_>>().join(" ")
}
