//! A stored cascade: how it is read from requests, found, and shown.

use hermes_directory::{CascadeTemplate, Versioned};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    api::Api,
    gate::Caller,
    messages::{
        cascade::{NAME_CHARS_MAX, cascade},
        confirming,
    },
    problem::{Code, Problem},
    schema::{Faults, text},
};

/// A stored cascade.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StoredCascade)]
pub(super) struct CascadeView {
    /// Its id, to be named as `cascade` by messages.
    id: String,
    /// For people.
    name: String,
    /// `live` or `test`.
    mode: &'static str,
    /// The active version: what messages run under that name none.
    version: u32,
    /// The newest version.
    latest_version: u32,
    /// Steps of the active version, as stored.
    #[schema(value_type = Vec<Object>)]
    steps: Value,
    /// Policy for late receipts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    on_late_receipt: Option<Value>,
    /// Policy for unknown outcomes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    on_unknown_outcome: Option<Value>,
    /// Policy for server errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    on_server_error: Option<Value>,
    /// When it was made.
    created_at: String,
    /// Last change.
    updated_at: String,
}

impl CascadeView {
    pub(super) fn of(stored: &CascadeTemplate) -> Self {
        let field = |name: &str| stored.cascade.get(name).filter(|value| !value.is_null()).cloned();
        Self {
            id: stored.id.to_string(),
            name: stored.name.clone(),
            mode: stored.mode.as_str(),
            version: stored.active,
            latest_version: stored.versions.last().map_or(stored.active, |newest| newest.number),
            steps: field("steps").unwrap_or_else(|| Value::Array(Vec::new())),
            on_late_receipt: field("on_late_receipt"),
            on_unknown_outcome: field("on_unknown_outcome"),
            on_server_error: field("on_server_error"),
            created_at: stored.created_at.rfc3339(),
            updated_at: stored.updated_at.rfc3339(),
        }
    }
}

/// Name and cascade of a request; the cascade is kept as it was written.
pub(super) fn named_cascade(api: &Api, caller: &Caller, body: Value) -> Result<(String, Value), Problem> {
    let mut faults = Faults::default();
    let Value::Object(mut fields) = body else {
        let refused: Option<(String, Value)> = faults.note("type", "expected an object");
        return faults.finish(refused, Code::SchemaInvalid);
    };
    let name = match fields.remove("name") {
        Some(name) => faults.at_key("name", |faults| text(1..=NAME_CHARS_MAX)(name, faults)),
        None => faults.at_key("name", |faults| faults.note("required", "this field is required")),
    };
    let read = name.zip(as_written(api, caller, fields, &mut faults));
    faults.finish(read, Code::SchemaInvalid)
}

/// Steps and policies as they were written, if they could run over the caller's connections.
pub(super) fn as_written(
    api: &Api,
    caller: &Caller,
    fields: Map<String, Value>,
    faults: &mut Faults,
) -> Option<Value> {
    let kept = without_nulls(fields);
    let read = cascade(kept.clone(), faults)?;
    let (adapters, scopes) = (&*api.ports.adapters, [caller.scope()]);
    api.directory().read(|snapshot| confirming::check(snapshot, adapters, &scopes, &read, faults));
    Some(kept)
}

fn without_nulls(fields: Map<String, Value>) -> Value {
    Value::Object(fields.into_iter().filter(|(_, value)| !value.is_null()).collect())
}

/// A stored cascade by the id in a path, if it is the caller's.
pub(super) fn find(api: &Api, caller: &Caller, id: &str) -> Result<Versioned<CascadeTemplate>, Problem> {
    let id = id.parse().map_err(|_| Problem::not_found())?;
    api.directory().cascade(caller.scope(), id).ok_or_else(Problem::not_found)
}
