//! The document itself.

use hermes_testkit::tenant;
use serde_json::Value;

use crate::{
    app::{ADMIN, App, LIVE},
    client::Call,
    contract,
};

/// Regenerate with `HERMES_BLESS=1 cargo nextest run -p hermes-http-api openapi`.
#[test]
fn the_document_in_the_repository_is_the_one_that_is_served() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schema/http/openapi.json");
    let served = hermes_http_api::openapi_document();
    if std::env::var_os("HERMES_BLESS").is_some() {
        std::fs::write(path, &served).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == served, "schema/http/openapi.json is stale: see this test's comment");
}

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own() {
    let document = contract::document();
    let mut found = Vec::new();
    references(document, &mut found);
    assert!(found.len() > 50);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let mut names: Vec<_> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!((names.len(), count >= 45), (count, true), "{count}");
}

#[test]
fn the_contract_s_paths_are_all_there() {
    let paths = contract::document()["paths"].as_object().unwrap();
    for path in [
        "/v1/messages",
        "/v1/messages/{id}",
        "/v1/messages/{id}/events",
        "/v1/messages/{id}/cancel",
        "/v1/messages/{id}/ack",
        "/v1/messages/validate",
        "/v1/ack/{token}",
        "/v1/status",
        "/v1/batches",
        "/v1/cascades",
        "/v1/templates",
        "/v1/templates/{id}/preview",
        "/v1/webhooks",
        "/v1/webhooks/{id}/deliveries",
        "/v1/webhooks/{id}/rotate_secret",
        "/v1/webhooks/{id}/redeliver",
        "/receipts/{provider}/{connection}",
        "/admin/v1/tenants",
        "/admin/v1/tenants/{id}/keys",
        "/admin/v1/tenants/{id}/suspend",
        "/admin/v1/providers/{id}/check",
        "/admin/v1/providers/{id}/hold",
        "/admin/v1/providers/{id}/sync_suppressions",
        "/admin/v1/adapters/{name}/activate",
        "/admin/v1/actors/{id}",
        "/admin/v1/cascades/{id}",
        "/healthz",
        "/readyz",
        "/metrics",
    ] {
        assert!(paths.contains_key(path), "{path}");
    }
}

/// Every operation that takes JSON, with its path, method and example.
fn examples() -> Vec<(&'static str, &'static str, &'static Value)> {
    let mut found = Vec::new();
    for (path, item) in contract::document()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let body = &operation["requestBody"]["content"]["application/json"];
            if body.is_object() {
                assert!(body["example"].is_object(), "{method} {path} has no example");
                let name = body["schema"]["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
                assert_eq!(
                    contract::faults_of(name, &body["example"]),
                    Vec::<String>::new(),
                    "{method} {path}"
                );
                found.push((path.as_str(), method.as_str(), &body["example"]));
            }
        }
    }
    found
}

#[tokio::test]
async fn every_json_body_has_an_example_that_fits_and_that_is_accepted() {
    let app = App::start().await;
    let mut accepted = 0;
    for (path, method, example) in examples() {
        let path = path.replace("/tenants/{id}/keys", &format!("/tenants/{}/keys", tenant(1)));
        if path.contains('{') {
            continue; // Its body was held against its schema; what it changes depends on what there is.
        }
        let method = if method == "put" { "PUT" } else { "POST" };
        let key = if path.starts_with("/admin") { ADMIN } else { LIVE };
        let answer = app.call(Call::new(method, path).key(key).json(example)).await;
        assert!((200..300).contains(&answer.status), "{method} {answer:?}");
        accepted += 1;
    }
    assert!(accepted >= 12, "{accepted}");
}

#[test]
fn descriptions_hold_what_is_to_be_known_and_what_a_key_needs() {
    let paths = &contract::document()["paths"];
    let described = paths["/v1/suppressions"]["get"]["description"].as_str().unwrap();
    assert!(described.ends_with("Needs the scope `read`."), "{described}");
    let both = paths.as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let mut told = both.filter_map(|operation| operation["description"].as_str());
    assert!(told.any(|text| text.contains(". Needs the ")), "details stay beside the need");
}
