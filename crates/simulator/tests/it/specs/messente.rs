//! Messente's published OpenAPI document.

use serde_json::{Value, json};

use super::{check, without_nullable};

const SPEC: &str = include_str!("../../../../../schema/providers/messente-omnichannel.openapi.json");

fn spec() -> Value {
    serde_json::from_str(SPEC).unwrap()
}

/// The document says of these in words that they are null while a message is being processed, and shows it in
/// its samples, but does not mark them so. An enum would refuse null all the same, so it is taken apart.
fn with_nulls(spec: &mut Value) {
    for name in ["Status", "ErrorCodeOmnichannelMachine", "PriceInfo"] {
        let schema = &mut spec["components"]["schemas"][name];
        assert_ne!(schema["nullable"], true, "{name} was repaired by its authors");
        schema["nullable"] = true.into();
    }
    without_nullable(spec);
}

fn check_schema(schema: Value, instance: &Value) {
    let mut spec = spec();
    with_nulls(&mut spec);
    check(json!({ "allOf": [schema], "components": spec["components"] }), instance);
}

/// The answer to `method` on `path`: its schema for that status, every property of it published.
pub(crate) fn messente_answer(path: &str, method: &str, status: u16, instance: &Value) {
    let operation = &spec()["paths"][path][method];
    let schema = &operation["responses"][status.to_string()]["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{method} {path} does not answer {status}");
    check_schema(schema.clone(), instance);
}

/// An error answer with a status that the document does not list for the call.
pub(crate) fn messente_error(instance: &Value) {
    check_schema(json!({ "$ref": "#/components/schemas/ErrorOmnichannel" }), instance);
}

/// A delivery report: the delivery result, and the two ids that tell whose it is. All of it is always there.
pub(crate) fn messente_report(instance: &Value) {
    let published = spec()["components"]["schemas"]["DeliveryResult"]["properties"].clone();
    let mut names: Vec<_> = published.as_object().unwrap().keys().map(String::as_str).collect();
    names.extend(["omnimessage_id", "to"]);
    names.sort_unstable();
    let mut found: Vec<_> = instance.as_object().unwrap().keys().map(String::as_str).collect();
    found.sort_unstable();
    assert_eq!(found, names);
    check_schema(json!({ "$ref": "#/components/schemas/DeliveryResult" }), instance);
}

/// An error answer of the phonebook.
pub(crate) fn messente_phonebook_error(instance: &Value) {
    check_schema(json!({ "$ref": "#/components/schemas/ErrorPhonebook" }), instance);
}
