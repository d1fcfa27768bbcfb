//! Meta's published OpenAPI document, with what is wrong in it put right.

use serde_json::{Value, json};

use super::check;

const SPEC: &str = include_str!("../../../../../schema/providers/whatsapp-cloud-api-v23.0.extract.json");
const MESSAGES: &str = "/{Version}/{Phone-Number-ID}/messages";

/// The document with its known faults repaired, each of which would refuse what Meta sends or takes.
fn spec() -> Value {
    let mut spec: Value = serde_json::from_str(SPEC).unwrap();
    let schemas = &mut spec["components"]["schemas"];
    open_halves(schemas);
    // Without a word, messages are to individuals and texts: samples leave both out.
    schemas["BaseMessageProperties"]["required"] = json!(["messaging_product", "to"]);
    // Samples and libraries leave the policy out, which has one value only.
    schemas["LanguageObject"]["required"] = json!(["code"]);
    // The pattern of a button's index is a list of numbers put into a character class.
    for name in ["TemplateComponent", "ButtonComponent"] {
        let component = &mut schemas[name];
        halves(component).iter_mut().for_each(repair_index);
        repair_index(component);
    }
    // What comes in is described by what goes out; the right description is beside it under another name.
    schemas["IncomingMessage"] = json!({ "$ref": "#/components/schemas/TextMessage_2" });
    schemas["TextMessage_2"]["allOf"][0] = json!({ "$ref": "#/components/schemas/BaseMessageProperties_1" });
    // Preferences are a field of their own, which is missing.
    let fields = schemas["Change"]["properties"]["field"]["enum"].as_array_mut().unwrap();
    fields.push(json!("user_preferences"));
    let preference = json!({
        "type": "object",
        "required": ["detail", "category", "value", "timestamp"],
        "properties": { "timestamp": { "type": "integer" }, "value": { "enum": ["stop", "resume", "signup"] } },
    });
    let values = schemas["Change"]["properties"]["value"]["oneOf"].as_array_mut().unwrap();
    values.push(json!({
        "type": "object",
        "required": ["messaging_product", "metadata", "contacts", "user_preferences"],
        "properties": { "user_preferences": { "type": "array", "items": preference } },
    }));
    spec
}

/// Each kind of message is put together from two halves, and the second one refuses the fields of the first.
fn open_halves(schemas: &mut Value) {
    let mut repaired = 0;
    for schema in schemas.as_object_mut().unwrap().values_mut() {
        for half in halves(schema) {
            repaired += u32::from(half.as_object_mut().unwrap().remove("additionalProperties").is_some());
        }
    }
    assert!(repaired > 0, "the halves were repaired by their authors");
}

fn halves(schema: &mut Value) -> &mut [Value] {
    schema.get_mut("allOf").and_then(Value::as_array_mut).map_or(&mut [], Vec::as_mut_slice)
}

fn repair_index(schema: &mut Value) {
    if let Some(index) = schema.pointer_mut("/properties/index") {
        assert_eq!(index["pattern"], "^[2-6, 11-14]$");
        index["pattern"] = json!("^[0-9]$");
    }
}

fn check_schema(schema: Value, instance: &Value) {
    check(json!({ "allOf": [schema], "components": spec()["components"] }), instance);
}

/// A request that the simulator takes.
pub(crate) fn whatsapp_request(instance: &Value) {
    check_schema(json!({ "$ref": "#/components/schemas/Message" }), instance);
}

/// The requests that the document shows, by name.
pub(crate) fn whatsapp_samples() -> Vec<(String, Value)> {
    let spec: Value = serde_json::from_str(SPEC).unwrap();
    let samples = &spec["paths"][MESSAGES]["post"]["requestBody"]["content"]["application/json"]["examples"];
    let samples = samples.as_object().unwrap().iter();
    samples.map(|(name, sample)| (name.clone(), sample["value"].clone())).collect()
}

/// A success answer of a call on a number.
pub(crate) fn whatsapp_answer(edge: &str, method: &str, instance: &Value) {
    let path = format!("/{{Version}}/{{Phone-Number-ID}}/{edge}");
    let answer = &spec()["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"];
    assert!(answer.is_object(), "{method} {edge} has no answer");
    check_schema(answer.clone(), instance);
}

/// An error answer: the calls that list one list this; the one that sends lists none.
pub(crate) fn whatsapp_error(instance: &Value) {
    check_schema(json!({ "$ref": "#/components/schemas/GraphAPIError" }), instance);
}

/// The body of a webhook.
pub(crate) fn whatsapp_webhook(instance: &Value) {
    check_schema(json!({ "$ref": "#/components/schemas/WebhookPayload" }), instance);
}

#[test]
fn a_webhook_with_a_wrong_type_is_found() {
    let status = json!({ "id": "x", "status": "sent", "timestamp": "1", "recipient_id": "1" });
    let body = |status: &Value| {
        let metadata = json!({ "display_phone_number": "1", "phone_number_id": "1" });
        let value = json!({ "messaging_product": "whatsapp", "metadata": metadata, "statuses": [status] });
        let changes = json!([{ "field": "messages", "value": value }]);
        json!({ "object": "x", "entry": [{ "id": "1", "changes": changes }] })
    };
    whatsapp_webhook(&body(&status));
    let mut wrong = status;
    wrong["timestamp"] = json!(1);
    assert!(std::panic::catch_unwind(|| whatsapp_webhook(&body(&wrong))).is_err());
}
