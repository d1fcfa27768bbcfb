//! The body of `SendEmail`.

use base64::{Engine, prelude::BASE64_STANDARD};
use hermes_adapter_sdk::{
    contract::{Attachment, EmailContent, ErrorClass, Outcome},
    host, refused_with, sanitized,
};
use serde_json::{Map, Value, json};

/// Longest header value that SES takes.
const HEADER_CHARS_MAX: usize = 995;
/// Longest tag value that SES takes.
const TAG_CHARS_MAX: usize = 256;

/// One recipient per call, or events would not tell whom they are about.
pub(crate) fn build(tags: Value, from: &str, to: &str, content: EmailContent) -> Result<Value, Outcome> {
    let mut message = Map::new();
    message.insert("FromEmailAddress".to_owned(), mailbox(from)?.into());
    message.insert("Destination".to_owned(), json!({ "ToAddresses": [to] }));
    if let Some(reply_to) = &content.reply_to {
        message.insert("ReplyToAddresses".to_owned(), json!([mailbox(reply_to)?]));
    }
    let simple = Map::from_iter([("Simple".to_owned(), simple(content)?)]);
    message.insert("Content".to_owned(), simple.into());
    message.insert("EmailTags".to_owned(), tags);
    if let Some(set) = host::get_config("configuration_set").filter(|set| !set.is_empty()) {
        message.insert("ConfigurationSetName".to_owned(), set.into());
    }
    Ok(Value::Object(message))
}

/// Moves bodies and attachments instead of copying them: they may be most of a guest's memory.
fn simple(content: EmailContent) -> Result<Value, Outcome> {
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
        simple.insert("Headers".to_owned(), unsubscribe_headers(url)?);
    }
    if !content.attachments.is_empty() {
        simple.insert("Attachments".to_owned(), content.attachments.into_iter().map(attachment).collect());
    }
    Ok(Value::Object(simple))
}

fn utf8(text: String) -> Value {
    let pairs = [("Data", text.into()), ("Charset", "UTF-8".into())];
    Value::Object(pairs.into_iter().map(|(name, value): (&str, Value)| (name.to_owned(), value)).collect())
}

/// RFC 8058: one click, no landing page.
fn unsubscribe_headers(url: &str) -> Result<Value, Outcome> {
    let fits = url.len() <= HEADER_CHARS_MAX - 2 && url.bytes().all(|byte| byte.is_ascii_graphic());
    if !fits {
        return Err(refused_with(ErrorClass::ContentRejected, "list_unsubscribe does not fit a header"));
    }
    Ok(json!([
        { "Name": "List-Unsubscribe", "Value": format!("<{url}>") },
        { "Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click" },
    ]))
}

fn attachment(file: Attachment) -> Value {
    let disposition = if file.content_id.is_some() { "INLINE" } else { "ATTACHMENT" };
    let pairs: [(&str, Value); 5] = [
        ("FileName", file.filename.into()),
        ("ContentType", file.content_type.into()),
        ("RawContent", file.content_base64.into()),
        ("ContentTransferEncoding", "BASE64".into()),
        ("ContentDisposition", disposition.into()),
    ];
    let id = file.content_id.map(|id| ("ContentId", Value::from(id)));
    Value::Object(pairs.into_iter().chain(id).map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Our reference first: it comes back with every event. Tag values allow no dot.
pub(crate) fn tags(reference: &str, tags: &[String]) -> Value {
    let reference = json!({ "Name": "hermes_ref", "Value": sanitized(reference, TAG_CHARS_MAX) });
    let own = tags.iter().filter(|tag| !tag.is_empty()).enumerate();
    let own = own.map(|(index, tag)| json!({ "Name": format!("hermes_tag_{index}"), "Value": sanitized(tag, TAG_CHARS_MAX) }));
    std::iter::once(reference).chain(own).collect()
}

/// `address` or `Name <address>`; a name beyond ASCII is encoded (RFC 2047), an address cannot be.
fn mailbox(text: &str) -> Result<String, Outcome> {
    let text = text.trim();
    if text.is_ascii() {
        return Ok(text.to_owned());
    }
    let parts = text.strip_suffix('>').and_then(|text| text.rsplit_once('<'));
    match parts.filter(|(_, address)| address.is_ascii()) {
        Some((name, address)) => Ok(format!("{} <{address}>", encoded_words(name.trim().trim_matches('"')))),
        None => Err(refused_with(ErrorClass::SenderRejected, "an address of the message is not ASCII")),
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
