//! `GET /v1/messages`: newest first, filtered.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, Uri},
    response::Response,
};
use hermes_domain::UnixMillis;
use hermes_ports::message_log::MessageQuery;
use serde_json::{Value, json};

use super::view;
use crate::{
    auth::{self, Caller},
    check::Check,
    problem::Problem,
    rate,
    request::reply,
    state::ApiState,
};

/// Entries per page unless asked otherwise, and the most.
pub(crate) const PAGE: usize = 50;
pub(crate) const PAGE_MAX: usize = 250;

pub(crate) async fn list(
    State(state): State<Arc<ApiState>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = auth::tenant(&state, &headers)?;
    rate::admit(&state, caller.tenant)?;
    let query = query(caller, uri.query().unwrap_or_default())?;
    let limit = query.limit;
    let mut found = state.ports.log.list(query).await.map_err(|error| Problem::internal(&error))?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| has_more).map(|last| last.envelope.id.to_string());
    let data: Vec<Value> = found.iter().map(view::message).collect();
    let mut response = reply(200, &json!({ "data": data, "next_cursor": next_cursor, "has_more": has_more }));
    rate::tell(response.headers_mut());
    Ok(response)
}

fn query(caller: Caller, text: &str) -> Result<MessageQuery, Problem> {
    let mut query = MessageQuery {
        tenant: caller.tenant,
        mode: caller.mode,
        status: None,
        channel: None,
        tag: None,
        to: None,
        created_after: None,
        created_before: None,
        before: None,
        limit: PAGE,
    };
    let mut check = Check::default();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        let known = match name.as_ref() {
            "status" => word(&value).map(|status| query.status = Some(status)),
            "channel" => word(&value).map(|channel| query.channel = Some(channel)),
            "tag" => {
                query.tag = Some(value.to_string());
                Some(())
            }
            // A plus sign that was not encoded arrives as a space.
            "to" => {
                query.to = Some(value.replacen(' ', "+", 1));
                Some(())
            }
            "created_after" => UnixMillis::parse_rfc3339(&value).map(|at| query.created_after = Some(at)),
            "created_before" => UnixMillis::parse_rfc3339(&value).map(|at| query.created_before = Some(at)),
            "cursor" => value.parse().ok().map(|id| query.before = Some(id)),
            "limit" => value
                .parse()
                .ok()
                .filter(|limit| (1..=PAGE_MAX).contains(limit))
                .map(|limit| query.limit = limit),
            _ => None,
        };
        if known.is_none() {
            let name: String = name.chars().filter(|char| !char.is_control()).take(64).collect();
            check.fault(
                &name,
                "parameter_invalid",
                "this parameter does not exist or has a value it cannot have",
            );
        }
    }
    check.finish().map_err(|problem| Problem { code: "parameter_invalid", ..problem })?;
    Ok(query)
}

fn word<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(Value::String(text.to_owned())).ok()
}
