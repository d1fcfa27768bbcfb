//! The body of a submission.

use hermes_adapter_sdk::{
    contract::{ErrorClass, Outcome, WhatsappContent},
    json, refused_with,
};
use serde_json::{Map, Value, json};

/// Longest text, in characters.
const TEXT_CHARS_MAX: usize = 4_096;
/// Kinds of media, which are named by `type` or by the object's only key.
const MEDIA: [&str; 5] = ["image", "video", "audio", "document", "sticker"];

/// The alternate is the template for use outside the 24-hour window.
pub(crate) fn body(
    to: &str,
    content: &WhatsappContent,
    alternate: bool,
    reference: &str,
) -> Result<Value, Outcome> {
    let (kind, object) = said(content, alternate)?;
    let mut body = Map::new();
    body.insert("messaging_product".to_owned(), json!("whatsapp"));
    body.insert("recipient_type".to_owned(), json!("individual"));
    body.insert("to".to_owned(), json!(to));
    body.insert("type".to_owned(), json!(kind));
    body.insert(kind, object);
    body.insert("biz_opaque_callback_data".to_owned(), json!(reference));
    Ok(Value::Object(body))
}

fn said(content: &WhatsappContent, alternate: bool) -> Result<(String, Value), Outcome> {
    let template = if alternate { &content.fallback_template } else { &content.template };
    if let Some(text) = template {
        return Ok(("template".to_owned(), template_object(&json(text.as_bytes()))?));
    }
    if let Some(media) = &content.media {
        return media_object(json(media.as_bytes()));
    }
    let text = content.text.as_deref().filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| refused_content("there is nothing to say"))?;
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(refused_content("the text is longer than 4096 characters"));
    }
    Ok(("text".to_owned(), json!({ "preview_url": false, "body": text })))
}

/// `language` may be a code alone; Meta wants an object.
fn template_object(given: &Value) -> Result<Value, Outcome> {
    let malformed = || refused_content("the template is malformed");
    let mut template = given.as_object().cloned().ok_or_else(malformed)?;
    if !template.get("name").is_some_and(Value::is_string) {
        return Err(malformed());
    }
    match template.get("language") {
        Some(Value::String(code)) => {
            let language = json!({ "code": code });
            template.insert("language".to_owned(), language);
        }
        Some(Value::Object(_)) => {}
        _ => return Err(malformed()),
    }
    if template.get("components").is_some_and(|components| components.as_array().is_none_or(Vec::is_empty)) {
        template.remove("components");
    }
    Ok(Value::Object(template))
}

/// `{"type": "image", "link": …}` or `{"image": {"link": …}}`.
fn media_object(media: Value) -> Result<(String, Value), Outcome> {
    let malformed = || refused_content("the media object is malformed");
    let Value::Object(mut media) = media else { return Err(malformed()) };
    let (kind, object) = match media.remove("type") {
        Some(Value::String(kind)) => (kind, Value::Object(media)),
        Some(_) => return Err(malformed()),
        None => media.into_iter().next().ok_or_else(malformed)?,
    };
    let has = |name: &str| object.get(name).is_some_and(Value::is_string);
    if MEDIA.contains(&kind.as_str()) && has("id") != has("link") {
        Ok((kind, object))
    } else {
        Err(malformed())
    }
}

fn refused_content(detail: &str) -> Outcome {
    refused_with(ErrorClass::ContentRejected, detail)
}
