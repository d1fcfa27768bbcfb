//! Bodies for WhatsApp against Meta's OpenAPI file, whose known faults are repaired here.

use serde_json::{Value, json};

use super::valid;

const META: &str = include_str!("../../../../../schema/providers/whatsapp-cloud-api-v23.0.extract.json");

/// Checks a body of `POST /{version}/{phone number id}/messages`.
pub(crate) fn whatsapp_message(body: &Value) {
    let kind = body["type"].as_str().unwrap();
    let name = kind[..1].to_uppercase() + &kind[1..] + "Message";
    let mut spec: Value = serde_json::from_str(META).unwrap();
    let schemas = &mut spec["components"]["schemas"];
    // Not in the file, but returned in every status.
    schemas["BaseMessageProperties"]["properties"]["biz_opaque_callback_data"] =
        json!({ "type": "string", "maxLength": 512 });
    // Required by the file, left out by Meta's own pages and libraries.
    schemas["LanguageObject"]["required"] = json!(["code"]);
    // A character class where a range of numbers was meant.
    for button in ["/TemplateComponent/properties/index", "/ButtonComponent/allOf/1/properties/index"] {
        schemas.pointer_mut(button).unwrap()["pattern"] = json!("^[0-9]$");
    }
    // Each half of these refuses the other's properties; together they are meant to be closed.
    let mut schema = schemas[&name].clone();
    schema["allOf"][1].as_object_mut().unwrap().remove("additionalProperties");
    schema["unevaluatedProperties"] = false.into();
    schema["components"] = spec["components"].clone();
    valid(&schema, body);
}

#[test]
fn the_file_refuses_what_is_wrong() {
    let refused = |value: &Value| {
        let value = value.clone();
        std::panic::catch_unwind(move || whatsapp_message(&value)).is_err()
    };
    let text = json!({ "messaging_product": "whatsapp", "recipient_type": "individual", "to": "+4520123456",
        "type": "text", "text": { "body": "x" } });
    whatsapp_message(&text);
    for (pointer, value) in [("/to", json!(7)), ("/text/body", json!(7)), ("/recipient_type", json!("all"))] {
        let mut wrong = text.clone();
        *wrong.pointer_mut(pointer).unwrap() = value;
        assert!(refused(&wrong), "{pointer}");
    }
    let mut extra = text.clone();
    extra["reference"] = json!("x");
    assert!(refused(&extra));
    let mut missing = text;
    missing.as_object_mut().unwrap().remove("messaging_product");
    assert!(refused(&missing));
}
