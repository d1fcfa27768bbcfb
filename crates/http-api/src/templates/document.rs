//! What the OpenAPI document says about the bodies of templates.

use hermes_domain::template::{LOCALES_MAX, VARIABLE_NAME_BYTES_MAX, VARIABLES_MAX};
use serde_json::{Value, json};

use super::{
    body::LOCALE_CHARS_MAX,
    content::{DATA_MAX, LINE_CHARS_MAX, SOURCE_CHARS_MAX},
};

fn object(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": properties, "required": required })
}

fn block(properties: Value) -> Value {
    let mut block = object(properties, &[]);
    block["type"] = json!(["object", "null"]);
    block
}

fn text(chars: usize) -> Value {
    json!({ "type": ["string", "null"], "minLength": 1, "maxLength": chars })
}

/// A version, with `name` or `activate` beside it.
pub(super) fn body_schema(beside: &[&str]) -> Value {
    let locale = json!({ "type": "string", "minLength": 2, "maxLength": LOCALE_CHARS_MAX,
        "description": "A BCP 47 tag in its canonical case, such as da or da-DK." });
    let mut properties = json!({
        "default_locale": locale,
        "variables": { "type": ["array", "null"], "maxItems": VARIABLES_MAX, "items": variable() },
        "locales": { "type": "object", "minProperties": 1, "maxProperties": LOCALES_MAX,
            "additionalProperties": content(), "description": "Content per language; its texts are templates." },
    });
    let mut required = vec!["default_locale", "locales"];
    if beside.contains(&"name") {
        properties["name"] = json!({ "type": "string", "minLength": 1, "maxLength": 100,
            "description": "Unique among the tenant's templates." });
        required.push("name");
    }
    if beside.contains(&"activate") {
        properties["activate"] = json!({ "type": ["boolean", "null"], "default": false, "description": "Make it the active one." });
    }
    object(properties, &required)
}

pub(super) fn preview_schema() -> Value {
    object(
        json!({
            "locale": { "type": ["string", "null"], "minLength": 2, "maxLength": LOCALE_CHARS_MAX,
                "description": "The recipient's; without one the template's default." },
            "version": version(),
            "data": { "type": ["object", "null"], "description": "Values of the variables, by name." },
        }),
        &[],
    )
}

fn version() -> Value {
    json!({ "type": ["integer", "null"], "minimum": 1, "maximum": u32::MAX, "description": "Without one the active version." })
}

fn variable() -> Value {
    object(
        json!({
            "name": { "type": "string", "minLength": 1, "maxLength": VARIABLE_NAME_BYTES_MAX, "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" },
            "type": { "enum": ["string", "number", "boolean", "date", "list", "object"] },
            "required": { "type": ["boolean", "null"], "description": "Without it: true, unless there is a default." },
            "default": { "description": "Of the variable's type." },
            "example": { "description": "Of the variable's type; used by the trial of a new version." },
        }),
        &["name", "type"],
    )
}

fn content() -> Value {
    let (source, line) = (text(SOURCE_CHARS_MAX), text(LINE_CHARS_MAX));
    let data = json!({ "type": ["object", "null"], "maxProperties": DATA_MAX,
        "additionalProperties": { "type": "string", "maxLength": LINE_CHARS_MAX } });
    let mut content = object(
        json!({
            "text": source, "subject": line, "sms": block(json!({ "text": source })),
            "email": block(json!({ "subject": line, "text": source, "html": source, "reply_to": line, "list_unsubscribe": line })),
            "push": block(json!({ "title": line, "body": source, "data": data })),
            "whatsapp": block(json!({ "text": source, "template": { "type": ["object", "null"],
                "description": "As in a message; every text inside is a template." } })),
        }),
        &[],
    );
    content["minProperties"] = json!(1);
    content
}

/// `template` of a message.
pub(crate) fn use_schema() -> Value {
    let mut schema = object(
        json!({
            "id": { "type": ["string", "null"], "pattern": "^tpl_" },
            "name": { "type": ["string", "null"], "minLength": 1, "maxLength": 100 },
            "version": version(),
            "data": { "type": ["object", "null"], "description": "Values of the variables, by name." },
        }),
        &[],
    );
    schema["type"] = json!(["object", "null"]);
    schema["description"] = json!("Content from a template, named by its id or its name.");
    schema
}
