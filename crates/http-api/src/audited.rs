//! Operators' actions go on record: what is about to be done before it is done, and its outcome before it is answered.

use std::error::Error;

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use hermes_domain::access::Role;
use hermes_ports::audit::{AuditEvent, AuditPhase};
use http::{header, request::Parts};
use tracing::error;

use crate::{
    api::Api,
    gate::{Operator, forbidden},
    problem::{Code, Problem},
    request_id::RequestId,
    router::Route,
};

/// Longest path that is kept, in bytes; more names nothing that exists.
const TARGET_BYTES_MAX: usize = 300;
const BASE: &str = "/admin/v1/";

/// Serves an operator's request. Reading goes on no record; without a record nothing is done, and without one of the
/// outcome success is not told.
pub(crate) async fn audited(
    api: &Api,
    operator: Operator,
    route: Option<Route>,
    request: Request,
    next: Next,
) -> Response {
    let Some(route) = route.filter(|route| route.changes()) else { return next.run(request).await };
    let event = announced(api, operator, route, &request);
    let intent = match api.ports.audit.append(event.clone()).await {
        Ok(entry) => entry.sequence,
        Err(failure) => return Problem::from(failure).into_response(),
    };
    let response = next.run(request).await;
    let phase = AuditPhase::Outcome { intent: Some(intent), status: response.status().as_u16() };
    // Whatever was made has its id in `Location`.
    let made = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).map(target);
    let target = made.unwrap_or_else(|| event.target.clone());
    match api.ports.audit.append(AuditEvent { at: api.now(), target, phase, ..event }).await {
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
    let event = event(api, operator, action, request.uri.path(), &request.extensions);
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
    if !route.changes() {
        return problem;
    }
    let phase = AuditPhase::Outcome { intent: None, status: problem.code.status().as_u16() };
    let event = AuditEvent { phase, ..announced(api, operator, route, &request) };
    drop(request);
    match api.ports.audit.append(event).await {
        Ok(_) => problem,
        Err(failure) => failure.into(),
    }
}

fn announced(api: &Api, operator: Operator, route: Route, request: &Request) -> AuditEvent {
    event(api, operator, route.operation, request.uri().path(), request.extensions())
}

fn event(
    api: &Api,
    operator: Operator,
    action: &str,
    path: &str,
    extensions: &http::Extensions,
) -> AuditEvent {
    AuditEvent {
        at: api.now(),
        actor: operator.key.to_string(),
        role: operator.role.as_str().to_owned(),
        action: action.to_owned(),
        target: target(path),
        request_id: extensions.get::<RequestId>().map_or("", RequestId::as_str).to_owned(),
        phase: AuditPhase::Intent,
    }
}

/// A path below the base, as it was asked for.
fn target(path: &str) -> String {
    let path = path.strip_prefix(BASE).unwrap_or(path);
    let end = path.floor_char_boundary(TARGET_BYTES_MAX.min(path.len()));
    path.get(..end).unwrap_or_default().to_owned()
}
