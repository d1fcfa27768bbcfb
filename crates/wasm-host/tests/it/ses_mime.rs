//! Email with files: the MIME message that SES is given, read by a parser of its own.

use base64::{Engine, prelude::BASE64_STANDARD};
use hermes_domain::{
    address::{Destination, Email},
    content::{Attachment, ChannelContent, EmailBody},
};
use hermes_ports::adapter::{AdapterFault, AdapterHost, ConnectionAccess, SendCall};
use mail_parser::{Message, MessageParser, MimeHeaders as _};
use serde_json::{Value, json};

use crate::{
    specs,
    support::{access, begin, call, host},
};

fn connection() -> ConnectionAccess {
    let config = json!({ "region": "eu-west-1", "from": "Bjørn, Ærlig <no-reply@example.com>" });
    access("ses", config, &[("access_key_id", "AKIDEXAMPLE"), ("secret_access_key", "secret")])
}

fn email(content: EmailBody) -> SendCall {
    call(Destination::Email(Email::parse("alice@example.net").unwrap()), ChannelContent::Email(content))
}

fn file(filename: &str, content_type: &str, bytes: &[u8], content_id: Option<&str>) -> Attachment {
    Attachment {
        filename: filename.to_owned(),
        content_type: content_type.to_owned(),
        content_base64: BASE64_STANDARD.encode(bytes),
        content_id: content_id.map(str::to_owned),
    }
}

/// The request's JSON and the MIME message in it.
fn sent(content: EmailBody) -> (Value, Vec<u8>) {
    let body: Value = serde_json::from_slice(&begin(&connection(), &email(content)).0.body).unwrap();
    let data = body["Content"]["Raw"]["Data"].as_str().expect("raw content");
    let mime = BASE64_STANDARD.decode(data).unwrap();
    (body, mime)
}

fn parse(mime: &[u8]) -> Message<'_> {
    MessageParser::default().parse(mime).unwrap()
}

fn kind(message: &Message<'_>, part: usize) -> String {
    let kind = message.parts[part].content_type().unwrap();
    format!("{}/{}", kind.ctype(), kind.subtype().unwrap())
}

#[test]
fn bodies_images_and_files_arrive_in_their_places() {
    let pdf: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    let (body, mime) = sent(EmailBody {
        subject: Some(
            "Your receipt €5, a subject that is long enough to be folded over several lines".to_owned(),
        ),
        text: Some("Thank you.\n.\nMød æ\n".to_owned()),
        html: Some("<p>Thank you. <img src=\"cid:logo\"></p>".to_owned()),
        reply_to: Some("Support <support@example.com>".to_owned()),
        list_unsubscribe: Some("https://example.com/u/01JQZ8".to_owned()),
        attachments: vec![
            file("kvittering å.pdf", "application/pdf", &pdf, None),
            file("logo.png", "image/png", b"\x89PNG", Some("logo")),
            file("a.txt", "text/plain", b"--=_not a boundary\r\n", None),
        ],
    });
    specs::ses_send_email(&body);
    assert_eq!(body["Destination"]["ToAddresses"], json!(["alice@example.net"]));
    assert!(mime.split(|byte| *byte == b'\n').all(|line| line.len() <= 998 && line.is_ascii()));
    let lone = mime.windows(2).any(|pair| pair[1] == b'\n' && pair[0] != b'\r');
    assert!(!lone, "every line ends in CR LF");

    let message = parse(&mime);
    let kinds: Vec<String> = (0..message.parts.len()).map(|part| kind(&message, part)).collect();
    let expected = [
        "multipart/mixed",
        "multipart/related",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "image/png",
        "application/pdf",
        "text/plain",
    ];
    assert_eq!(kinds, expected);
    let from = message.from().unwrap().first().unwrap();
    assert_eq!((from.name(), from.address()), (Some("Bjørn, Ærlig"), Some("no-reply@example.com")));
    assert_eq!(message.to().unwrap().first().unwrap().address(), Some("alice@example.net"));
    assert_eq!(message.reply_to().unwrap().first().unwrap().address(), Some("support@example.com"));
    assert!(message.subject().unwrap().starts_with("Your receipt €5, a subject that is long"));
    assert_eq!(message.body_text(0).unwrap().replace("\r\n", "\n"), "Thank you.\n.\nMød æ\n");
    assert!(message.body_html(0).unwrap().contains("cid:logo"));
    let files: Vec<_> = message.attachments().map(|part| (part.attachment_name(), part.contents())).collect();
    assert!(files.contains(&(Some("kvittering å.pdf"), pdf.as_slice())), "{files:?}");
    assert!(files.contains(&(Some("logo.png"), b"\x89PNG")), "{files:?}");
    assert!(files.contains(&(Some("a.txt"), b"--=_not a boundary\r\n")), "{files:?}");
    assert_eq!(message.parts[5].content_id(), Some("logo"));
    assert_eq!(message.header_raw("List-Unsubscribe").map(str::trim), Some("<https://example.com/u/01JQZ8>"));
    assert_eq!(
        message.header_raw("List-Unsubscribe-Post").map(str::trim),
        Some("List-Unsubscribe=One-Click")
    );
    assert!(message.date().is_some_and(|date| date.year >= 2025), "{:?}", message.date());
    assert!(
        message.message_id().is_some_and(|id| id.ends_with(".1@example.com")),
        "{:?}",
        message.message_id()
    );
}

#[test]
fn one_body_and_one_file_need_no_more_structure() {
    let (_, mime) = sent(EmailBody {
        subject: Some("s".to_owned()),
        text: Some("see file".to_owned()),
        attachments: vec![file("a.bin", "application/octet-stream", b"", None)],
        ..EmailBody::default()
    });
    let message = parse(&mime);
    let kinds: Vec<String> = (0..message.parts.len()).map(|part| kind(&message, part)).collect();
    assert_eq!(kinds, ["multipart/mixed", "text/plain", "application/octet-stream"]);
}

#[test]
fn nothing_of_a_message_becomes_a_header_of_its_own() {
    let (_, mime) = sent(EmailBody {
        subject: Some("s".to_owned()),
        text: Some("t".to_owned()),
        attachments: vec![file("a\"; x=\"\r\nBcc: eve@example.com", "text/plain\r\nX-A: b", b"x", None)],
        ..EmailBody::default()
    });
    let message = parse(&mime);
    assert!(message.bcc().is_none());
    for part in &message.parts {
        let known = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-"];
        for header in &part.headers {
            assert!(known.iter().any(|name| header.name().starts_with(name)), "{}", header.name());
        }
    }
}

#[test]
fn as_much_as_the_api_takes_fits_and_what_is_beyond_memory_is_a_fault() {
    let attached = |mebibytes: usize| {
        let content_base64 = "QUJD".repeat(mebibytes << 18);
        let file = Attachment { content_base64, ..file("a.bin", "application/octet-stream", b"", None) };
        EmailBody { text: Some("see file".to_owned()), attachments: vec![file], ..EmailBody::default() }
    };
    for mebibytes in [1, 5, 10] {
        let (_, mime) = sent(attached(mebibytes));
        assert_eq!(parse(&mime).attachment(0).unwrap().contents().len(), mebibytes * (3 << 18));
    }
    let fault = host().send(&connection(), &email(attached(60))).unwrap_err();
    assert!(matches!(fault, AdapterFault::MemoryLimit { .. }), "{fault:?}");
    assert!(host().send(&connection(), &email(attached(1))).is_ok());
}
