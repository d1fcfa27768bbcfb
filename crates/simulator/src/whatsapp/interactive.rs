//! Interactive messages: a body, and something to press.

use super::{
    content,
    fault::{self, Fault},
    param::Param,
};

const KINDS: [&str; 11] = [
    "button",
    "list",
    "cta_url",
    "flow",
    "product",
    "product_list",
    "catalog_message",
    "location_request_message",
    "call_permission_request",
    "order_details",
    "order_status",
];
const BODY_CHARS_MAX: usize = 1024;
const FOOTER_CHARS_MAX: usize = 60;
const HEADER_CHARS_MAX: usize = 60;
const LABEL_CHARS_MAX: usize = 20;
const BUTTONS_MAX: usize = 3;
const SECTIONS_MAX: usize = 10;
const ROWS_MAX: usize = 10;

pub(super) fn check(interactive: &Param<'_>) -> Result<(), Fault> {
    interactive.only(&["type", "header", "body", "footer", "action"])?;
    interactive.required_text("type", usize::MAX)?;
    let kind = interactive.one_of("type", &KINDS)?.unwrap_or_default();
    if let Some(header) = interactive.object("header")? {
        check_header(&header)?;
    }
    match interactive.object("body")? {
        Some(body) => body.required_text("text", BODY_CHARS_MAX).map(drop)?,
        // A product speaks for itself, and a call permission is worded by WhatsApp.
        None if matches!(kind, "product" | "call_permission_request") => {}
        None => return Err(fault::missing_parameter("Parameter 'interactive['body']' is missing")),
    }
    if let Some(footer) = interactive.object("footer")? {
        footer.required_text("text", FOOTER_CHARS_MAX)?;
    }
    check_action(kind, &interactive.required_object("action")?)
}

fn check_header(header: &Param<'_>) -> Result<(), Fault> {
    header.only(&["type", "text", "sub_text", "image", "video", "document"])?;
    header.required_text("type", usize::MAX)?;
    match header.one_of("type", &["text", "image", "video", "document"])?.unwrap_or_default() {
        "text" => header.required_text("text", HEADER_CHARS_MAX).map(drop),
        kind => content::media(&header.required_object(kind)?, &["filename"]),
    }
}

fn check_action(kind: &str, action: &Param<'_>) -> Result<(), Fault> {
    match kind {
        "button" => {
            for button in action.required_objects("buttons", BUTTONS_MAX)? {
                button.required_text("type", usize::MAX)?;
                button.one_of("type", &["reply"])?;
                let reply = button.required_object("reply")?;
                reply.required_text("id", 256)?;
                reply.required_text("title", LABEL_CHARS_MAX)?;
            }
            Ok(())
        }
        "list" => {
            action.required_text("button", LABEL_CHARS_MAX)?;
            for section in action.required_objects("sections", SECTIONS_MAX)? {
                for row in section.required_objects("rows", ROWS_MAX)? {
                    row.required_text("id", 200)?;
                    row.required_text("title", 24)?;
                    row.text("description", 72)?;
                }
            }
            Ok(())
        }
        "product" | "product_list" => action.required_text("catalog_id", usize::MAX).map(drop),
        "cta_url" | "flow" => {
            action.required_text("name", usize::MAX)?;
            action.required_object("parameters").map(drop)
        }
        _ => action.required_text("name", usize::MAX).map(drop),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn code(interactive: &Value) -> u32 {
        check(&Param::root(interactive.as_object().unwrap())).map_or_else(|fault| fault.code(), |()| 0)
    }

    #[test]
    fn something_to_press_is_needed_and_limited() {
        let button = |title: &str| json!({ "type": "reply", "reply": { "id": "1", "title": title } });
        let with =
            |kind: &str, action: Value| json!({ "type": kind, "body": { "text": "Hi" }, "action": action });
        let buttons = |count| with("button", json!({ "buttons": vec![button("Yes"); count] }));
        let row = json!({ "id": "1", "title": "One" });
        for (interactive, expected) in [
            (buttons(3), 0),
            (buttons(4), 131_009),
            (buttons(0), 131_009),
            (with("button", json!({})), 131_008),
            (with("button", json!({ "buttons": [button(&"x".repeat(21))] })), 100),
            (with("list", json!({ "button": "Open", "sections": [{ "rows": [row] }] })), 0),
            (with("list", json!({ "button": "Open", "sections": [{ "rows": [] }] })), 131_009),
            (with("cta_url", json!({ "name": "cta_url", "parameters": { "url": "https://a.example" } })), 0),
            (with("location_request_message", json!({ "name": "send_location" })), 0),
            (with("quiz", json!({ "name": "quiz" })), 100),
            (json!({ "type": "button", "action": { "buttons": [button("Yes")] } }), 131_008),
            (json!({ "type": "product", "action": { "catalog_id": "1" } }), 0),
            (json!({ "body": { "text": "Hi" } }), 131_008),
            (json!({ "type": "button", "body": { "text": "Hi" } }), 131_008),
        ] {
            assert_eq!(code(&interactive), expected, "{interactive}");
        }
    }
}
