//! A message with files, as MIME (RFC 2045 to 2049, RFC 2387 for images inside HTML).

use std::mem;

use base64::{Engine, prelude::BASE64_STANDARD};
use hermes_adapter_sdk::{
    contract::{Attachment, EmailContent, ErrorClass, Outcome},
    hex, host, refused_with,
};
use mail_builder::{
    MessageBuilder,
    headers::{address::Address, content_type::ContentType, date::Date, raw::Raw},
    mime::MimePart,
};

use crate::message::{Mail, Mailbox, unsubscribe_headers};

/// Characters of a line of base64 (RFC 2045, section 6.8).
const LINE_CHARS: usize = 76;
/// Room for headers, boundaries and line ends beside bodies and files, in bytes.
const HEADERS_BYTES: usize = 4 << 10;

/// The whole message, in base64.
///
/// Files are most of a guest's memory, so each is dropped as soon as its next form exists.
pub(crate) fn build(
    mail: &Mail<'_>,
    reply_to: Option<&Mailbox>,
    mut content: EmailContent,
) -> Result<String, Outcome> {
    let mut message = MessageBuilder::new()
        .from(address(&mail.from))
        .to(mail.to)
        .subject(mem::take(&mut content.subject))
        .date(Date::new(i64::try_from(mail.sent_at_ms / 1_000).unwrap_or(0)))
        .message_id(format!("{}@{}", mail.reference, domain(&mail.from.address)));
    if let Some(reply_to) = reply_to {
        message = message.reply_to(address(reply_to));
    }
    if let Some(url) = &content.list_unsubscribe {
        for (name, value) in unsubscribe_headers(url)? {
            message = message.header(name, Raw::new(value));
        }
    }
    let room = room(&content);
    let mut bytes = Vec::with_capacity(room);
    let written = message.body(body(mail, content)).write_to(&mut bytes);
    written
        .map_err(|_| refused_with(ErrorClass::ContentRejected, "the message cannot be written as MIME"))?;
    Ok(BASE64_STANDARD.encode(bytes))
}

fn address(mailbox: &Mailbox) -> Address<'_> {
    Address::new_address(mailbox.name.as_deref(), mailbox.address.as_str())
}

fn domain(address: &str) -> &str {
    address.rsplit_once('@').map_or("localhost", |(_, domain)| domain)
}

/// About as many bytes as the message takes.
fn room(content: &EmailContent) -> usize {
    let texts = [&content.text, &content.html].into_iter().flatten().map(|text| text.len() * 2);
    let files = content.attachments.iter();
    let files = files.map(|file| file.content_base64.len() / LINE_CHARS * (LINE_CHARS + 2) + HEADERS_BYTES);
    texts.sum::<usize>() + files.sum::<usize>() + HEADERS_BYTES
}

/// Bodies first, then files; images that the HTML names stay with the HTML.
fn body(mail: &Mail<'_>, content: EmailContent) -> MimePart<'static> {
    let (inline, files): (Vec<_>, Vec<_>) =
        content.attachments.into_iter().partition(|file| file.content_id.is_some());
    let mut texts: Vec<MimePart<'static>> = Vec::new();
    texts.extend(content.text.map(|text| MimePart::new("text/plain", text)));
    texts.extend(content.html.map(|html| MimePart::new("text/html", html)));
    let mut shown = joined(mail, "alternative", texts);
    if !inline.is_empty() {
        let parts = std::iter::once(shown).chain(inline.into_iter().map(part)).collect();
        shown = joined(mail, "related", parts);
    }
    joined(mail, "mixed", std::iter::once(shown).chain(files.into_iter().map(part)).collect())
}

/// One part as it is, several as a multipart.
fn joined(mail: &Mail<'_>, subtype: &str, mut parts: Vec<MimePart<'static>>) -> MimePart<'static> {
    match (parts.len(), parts.pop()) {
        (1, Some(part)) => part,
        (_, last) => {
            parts.extend(last);
            let content_type = ContentType::new(format!("multipart/{subtype}"));
            MimePart::new(content_type.attribute("boundary", boundary(mail, subtype)), parts)
        }
    }
}

/// No line of base64 or of quoted-printable text can hold `=_`; of a plain text the hash keeps it apart.
fn boundary(mail: &Mail<'_>, subtype: &str) -> String {
    let hash = hex(&host::sha256(format!("{subtype} {}", mail.reference).as_bytes()));
    format!("=_{}", hash.get(..32).unwrap_or(&hash))
}

fn part(file: Attachment) -> MimePart<'static> {
    let content_type =
        ContentType::new(media_type(file.content_type)).attribute("name", file.filename.clone());
    let content = lines(&file.content_base64);
    drop(file.content_base64);
    let part = MimePart::new(content_type, content).transfer_encoding("base64");
    let disposition = |kind: &'static str| ContentType::new(kind).attribute("filename", file.filename);
    match file.content_id {
        Some(id) => part.header("Content-Disposition", disposition("inline")).cid(printable(&id)),
        None => part.header("Content-Disposition", disposition("attachment")),
    }
}

/// Parameters may stay; what is no header value is some file.
fn media_type(text: String) -> String {
    let is_value = !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_value { text } else { "application/octet-stream".to_owned() }
}

fn printable(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).collect()
}

/// Base64 as lines.
fn lines(base64: &str) -> String {
    let mut lines = String::with_capacity(base64.len() / LINE_CHARS * (LINE_CHARS + 2) + LINE_CHARS);
    let mut rest = base64;
    while !rest.is_empty() {
        let (line, next) = rest.split_at_checked(LINE_CHARS).unwrap_or((rest, ""));
        lines.push_str(line);
        lines.push_str("\r\n");
        rest = next;
    }
    lines
}
