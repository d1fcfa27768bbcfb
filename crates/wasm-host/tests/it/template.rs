//! The adapter that authors begin from.

use hermes_domain::outcome::{ErrorClass, Level, ReceiptStatus};
use hermes_ports::{
    adapter::{AdapterHost as _, InboundKind, ReceivedEntry, WebhookRefusal},
    http::AuthScheme,
};
use hermes_wasm_host::WasmHost;
use serde_json::{Value, json};

use crate::support::{
    REFERENCE, Short, access, asked, done, hex, hmac_sha256, only_entry, options, post, response, sms,
};

fn host() -> WasmHost {
    let host = WasmHost::new(options()).unwrap();
    let info = host.install("acme", include_bytes!("../template/acme.wasm")).unwrap();
    host.activate("acme", info.version).unwrap();
    host
}

#[test]
fn the_template_is_a_whole_adapter() {
    let (host, secrets) = (host(), [("api_token", "t"), ("webhook_secret", "w")]);
    let access = access("acme", json!({ "from": "ACME" }), &secrets);
    let (request, pending) = asked(host.send(&access, &sms("Hi")).unwrap());
    assert_eq!(request.url, "https://api.acme.example/v1/messages");
    assert_eq!(request.auth, AuthScheme::Bearer { token: "api_token".to_owned() });
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!((&body["from"], &body["reference"]), (&json!("ACME"), &json!(REFERENCE)));
    for (status, body, expected) in [
        (201, json!({ "id": "a1" }), Short::Accepted),
        (
            422,
            json!({ "error": { "code": "bad_recipient" } }),
            Short::Rejected(ErrorClass::RecipientPermanent),
        ),
        (429, json!({}), Short::Throttled(None)),
        (500, json!({}), Short::ServerError),
    ] {
        let answer = response(status, &[], body.to_string());
        let outcome = done(host.resume_send(&access, pending.clone(), &answer).unwrap());
        assert_eq!(Short::from(&outcome), expected, "{body}");
    }

    let callback = |event: Value| {
        let body = event.to_string();
        let signature = hex(&hmac_sha256("w", body.as_bytes()));
        done(
            host.receive(&access, &post("https://h.example/r", &[("x-acme-signature", &signature)], body))
                .unwrap(),
        )
    };
    let delivered =
        callback(json!({ "type": "status", "id": "a1", "reference": REFERENCE, "status": "delivered" }));
    let ReceivedEntry::Receipt { reference, receipt, .. } = only_entry(delivered) else { panic!() };
    assert_eq!(reference.as_deref(), Some(REFERENCE));
    assert_eq!(receipt.status, ReceiptStatus::Reached(Level::Delivered));
    let stop = callback(json!({ "type": "inbound", "from": "+4520123456", "text": "Stop" }));
    let ReceivedEntry::Inbound(stop) = only_entry(stop) else { panic!() };
    assert_eq!(stop.kind, InboundKind::OptOut);
    let forged = post("https://h.example/r", &[("x-acme-signature", "00")], "{}");
    assert_eq!(done(host.receive(&access, &forged).unwrap()), Err(WebhookRefusal::BadSignature));
}
