//! What SES refuses in a well-formed request.

mod raw;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    fault::Fault,
    request::{Attachment, Content, Header, SendEmail, Simple, Tag, Template, Text, bare_address},
    topics::Topics,
};
use crate::SesAccount;

const RECIPIENTS_MAX: usize = 50;
const HEADERS_MAX: usize = 15;
const HEADER_NAME_MAX: usize = 126;
const HEADER_VALUE_MAX: usize = 995;
const HEADER_SUM_MAX: usize = 996;
const TAG_MAX: usize = 256;
const CONFIGURATION_SET_MAX: usize = 64;
const TEMPLATE_DATA_MAX: usize = 262_144;

/// Checks everything; the first fault counts.
pub(super) fn check(request: &SendEmail, account: &SesAccount, topics: &Topics) -> Result<(), Fault> {
    let content = request.content.as_ref().ok_or_else(|| null("content"))?;
    check_destination(request, content)?;
    check_sender(request, account, content)?;
    for address in request.reply_to_addresses.iter().flatten() {
        check_address(address)?;
    }
    check_content(content, account)?;
    request.email_tags.iter().flatten().try_for_each(check_tag)?;
    if request.list_management_options.as_ref().is_some_and(|options| options.contact_list_name.is_none()) {
        return Err(null("listManagementOptions.contactListName"));
    }
    request.configuration_set_name.as_deref().map_or(Ok(()), |name| check_configuration_set(name, topics))
}

fn null(member: &str) -> Fault {
    Fault::bad_request(format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    ))
}

fn check_destination(request: &SendEmail, content: &Content) -> Result<(), Fault> {
    let mut count = 0;
    for address in request.destination.iter().flat_map(|destination| destination.recipients()) {
        check_address(address)?;
        count += 1;
    }
    match count {
        // The recipients of raw content may be in its own headers, which are not read here.
        0 if content.raw.is_none() => {
            Err(Fault::bad_request("Must have at least one recipient: no recipients given."))
        }
        _ if count > RECIPIENTS_MAX => Err(Fault::bad_request("Recipient count exceeds 50.")),
        _ => Ok(()),
    }
}

fn check_sender(request: &SendEmail, account: &SesAccount, content: &Content) -> Result<(), Fault> {
    let Some(from) = request.from_email_address.as_deref() else {
        return if content.raw.is_some() {
            Ok(())
        } else {
            Err(Fault::bad_request("Missing required header 'From'."))
        };
    };
    if !from.is_ascii() {
        return Err(Fault::bad_request("Invalid From address: non-ASCII characters must be encoded."));
    }
    check_identity(from, account)
}

/// Whether mail may come from `from`.
fn check_identity(from: &str, account: &SesAccount) -> Result<(), Fault> {
    check_address(from)?;
    let address = bare_address(from);
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let verified = |identity: &String| {
        identity.eq_ignore_ascii_case(address)
            || identity.eq_ignore_ascii_case(domain)
            || (identity.len() < domain.len()
                && domain.to_ascii_lowercase().ends_with(&format!(".{}", identity.to_ascii_lowercase())))
    };
    if account.identities.is_empty() || account.identities.iter().any(verified) {
        return Ok(());
    }
    Err(Fault::rejected(format!(
        "Email address is not verified. The following identities failed the check in region {}: {address}",
        account.region.to_ascii_uppercase()
    )))
}

/// SES's own wording for each way an address can be wrong.
fn check_address(address: &str) -> Result<(), Fault> {
    let address = bare_address(address);
    let Some((local, domain)) = address.rsplit_once('@') else {
        return Err(Fault::bad_request("Missing final '@domain'"));
    };
    let wrong = |text: &str| text.is_empty() || text.chars().any(|c| c.is_control() || c.is_whitespace());
    if wrong(local) {
        return Err(Fault::bad_request("Local address contains control or whitespace"));
    }
    if !local.is_ascii() {
        return Err(Fault::bad_request("Local address contains non-ASCII characters"));
    }
    if wrong(domain) {
        return Err(Fault::bad_request("Domain contains control or whitespace"));
    }
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    if !domain.bytes().all(legal) {
        return Err(Fault::bad_request("Domain contains illegal character"));
    }
    if domain.starts_with('.') || domain.ends_with('.') || domain.contains("..") {
        return Err(Fault::bad_request("Domain contains dot-dot or a dot at its end"));
    }
    Ok(())
}

fn check_content(content: &Content, account: &SesAccount) -> Result<(), Fault> {
    match (&content.simple, &content.raw, &content.template) {
        (Some(simple), None, None) => check_simple(simple),
        (None, Some(raw), None) => {
            let data = raw.data.as_deref().ok_or_else(|| null("content.raw.data"))?;
            raw::check(&check_base64(data)?, account)
        }
        (None, None, Some(template)) => check_template(template, account),
        _ => Err(Fault::bad_request("Exactly one of Simple, Raw or Template content must be given.")),
    }
}

