//! Schemas in words: what a value may be, and the fields of objects in one table.

use std::fmt::Write as _;

use serde_json::Value;

use super::{super::html::escape, markdown, object, text};

/// A schema with a name.
pub(super) fn section(page: &mut String, name: &str, schema: &Value) {
    let name = escape(name);
    let _ = writeln!(page, "<h3 id=\"schema-{name}\">{name}</h3>");
    if let Some(description) = schema["description"].as_str() {
        page.push_str(&markdown::html(description));
    }
    if schema["properties"].is_object() {
        page.push_str("<table>\n<tr><th>field</th><th>value</th><th></th></tr>\n");
        rows(page, "", schema);
        page.push_str("</table>\n");
    } else {
        let _ = writeln!(page, "<p>{}</p>", kind(schema));
    }
}

/// A row for each field, and below it for each field of an object in it.
fn rows(page: &mut String, prefix: &str, schema: &Value) {
    let required = |name: &str| {
        let names = schema["required"].as_array().into_iter().flatten();
        names.into_iter().any(|required| required == name)
    };
    for (name, field) in object(&schema["properties"]) {
        let path = format!("{prefix}{name}");
        let _ = writeln!(
            page,
            "<tr><td><code>{}</code>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&path),
            if required(name) { ", required" } else { "" },
            kind(field),
            markdown::line(text(&field["description"]))
        );
        if field["properties"].is_object() {
            rows(page, &format!("{path}."), field);
        } else if field["items"]["properties"].is_object() {
            rows(page, &format!("{path}[]."), &field["items"]);
        }
    }
}

/// What a value may be, as HTML.
pub(super) fn kind(schema: &Value) -> String {
    if let Some(name) = text(&schema["$ref"]).rsplit('/').next().filter(|name| !name.is_empty()) {
        let name = escape(name);
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    for (key, joint) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if let Some(parts) = schema[key].as_array() {
            return parts.iter().map(kind).collect::<Vec<_>>().join(joint);
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(literal).collect::<Vec<_>>().join(" ");
    }
    if !schema["const"].is_null() {
        return literal(&schema["const"]);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect(),
        one => vec![text(one)],
    };
    let words: Vec<String> = types.iter().map(|name| word(name, schema)).collect();
    let default = &schema["default"];
    let default = if default.is_null() { String::new() } else { format!(", default {}", literal(default)) };
    format!("{}{default}", words.join(" or "))
}

fn word(name: &str, schema: &Value) -> String {
    match name {
        "string" => format!("text{}", told_of_text(schema)),
        "integer" => format!("whole number{}", range(schema, "minimum", "maximum")),
        "number" => format!("number{}", range(schema, "minimum", "maximum")),
        "boolean" => "true or false".to_owned(),
        "array" => {
            let of = kind(&schema["items"]);
            format!("list of ({of}){}", range(schema, "minItems", "maxItems"))
        }
        "object" if schema["additionalProperties"].is_object() => {
            format!("object of ({})", kind(&schema["additionalProperties"]))
        }
        "object" => "object".to_owned(),
        "null" => "null".to_owned(),
        _ => "anything".to_owned(),
    }
}

fn told_of_text(schema: &Value) -> String {
    let mut told = range(schema, "minLength", "maxLength");
    if let Some(format) = schema["format"].as_str() {
        let _ = write!(told, ", {}", escape(format));
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        let _ = write!(told, ", <code>{}</code>", escape(pattern));
    }
    told
}

/// ` 1–250`, ` ≥ 1` or ` ≤ 250`.
fn range(schema: &Value, least: &str, most: &str) -> String {
    match (schema[least].as_u64(), schema[most].as_u64()) {
        (Some(least), Some(most)) => format!(" {least}–{most}"),
        (Some(least), None) => format!(" ≥ {least}"),
        (None, Some(most)) => format!(" ≤ {most}"),
        (None, None) => String::new(),
    }
}

fn literal(value: &Value) -> String {
    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    format!("<code>{}</code>", escape(&shown))
}
