//! The content layer: what no provider would or should take.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hermes_domain::{address::Email, content::Content};

use crate::problem::{Code, Fault, Problem};

/// Longest SMS, in characters: what carriers join from segments.
pub(super) const SMS_CHARS_MAX: usize = 1_600;

/// Refuses content with every fault; `uses_sms` says whether an SMS would be made of it.
pub(super) fn check(content: &Content, uses_sms: bool) -> Result<(), Problem> {
    let mut faults = Vec::new();
    if uses_sms {
        sms(content, &mut faults);
    }
    single_line("/content/subject", content.subject.as_deref(), &mut faults);
    email(content, &mut faults);
    if faults.is_empty() {
        return Ok(());
    }
    Err(Problem::new(Code::ContentRejected, "The content cannot be sent; see `errors`.").with_faults(faults))
}

fn sms(content: &Content, faults: &mut Vec<Fault>) {
    let own = content.sms.as_ref().and_then(|sms| sms.text.as_deref());
    let (pointer, text) = match own {
        Some(text) => ("/content/sms/text", text),
        None => ("/content/text", content.text.as_deref().unwrap_or_default()),
    };
    if text.len() > SMS_CHARS_MAX && text.chars().count() > SMS_CHARS_MAX {
        let detail =
            format!("an SMS has at most {SMS_CHARS_MAX} characters; give content.sms a text of its own");
        faults.push(Fault::new(pointer, "too_long", detail));
    }
}

fn email(content: &Content, faults: &mut Vec<Fault>) {
    let Some(email) = &content.email else { return };
    single_line("/content/email/subject", email.subject.as_deref(), faults);
    if email.reply_to.as_deref().is_some_and(|address| Email::parse(address).is_err()) {
        faults.push(Fault::new("/content/email/reply_to", "email_invalid", "expected an email address"));
    }
    for (index, attachment) in email.attachments.iter().enumerate() {
        let pointer = |field: &str| format!("/content/email/attachments/{index}/{field}");
        single_line(&pointer("filename"), Some(&attachment.filename), faults);
        single_line(&pointer("content_id"), attachment.content_id.as_deref(), faults);
        if !is_media_type(&attachment.content_type) {
            faults.push(Fault::new(
                pointer("content_type"),
                "media_type",
                "expected a media type such as text/plain",
            ));
        }
        if STANDARD.decode(&attachment.content_base64).is_err() {
            faults.push(Fault::new(
                pointer("content_base64"),
                "base64",
                "expected standard base64 with padding",
            ));
        }
    }
}

/// What ends up in a header must not be able to begin another one.
fn single_line(pointer: &str, text: Option<&str>, faults: &mut Vec<Fault>) {
    if text.is_some_and(|text| text.chars().any(char::is_control)) {
        faults.push(Fault::new(
            pointer,
            "control_character",
            "expected a single line without control characters",
        ));
    }
}

fn is_media_type(text: &str) -> bool {
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    printable && text.split_once('/').is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty())
}
