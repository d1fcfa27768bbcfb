//! What operators do and tenants change goes on record: what is about to be done before it is done, and its outcome before
//! it is answered.

use std::error::Error;

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use hermes_domain::{KeyId, access::Role, tenant::TenantScope};
use hermes_ports::audit::{AuditCounts, AuditEvent, AuditPhase};
use http::{header, request::Parts};
use tracing::error;

use crate::{
    api::Api,
    gate::{Operator, forbidden},
    operation::Need,
    problem::{Code, Problem},
    request_id::RequestId,
    router::Route,
};

/// Longest path that is kept, in bytes; more names nothing that exists.
const TARGET_BYTES_MAX: usize = 300;
const OPERATORS_BASE: &str = "/admin/v1/";
const TENANTS_BASE: &str = "/v1/";
/// Length of an id's ULID.
const ULID_LEN: usize = 26;
/// Most digits of a version in a path; a telephone number has more.
const VERSION_DIGITS_MAX: usize = 5;

/// How much an action concerned, on its way from the handler to the log.
#[derive(Debug, Clone)]
struct Counts(AuditCounts);

/// An answer, with what the log is to say about how much it concerned.
pub(crate) fn counted<const N: usize>(mut response: Response, counts: [(&str, u64); N]) -> Response {
    let counts = counts.map(|(name, count)| (name.to_owned(), count));
    response.extensions_mut().insert(Counts(counts.into()));
    response
}

/// What an operator's request is about to do; `None` for reading, which goes on no record.
pub(crate) fn by_operator(
    api: &Api,
    operator: Operator,
    route: Option<Route>,
    request: &Request,
) -> Option<AuditEvent> {
    let route = route.filter(|route| route.changes())?;
    Some(operators_event(api, operator, route.operation, request.uri().path(), request.extensions()))
}

/// What a tenant's request is about to change; `None` for reading, and for messages and batches, which are a record of
/// themselves.
pub(crate) fn by_tenant(
    api: &Api,
    (key, owner): (KeyId, TenantScope),
    route: Option<Route>,
    request: &Request,
) -> Option<AuditEvent> {
    let route = route.filter(|route| route.changes() && route.need == Need::Manage)?;
    let target = ids_only(route.pattern, request.uri().path());
    let event = event(api, route.operation, &target, request.extensions());
    Some(AuditEvent {
        actor: key.to_string(),
        role: route.need.scope().map_or("", |scope| scope.as_str()).to_owned(),
        owner: Some(owner),
        ..event
    })
}

/// Serves a request whose event goes on record. Without a record nothing is done, and without one of the outcome success
/// is not told.
pub(crate) async fn on_record(
    api: &Api,
    event: Option<AuditEvent>,
    request: Request,
    next: Next,
) -> Response {
    let Some(event) = event else { return next.run(request).await };
    let intent = match api.ports.audit.append(event.clone()).await {
        Ok(entry) => entry.sequence,
        Err(failure) => return Problem::from(failure).into_response(),
    };
    let mut response = next.run(request).await;
    let phase = AuditPhase::Outcome { intent: Some(intent), status: response.status().as_u16() };
    // Whatever was made has its id in `Location`.
    let made = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).map(target);
    let target = made.unwrap_or_else(|| event.target.clone());
    let counts = response.extensions_mut().remove::<Counts>().map(|counts| counts.0).unwrap_or_default();
    match api.ports.audit.append(AuditEvent { at: api.now(), target, counts, phase, ..event }).await {
        Ok(_) => response,
        Err(failure) => {
            error!(error = &failure as &dyn Error, audit.intent = intent, "an outcome is not on record");
            let detail = "The action was done or refused, but its outcome could not be put on record.";
            Problem::new(Code::Overloaded, detail).into_response()
        }
    }
}

