//! The contents that a message may have, apart from templates.

use url::Url;

use super::{
    fault::{self, Fault},
    interactive,
    param::Param,
};

const TEXT_CHARS_MAX: usize = 4096;
const CAPTION_CHARS_MAX: usize = 1024;
const CONTACTS_MAX: usize = 257;

/// The types of free-form messages, which a user must have written to us for.
pub(super) const FREE_FORM: [&str; 10] = [
    "text",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "location",
    "contacts",
    "interactive",
    "reaction",
];

/// Checks the content of a free-form message.
pub(super) fn check(request: &Param<'_>, kind: &str) -> Result<(), Fault> {
    match kind {
        "contacts" => contacts(request),
        "text" => text(&request.required_object(kind)?),
        "image" | "video" => media(&request.required_object(kind)?, &["caption"]),
        "document" => media(&request.required_object(kind)?, &["caption", "filename"]),
        "audio" => media(&request.required_object(kind)?, &["voice"]),
        "sticker" => media(&request.required_object(kind)?, &[]),
        "location" => location(&request.required_object(kind)?),
        "interactive" => interactive::check(&request.required_object(kind)?),
        "reaction" => reaction(&request.required_object(kind)?),
        other => Err(fault::unsupported_type(other)),
    }
}

fn text(text: &Param<'_>) -> Result<(), Fault> {
    text.only(&["body", "preview_url"])?;
    text.required_text("body", TEXT_CHARS_MAX)?;
    text.flag("preview_url").map(drop)
}

/// Exactly one of an uploaded file and a link to one.
pub(super) fn media(media: &Param<'_>, extras: &[&str]) -> Result<(), Fault> {
    media.only(&[&["id", "link"], extras].concat())?;
    let (id, link) = (media.text("id", usize::MAX)?, media.text("link", usize::MAX)?);
    match (id, link) {
        (None, None) => {
            return Err(fault::missing_parameter("Either 'id' or 'link' must be given for media"));
        }
        (Some(_), Some(_)) => {
            return Err(fault::invalid_value("Only one of 'id' and 'link' may be given for media"));
        }
        (Some(""), None) => return Err(fault::invalid_value("The media id is empty")),
        (None, Some(link)) if !is_link(link) => {
            return Err(fault::invalid_value(format!("{link} is not a valid URI.")));
        }
        (Some(_), None) | (None, Some(_)) => {}
    }
    media.text("caption", CAPTION_CHARS_MAX)?;
    media.text("filename", usize::MAX)?;
    media.flag("voice").map(drop)
}

fn is_link(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn location(location: &Param<'_>) -> Result<(), Fault> {
    location.only(&["latitude", "longitude", "name", "address"])?;
    location.degrees("latitude", 90.0)?;
    location.degrees("longitude", 180.0)?;
    location.text("name", usize::MAX)?;
    location.text("address", usize::MAX).map(drop)
}

fn reaction(reaction: &Param<'_>) -> Result<(), Fault> {
    reaction.only(&["message_id", "emoji"])?;
    reaction.required_text("message_id", usize::MAX)?;
    // An empty one takes the reaction back, so it only has to be there.
    let emoji = reaction.text("emoji", usize::MAX)?;
    emoji.map(drop).ok_or_else(|| fault::missing_parameter("Parameter 'reaction['emoji']' is missing"))
}

fn contacts(request: &Param<'_>) -> Result<(), Fault> {
    const LISTS: [(&str, &[&str], Option<&str>); 4] = [
        ("phones", &["phone", "type", "wa_id"], None),
        ("emails", &["email", "type"], Some("email")),
        ("urls", &["url", "type"], Some("url")),
        ("addresses", &["street", "city", "state", "zip", "country", "country_code", "type"], None),
    ];
    for contact in request.required_objects("contacts", CONTACTS_MAX)? {
        contact.only(&["name", "phones", "emails", "urls", "addresses", "org", "birthday"])?;
        let name = contact.required_object("name")?;
        name.only(&["formatted_name", "first_name", "last_name", "middle_name", "prefix", "suffix"])?;
        name.required_text("formatted_name", usize::MAX)?;
        contact.text("birthday", usize::MAX)?;
        if let Some(org) = contact.object("org")? {
            org.only(&["company", "department", "title"])?;
        }
        for (list, fields, required) in LISTS {
            for entry in contact.objects(list)?.unwrap_or_default() {
                entry.only(fields)?;
                required.map_or(Ok(""), |name| entry.required_text(name, usize::MAX))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn code(kind: &str, content: Value) -> u32 {
        let request = json!({ kind: content });
        check(&Param::root(request.as_object().unwrap()), kind).map_or_else(|fault| fault.code(), |()| 0)
    }

    #[test]
    fn each_content_is_checked_for_what_it_needs() {
        let link = "https://example.com/a";
        for (kind, content, expected) in [
            ("text", json!({ "body": "Hi", "preview_url": false }), 0),
            ("text", json!({ "body": "" }), 131_008),
            ("text", json!({}), 131_008),
            ("text", json!("Hi"), 100),
            ("text", json!({ "body": 1 }), 100),
            ("text", json!({ "body": "é".repeat(4096) }), 0),
            ("text", json!({ "body": "é".repeat(4097) }), 100),
            ("text", json!({ "body": "Hi", "preview_url": "no" }), 100),
            ("text", json!({ "body": "Hi", "format": "bold" }), 100),
            ("image", json!({ "link": link, "caption": "x" }), 0),
            ("image", json!({ "id": "1" }), 0),
            ("image", json!({}), 131_008),
            ("image", json!({ "id": "1", "link": link }), 131_009),
            ("image", json!({ "link": "file:///a" }), 131_009),
            ("image", json!({ "link": link, "filename": "x" }), 100),
            ("video", json!({ "link": link, "caption": "x".repeat(1025) }), 100),
            ("document", json!({ "link": link, "filename": "a.pdf", "caption": "x" }), 0),
            ("audio", json!({ "link": link }), 0),
            ("audio", json!({ "link": link, "caption": "x" }), 100),
            ("sticker", json!({ "id": "1" }), 0),
            ("sticker", json!({ "id": "" }), 131_009),
            ("location", json!({ "latitude": 37.48, "longitude": "-122.1", "name": "HQ" }), 0),
            ("location", json!({ "latitude": 37.48 }), 131_008),
            ("location", json!({ "latitude": 91, "longitude": 0 }), 131_009),
            ("location", json!({ "latitude": "north", "longitude": 0 }), 100),
            ("reaction", json!({ "message_id": "wamid.x", "emoji": "" }), 0),
            ("reaction", json!({ "message_id": "wamid.x" }), 131_008),
            ("reaction", json!({ "emoji": "👍" }), 131_008),
            ("contacts", json!([{ "name": { "formatted_name": "A" }, "phones": [{ "phone": "+1" }] }]), 0),
            ("contacts", json!([]), 131_009),
            ("contacts", json!([{}]), 131_008),
            ("contacts", json!([{ "name": {} }]), 131_008),
            ("contacts", json!([{ "name": { "formatted_name": "A" }, "emails": [{}] }]), 131_008),
            ("contacts", json!([{ "name": { "formatted_name": "A" }, "phones": [{ "tel": "+1" }] }]), 100),
            ("order", json!({}), 131_051),
        ] {
            assert_eq!(code(kind, content.clone()), expected, "{kind} {content}");
        }
    }
}
