//! Answers and callbacks compared with Vonage's published descriptions.

use serde_json::{Value, json};

use crate::specs::check;

const SMS: &str = include_str!("../../../../../schema/providers/vonage-sms.openapi.json");
const MESSAGES: &str = include_str!("../../../../../schema/providers/vonage-messages-v1-sms.openapi.json");
const REPORTS: &str = include_str!("../../../../../schema/providers/vonage-reports-records.openapi.json");

/// The instance fits the named schema.
fn fits(spec: &str, name: &str, instance: &Value) {
    let spec: Value = serde_json::from_str(spec).unwrap();
    let mut schemas = spec["components"]["schemas"].clone();
    assert!(schemas[name].is_object(), "no schema {name}");
    // The published length of 40 contradicts both APIs' own limit of 100.
    if let Some(reference) = schemas["client_ref"].as_object_mut() {
        reference.retain(|key, _| !key.ends_with("Length"));
    }
    let reference = format!("#/components/schemas/{name}");
    check(json!({ "allOf": [{ "$ref": reference }], "components": { "schemas": schemas } }), instance);
}

/// Every member is published: the schemas themselves allow any other.
fn has_only_published(spec: &str, names: &[&str], instance: &Value) {
    let spec: Value = serde_json::from_str(spec).unwrap();
    for member in instance.as_object().unwrap().keys() {
        let published = names.iter().any(|name| {
            let schema = &spec["components"]["schemas"][name];
            schema["properties"][member].is_object()
                || schema["allOf"]
                    .as_array()
                    .is_some_and(|parts| parts.iter().any(|part| part["properties"][member].is_object()))
        });
        assert!(published, "{names:?} have no {member}");
    }
}

pub(super) fn sms_accepted(instance: &Value) {
    fits(SMS, "SMS", instance);
    has_only_published(SMS, &["SMS"], instance);
    for message in instance["messages"].as_array().unwrap() {
        has_only_published(SMS, &["Message"], message);
    }
}

pub(super) fn sms_refused(instance: &Value) {
    fits(SMS, "Error", instance);
    has_only_published(SMS, &["Error"], instance);
    has_only_published(SMS, &["ErrorMessage"], &instance["messages"][0]);
}

pub(super) fn sms_report(instance: &Value) {
    fits(SMS, "DeliveryReceipt", instance);
    has_only_published(SMS, &["DeliveryReceipt"], instance);
}

/// `sig` is not in the published schema, but in the guide.
pub(super) fn sms_inbound(instance: &Value) {
    let mut instance = instance.clone();
    instance.as_object_mut().unwrap().remove("sig");
    fits(SMS, "InboundMessage", &instance);
    has_only_published(SMS, &["InboundMessage"], &instance);
}

/// The answer of `/v1/messages` with this HTTP status.
pub(super) fn messages_answer(status: u16, instance: &Value) {
    let spec: Value = serde_json::from_str(MESSAGES).unwrap();
    let response = &spec["paths"]["/v1/messages"]["post"]["responses"][status.to_string()];
    let schema = response["content"]["application/json"]["schema"].clone();
    assert!(schema.is_object(), "no answer {status} is published");
    check(json!({ "allOf": [schema], "components": spec["components"] }), instance);
}

pub(super) fn messages_request(instance: &Value) {
    fits(MESSAGES, "SmsMessage", instance);
}

pub(super) fn messages_status(instance: &Value) {
    fits(MESSAGES, "messageStatusSMS", instance);
    has_only_published(MESSAGES, &["messageStatusBase", "messageStatusSMS"], instance);
}

pub(super) fn messages_inbound(instance: &Value) {
    fits(MESSAGES, "inboundMessageSMS", instance);
    has_only_published(MESSAGES, &["inboundMessageSMS"], instance);
}

pub(super) fn sms_records(instance: &Value) {
    records("json_sms_outbound_with_body", &["json_sms_outbound_with_body", "json_sms_outbound"], instance);
}

pub(super) fn messages_records(instance: &Value) {
    records("csv_messages_outbound", &["csv_messages_outbound"], instance);
}

fn records(row_schema: &str, published: &[&str], instance: &Value) {
    fits(REPORTS, "report_response_top_level", instance);
    for row in instance["records"].as_array().unwrap() {
        fits(REPORTS, row_schema, row);
        has_only_published(REPORTS, published, row);
    }
}