/// Shows what is hidden from operators otherwise: to admins, and on record as `action` before and after.
pub(crate) async fn revealed(
    api: &Api,
    operator: Operator,
    action: &'static str,
    request: &Parts,
    work: impl Future<Output = Result<Response, Problem>>,
) -> Result<Response, Problem> {
    let event = operators_event(api, operator, action, request.uri.path(), &request.extensions);
    if !operator.role.includes(Role::Admin) {
        let problem = forbidden("role", Role::Admin.as_str());
        let phase = AuditPhase::Outcome { intent: None, status: problem.code.status().as_u16() };
        api.ports.audit.append(AuditEvent { phase, ..event }).await?;
        return Err(problem);
    }
    let intent = api.ports.audit.append(event.clone()).await?.sequence;
    let answer = work.await;
    let status = answer.as_ref().map_or_else(|problem| problem.code.status(), Response::status).as_u16();
    let phase = AuditPhase::Outcome { intent: Some(intent), status };
    api.ports.audit.append(AuditEvent { at: api.now(), phase, ..event }).await?;
    answer
}

/// Puts on record that an operator's key asked for more than its role allows.
pub(crate) async fn refused(
    api: &Api,
    operator: Operator,
    route: Route,
    request: Request,
    problem: Problem,
) -> Problem {
    let Some(event) = by_operator(api, operator, Some(route), &request) else { return problem };
    drop(request);
    let phase = AuditPhase::Outcome { intent: None, status: problem.code.status().as_u16() };
    match api.ports.audit.append(AuditEvent { phase, ..event }).await {
        Ok(_) => problem,
        Err(failure) => failure.into(),
    }
}

fn operators_event(
    api: &Api,
    operator: Operator,
    action: &str,
    path: &str,
    extensions: &http::Extensions,
) -> AuditEvent {
    let event = event(api, action, path, extensions);
    AuditEvent { actor: operator.key.to_string(), role: operator.role.as_str().to_owned(), ..event }
}

/// What nobody does yet.
fn event(api: &Api, action: &str, path: &str, extensions: &http::Extensions) -> AuditEvent {
    AuditEvent {
        at: api.now(),
        actor: String::new(),
        role: String::new(),
        owner: None,
        action: action.to_owned(),
        target: target(path),
        request_id: extensions.get::<RequestId>().map_or("", RequestId::as_str).to_owned(),
        counts: AuditCounts::new(),
        phase: AuditPhase::Intent,
    }
}

/// A path below its base, as it was asked for.
fn target(path: &str) -> String {
    let below = path.strip_prefix(OPERATORS_BASE).or_else(|| path.strip_prefix(TENANTS_BASE));
    let path = below.unwrap_or(path);
    let end = path.floor_char_boundary(TARGET_BYTES_MAX.min(path.len()));
    path.get(..end).unwrap_or_default().to_owned()
}

/// A path with the ids in it. Whatever else stands where an id is expected, such as an address, becomes the parameter's
/// name again.
fn ids_only(pattern: &str, path: &str) -> String {
    let is_named = |segment: &str| {
        let is_ulid =
            |ulid: &str| ulid.len() == ULID_LEN && ulid.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_version =
            segment.len() <= VERSION_DIGITS_MAX && segment.bytes().all(|byte| byte.is_ascii_digit());
        is_version || segment.split_once('_').is_some_and(|(_, ulid)| is_ulid(ulid))
    };
    let segments = pattern.split('/').zip(path.split('/'));
    let kept = segments
        .map(|(expected, given)| if expected.starts_with('{') && is_named(given) { given } else { expected });
    kept.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_names_ids_and_versions_and_nothing_else() {
        let pattern = "/v1/templates/{id}/versions/{version}/activate";
        let id = "tpl_01JZZZZZZZZZZZZZZZZZZZZZZZ";
        let named = ids_only(pattern, &format!("/v1/templates/{id}/versions/12/activate"));
        assert_eq!(target(&named), format!("templates/{id}/versions/12/activate"));
        for address in ["+4520123456", "4520123456", "ada_lovelace@example.dk", "%2B4520123456"] {
            let path = format!("/v1/templates/{address}/versions/{address}/activate");
            assert_eq!(ids_only(pattern, &path), pattern);
        }
    }
}