fn check_simple(simple: &Simple) -> Result<(), Fault> {
    let subject = simple.subject.as_ref().ok_or_else(|| null("content.simple.subject"))?;
    check_text(subject, "content.simple.subject.data")?;
    let body = simple.body.as_ref().ok_or_else(|| null("content.simple.body"))?;
    if body.text.is_none() && body.html.is_none() {
        return Err(Fault::bad_request(
            "Message body is empty: at least one of Text and Html must be given.",
        ));
    }
    for (text, member) in
        [(&body.text, "content.simple.body.text.data"), (&body.html, "content.simple.body.html.data")]
    {
        text.as_ref().map_or(Ok(()), |text| check_text(text, member))?;
    }
    check_extras(simple.headers.as_deref(), simple.attachments.as_deref())
}

fn check_text(text: &Text, member: &str) -> Result<(), Fault> {
    text.data.as_ref().map(|_| ()).ok_or_else(|| null(member))
}

fn check_template(template: &Template, account: &SesAccount) -> Result<(), Fault> {
    let given = [
        template.template_name.is_some(),
        template.template_arn.is_some(),
        template.template_content.is_some(),
    ];
    if !given.contains(&true) {
        return Err(Fault::bad_request(
            "One of TemplateName, TemplateArn and TemplateContent must be given.",
        ));
    }
    if let Some(name) = &template.template_name
        && !account.templates.contains(name)
    {
        return Err(Fault::not_found(format!("Template {name} does not exist.")));
    }
    let data = template.template_data.as_deref().unwrap_or("{}");
    if data.len() > TEMPLATE_DATA_MAX
        || !serde_json::from_str::<serde_json::Value>(data).is_ok_and(|v| v.is_object())
    {
        return Err(Fault::bad_request("Template data must be a JSON object of at most 262144 characters."));
    }
    check_extras(template.headers.as_deref(), template.attachments.as_deref())
}

fn check_extras(headers: Option<&[Header]>, attachments: Option<&[Attachment]>) -> Result<(), Fault> {
    let headers = headers.unwrap_or_default();
    if headers.len() > HEADERS_MAX {
        return Err(Fault::bad_request("Too many headers: at most 15 are allowed."));
    }
    headers.iter().try_for_each(check_header)?;
    attachments.unwrap_or_default().iter().try_for_each(check_attachment)
}

fn check_header(header: &Header) -> Result<(), Fault> {
    let name = header.name.as_deref().ok_or_else(|| null("headers.name"))?;
    let value = header.value.as_deref().ok_or_else(|| null("headers.value"))?;
    let name_is_legal = (1..=HEADER_NAME_MAX).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'!'..=b'9' | b';'..=b'@' | b'A'..=b'~'));
    let value_is_legal = (1..=HEADER_VALUE_MAX).contains(&value.len())
        && value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if name_is_legal && value_is_legal && name.len() + value.len() <= HEADER_SUM_MAX {
        Ok(())
    } else {
        Err(Fault::bad_request("Invalid header: name or value contains an illegal character or is too long."))
    }
}

fn check_attachment(attachment: &Attachment) -> Result<(), Fault> {
    let content = attachment.raw_content.as_deref().ok_or_else(|| null("attachments.rawContent"))?;
    if attachment.file_name.as_deref().unwrap_or_default().is_empty() {
        return Err(null("attachments.fileName"));
    }
    let one_of = |value: &Option<String>, allowed: &[&str]| {
        value.as_deref().is_none_or(|value| allowed.contains(&value))
    };
    if !one_of(&attachment.content_disposition, &["ATTACHMENT", "INLINE"])
        || !one_of(&attachment.content_transfer_encoding, &["BASE64", "QUOTED_PRINTABLE", "SEVEN_BIT"])
    {
        return Err(Fault::bad_request(
            "Attachment disposition or transfer encoding is not a member of its enum set.",
        ));
    }
    check_base64(content).map(drop)
}

fn check_base64(data: &str) -> Result<Vec<u8>, Fault> {
    match STANDARD.decode(data) {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes),
        Ok(_) | Err(_) => Err(Fault::serialization("A blob member is not valid base64.")),
    }
}

fn is_word(text: &str, length_max: usize) -> bool {
    (1..=length_max).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn check_tag(tag: &Tag) -> Result<(), Fault> {
    if is_word(&tag.name, TAG_MAX) && is_word(&tag.value, TAG_MAX) && !tag.name.starts_with("ses:") {
        Ok(())
    } else {
        Err(Fault::bad_request(
            "Invalid tag: names and values take 1 to 256 of the characters A-Z, a-z, 0-9, hyphen and underscore.",
        ))
    }
}

fn check_configuration_set(name: &str, topics: &Topics) -> Result<(), Fault> {
    if !is_word(name, CONFIGURATION_SET_MAX) {
        return Err(Fault::bad_request("Invalid configuration set name."));
    }
    match topics.topic_of(name) {
        Some(_) => Ok(()),
        None => Err(Fault::not_found(format!("Configuration set <{name}> does not exist."))),
    }
}

#[cfg(test)]
mod tests;
