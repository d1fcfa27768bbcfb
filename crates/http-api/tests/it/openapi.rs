//! The document itself.

use serde_json::Value;

use crate::contract;

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
