//! Many messages in one request.

mod create;

use serde_json::json;

use crate::{
    operation::{Need, Operation, reference},
    router::Routes,
};

pub(crate) fn routes(routes: &mut Routes) {
    let body = json!({
        "type": "object", "additionalProperties": false, "required": ["messages"],
        "properties": { "messages": {
            "type": "array", "minItems": 1, "maxItems": create::MESSAGES_MAX,
            "items": { "anyOf": [reference("SendRequest"), {}], "description": "Whatever is no `SendRequest` is refused alone." },
        } },
    });
    let operation = Operation::post(
        Need::Send,
        "/v1/batches",
        "sendBatch",
        "Accept up to 1,000 messages, each on its own",
    )
    .body("BatchRequest", body)
    .reply::<create::BatchReply>(202, "One result per message, in order.");
    routes.add(operation, create::create);
}
