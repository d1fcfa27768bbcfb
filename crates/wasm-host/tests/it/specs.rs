//! The providers' own specifications as JSON schemas.

mod meta;
mod openapi;

use serde_json::{Map, Value, json};

pub(crate) use meta::whatsapp_message;
pub(crate) use openapi::{messente_blacklisting, messente_omnimessage, vonage_form, vonage_message};

/// Checks a form body against Twilio's OpenAPI file; fields that it does not know are refused.
pub(crate) fn twilio_form(body: &[u8]) {
    let spec: Value =
        serde_json::from_str(include_str!("../../../../schema/providers/twilio-messages.openapi.json"))
            .unwrap();
    let operation = "/paths/~12010-04-01~1Accounts~1{AccountSid}~1Messages.json/post";
    let content = "requestBody/content/application~1x-www-form-urlencoded/schema";
    let mut schema = spec.pointer(&format!("{operation}/{content}")).unwrap().clone();
    schema["additionalProperties"] = false.into();
    schema["components"] = spec["components"].clone();
    let mut fields = Map::new();
    for (name, text) in form_urlencoded::parse(body).into_owned() {
        let kind = schema.pointer(&format!("/properties/{name}/type")).and_then(Value::as_str);
        let value = match kind {
            Some("integer") => text.parse::<i64>().map(Value::from).unwrap(),
            Some("array") => {
                let mut values = fields.remove(&name).unwrap_or_else(|| json!([]));
                values.as_array_mut().unwrap().push(text.into());
                values
            }
            _ => text.into(),
        };
        fields.insert(name, value);
    }
    valid(&schema, &Value::Object(fields));
}

/// Checks a `SendEmail` body against the AWS service model.
pub(crate) fn ses_send_email(body: &Value) {
    ses_shape("SendEmailRequest", body);
}

fn ses_shape(shape: &str, body: &Value) {
    let model: Value =
        serde_json::from_str(include_str!("../../../../schema/providers/ses-v2-service-2.extract.json"))
            .unwrap();
    let shapes = model["shapes"].as_object().unwrap();
    let schemas: Map<String, Value> =
        shapes.iter().map(|(name, shape)| (name.clone(), aws_shape(shape))).collect();
    valid(&json!({ "$ref": format!("#/$defs/{shape}"), "$defs": schemas }), body);
}

/// A shape of the AWS service model as a JSON schema, closed to unknown members.
fn aws_shape(shape: &Value) -> Value {
    let to = |member: &Value| json!({ "$ref": format!("#/$defs/{}", member["shape"].as_str().unwrap()) });
    let mut schema = match shape["type"].as_str().unwrap() {
        "structure" => {
            let members = shape["members"].as_object().into_iter().flatten();
            let properties: Map<String, Value> =
                members.map(|(name, member)| (name.clone(), to(member))).collect();
            let required = shape.get("required").cloned().unwrap_or_else(|| json!([]));
            json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
        }
        "list" => json!({ "type": "array", "items": to(&shape["member"]) }),
        "map" => json!({ "type": "object", "additionalProperties": to(&shape["value"]) }),
        "boolean" => json!({ "type": "boolean" }),
        "integer" | "long" => json!({ "type": "integer" }),
        "double" | "timestamp" => json!({ "type": "number" }),
        _ => json!({ "type": "string" }),
    };
    for (theirs, ours) in [("enum", "enum"), ("pattern", "pattern")] {
        if let Some(rule) = shape.get(theirs) {
            schema[ours] = rule.clone();
        }
    }
    let (min, max) = match shape["type"].as_str().unwrap() {
        "list" => ("minItems", "maxItems"),
        _ => ("minLength", "maxLength"),
    };
    for (theirs, ours) in [("min", min), ("max", max)] {
        if let (Some(rule), true) =
            (shape.get(theirs), matches!(shape["type"].as_str(), Some("string" | "list")))
        {
            schema[ours] = rule.clone();
        }
    }
    schema
}

/// Checks a `messages:send` body against Google's discovery document.
pub(crate) fn fcm_send(body: &Value) {
    let document: Value =
        serde_json::from_str(include_str!("../../../../schema/providers/fcm.v1.json")).unwrap();
    let schemas = document["schemas"].as_object().unwrap();
    let schemas: Map<String, Value> =
        schemas.iter().map(|(name, schema)| (name.clone(), google(schema))).collect();
    valid(&json!({ "$ref": "#/$defs/SendMessageRequest", "$defs": schemas }), &camel_case(body, ""));
}

/// A schema of a discovery document as a JSON schema, closed to unknown properties.
fn google(schema: &Value) -> Value {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        return json!({ "$ref": format!("#/$defs/{name}") });
    }
    let mut out = Map::new();
    match schema.get("type").and_then(Value::as_str) {
        Some("any") | None => (),
        Some(kind) => drop(out.insert("type".to_owned(), kind.into())),
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let properties: Map<String, Value> =
            properties.iter().map(|(name, property)| (name.clone(), google(property))).collect();
        out.insert("properties".to_owned(), properties.into());
        out.insert("additionalProperties".to_owned(), false.into());
    }
    for nested in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get(nested) {
            out.insert(nested.to_owned(), google(inner));
        }
    }
    if let Some(words) = schema.get("enum") {
        out.insert("enum".to_owned(), words.clone());
    }
    Value::Object(out)
}

/// Names as the discovery document spells them; the tenant's own maps stay as they are.
fn camel_case(value: &Value, parent: &str) -> Value {
    let free = ["data", "headers", "payload"].contains(&parent);
    match value {
        Value::Object(map) if !free => {
            map.iter().map(|(name, inner)| (camel(name), camel_case(inner, name))).collect()
        }
        other => other.clone(),
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}

fn valid(schema: &Value, value: &Value) {
    let validator = jsonschema::validator_for(schema).unwrap();
    let faults: Vec<String> = validator.iter_errors(value).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:#?}\n{value:#}");
}

#[test]
fn the_specifications_refuse_what_is_wrong() {
    let refused = |check: fn(&Value), value: Value| std::panic::catch_unwind(move || check(&value)).is_err();
    assert!(refused(ses_send_email, json!({ "Content": {}, "Foo": 1 })));
    assert!(refused(ses_send_email, json!({ "EmailTags": [] })));
    assert!(refused(fcm_send, json!({ "message": { "token": 7 } })));
    assert!(refused(fcm_send, json!({ "message": { "data": { "k": 1 } } })));
    assert!(std::panic::catch_unwind(|| twilio_form(b"To=%2B4520123456&Bdoy=x")).is_err());
}

/// Checks a `PutSuppressedDestination` body against the AWS service model.
pub(crate) fn ses_put_suppressed(body: &Value) {
    ses_shape("PutSuppressedDestinationRequest", body);
}
