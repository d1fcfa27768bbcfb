//! Holds answers against the served OpenAPI document.

use std::{collections::HashMap, sync::LazyLock};

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::client::{Answer, Call};

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&hermes_http_api::openapi_document()).unwrap());
static VALIDATORS: LazyLock<Mutex<HashMap<String, std::sync::Arc<jsonschema::Validator>>>> =
    LazyLock::new(Mutex::default);

/// What the document says, for tests that look into it.
pub(crate) fn document() -> &'static Value {
    &DOCUMENT
}

/// Faults of `value` as the component called `name`.
pub(crate) fn faults_of(name: &str, value: &Value) -> Vec<String> {
    let validator = VALIDATORS
        .lock()
        .entry(name.to_owned())
        .or_insert_with(|| {
            let schema = json!({
                "$ref": format!("#/components/schemas/{name}"), "components": DOCUMENT["components"],
            });
            std::sync::Arc::new(jsonschema::validator_for(&schema).unwrap())
        })
        .clone();
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Panics unless the document foresees this answer to this call.
pub(crate) fn check(call: &Call, answer: &Answer) {
    let path = call.path.split('?').next().unwrap();
    let operation = operation(path, call.method);
    if answer.status >= 400 {
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{call:?} {answer:?}");
        let problem = answer.json();
        assert_eq!(faults_of("Problem", &problem), Vec::<String>::new(), "{problem}");
        assert_eq!(problem["status"], answer.status);
        assert_eq!(problem["request_id"].as_str(), answer.header("x-request-id"));
        assert_eq!(problem["instance"], path);
        return;
    }
    let operation = operation.unwrap_or_else(|| panic!("{} {path} is not documented", call.method));
    let reply = &operation["responses"][answer.status.to_string()];
    assert!(reply.is_object(), "{} {path}: {} is not documented", call.method, answer.status);
    for (name, header) in reply["headers"].as_object().unwrap() {
        let header = DOCUMENT.pointer(header["$ref"].as_str().unwrap().trim_start_matches('#')).unwrap();
        let given = answer.header(&name.to_ascii_lowercase());
        assert!(given.is_some() || header["required"] != true, "{} {path}: no {name}", call.method);
    }
    let content_type =
        answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
    if content_type != "application/json" && !content_type.is_empty() {
        let told = &reply["content"];
        assert!(
            told.get(content_type).or_else(|| told.get("*/*")).is_some(),
            "{path}: {content_type} is not documented"
        );
        return;
    }
    if let Some(reference) = reply["content"]["application/json"]["schema"]["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        assert_eq!(faults_of(name, &answer.json()), Vec::<String>::new(), "{}", answer.text);
    }
}

/// The operation that serves a path; literal segments win over parameters.
fn operation(path: &str, method: &str) -> Option<&'static Value> {
    let paths = DOCUMENT["paths"].as_object()?;
    let fits = |template: &&String| {
        let (mut wanted, mut given) = (template.split('/'), path.split('/'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some("{id}"), Some(_)) if template.starts_with("/admin/v1/actors") => return true,
                (Some(wanted), Some(given)) if wanted == given || wanted.starts_with('{') => {}
                _ => return false,
            }
        }
    };
    let best = paths.keys().filter(fits).min_by_key(|template| template.matches('{').count())?;
    paths[best].get(method.to_ascii_lowercase())
}
