//! Answers compared with the providers' published descriptions.

mod messente;
mod whatsapp;

use jsonschema::validator_for;
use serde_json::{Value, json};

pub(crate) use messente::{messente_answer, messente_error, messente_phonebook_error, messente_report};
pub(crate) use whatsapp::{
    whatsapp_answer, whatsapp_error, whatsapp_request, whatsapp_samples, whatsapp_webhook,
};

const TWILIO: &str = include_str!("../../../../schema/providers/twilio-messages.openapi.json");
const SES: &str = include_str!("../../../../schema/providers/ses-v2-service-2.extract.json");
const FCM: &str = include_str!("../../../../schema/providers/fcm.v1.json");

/// JSON Schema has no `nullable`; a nullable property may also be null.
fn without_nullable(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(without_nullable);
            if object.remove("nullable") == Some(Value::Bool(true)) {
                let rest = Value::Object(std::mem::take(object));
                object.insert("anyOf".into(), json!([rest, { "type": "null" }]));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_nullable),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

pub(crate) fn check(schema: Value, instance: &Value) {
    let validator = validator_for(&schema).unwrap();
    let faults: Vec<_> = validator
        .iter_errors(instance)
        .map(|fault| format!("{fault} at {}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

fn twilio_schema(schema: Value) -> Value {
    let spec: Value = serde_json::from_str(TWILIO).unwrap();
    let mut schema = json!({ "allOf": [schema], "components": { "schemas": spec["components"]["schemas"] } });
    without_nullable(&mut schema);
    schema
}

/// The Message resource: every published property, and no other.
pub(crate) fn twilio_message(instance: &Value) {
    let schema = twilio_schema(json!({ "$ref": "#/components/schemas/api.v2010.account.message" }));
    let published =
        schema["components"]["schemas"]["api.v2010.account.message"]["properties"].as_object().unwrap();
    let names = |value: &serde_json::Map<String, Value>| {
        value.keys().cloned().collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(names(instance.as_object().unwrap()), names(published));
    check(schema, instance);
}

/// A page of messages.
pub(crate) fn twilio_page(instance: &Value) {
    let spec: Value = serde_json::from_str(TWILIO).unwrap();
    let operation = &spec["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["get"];
    check(
        twilio_schema(operation["responses"]["200"]["content"]["application/json"]["schema"].clone()),
        instance,
    );
}

/// An output shape of the SES service model: only published members, of the published types.
pub(crate) fn ses_output(shape: &str, instance: &Value) {
    let model: Value = serde_json::from_str(SES).unwrap();
    ses_shape(&model["shapes"], shape, instance, shape);
}

fn ses_shape(shapes: &Value, name: &str, instance: &Value, path: &str) {
    let shape = &shapes[name];
    let fits = match shape["type"].as_str().unwrap_or_else(|| panic!("no shape {name}")) {
        "structure" => {
            for (member, value) in instance.as_object().unwrap_or_else(|| panic!("{path} is no object")) {
                let inner = shape["members"][member]["shape"].as_str();
                let inner = inner.unwrap_or_else(|| panic!("{path} has no member {member}"));
                ses_shape(shapes, inner, value, &format!("{path}.{member}"));
            }
            true
        }
        "list" => {
            let inner = shape["member"]["shape"].as_str().unwrap();
            let items = instance.as_array().unwrap_or_else(|| panic!("{path} is no list"));
            items.iter().for_each(|item| ses_shape(shapes, inner, item, path));
            true
        }
        "string" => {
            instance.is_string()
                && (shape["enum"].is_null() || shape["enum"].as_array().unwrap().contains(instance))
        }
        "boolean" => instance.is_boolean(),
        "timestamp" | "double" | "long" | "integer" => instance.is_number(),
        other => panic!("shape type {other} is not expected in these answers"),
    };
    assert!(fits, "{path} is {instance}, not a {name}");
}

/// A schema of the FCM discovery document.
pub(crate) fn fcm_output(name: &str, instance: &Value) {
    let document: Value = serde_json::from_str(FCM).unwrap();
    let properties = document["schemas"][name]["properties"].as_object().unwrap();
    for (key, value) in instance.as_object().unwrap() {
        let expected = properties.get(key).unwrap_or_else(|| panic!("{name} has no {key}"));
        assert!(expected["type"] != "string" || value.is_string(), "{key} is not a string");
    }
}

/// The schema that the simulator checks requests against is the published one, only shorter.
#[test]
fn the_embedded_fcm_schema_is_a_part_of_the_published_one() {
    let embedded: Value = serde_json::from_str(include_str!("../../src/fcm/fcm.v1.schemas.json")).unwrap();
    let published: Value = serde_json::from_str(FCM).unwrap();
    fn is_part(part: &Value, whole: &Value, path: &str) {
        match part {
            Value::Object(object) => {
                for (key, value) in object {
                    is_part(value, &whole[key], &format!("{path}/{key}"));
                }
            }
            other => assert_eq!(other, whole, "{path}"),
        }
    }
    is_part(&embedded["schemas"], &published["schemas"], "");
    let names = |document: &Value| document["schemas"]["Message"]["properties"].as_object().unwrap().len();
    assert_eq!(names(&embedded), names(&published));
}
