//! The outermost layer: request ids, shedding, time limits, panics, and the rendering of problems.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt as _;
use hermes_telemetry::names::{label, metric};
use http::{HeaderMap, header};
use tracing::error;

use crate::{
    api::Api,
    batches, gate,
    problem::{Code, Problem},
    request_id::{self, RequestId},
    suppressions,
};

/// Most bytes of header names and values.
const HEADER_BYTES_MAX: usize = 32 * 1024;

/// Serves one request.
pub(crate) async fn edge(State(api): State<Arc<Api>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::of(request.headers(), &api.ports.mint);
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .and_then(|matched| api.routes.pattern(matched.as_str()))
        .unwrap_or("other");
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    request.extensions_mut().insert(id.clone());
    let uploads = route == batches::PATH && batches::is_upload(request.headers());
    let served = serve(&api, route, request, next);
    let limit = match route {
        _ if uploads => api.settings.request_timeout.max(batches::UPLOAD_LIMIT),
        suppressions::IMPORT => api.settings.request_timeout.max(suppressions::IMPORT_LIMIT),
        _ => api.settings.request_timeout,
    };
    let mut response = match tokio::time::timeout(limit, served).await {
        Ok(response) => response,
        Err(_) => {
            Problem::new(Code::Overloaded, "The request took too long and was given up.").into_response()
        }
    };
    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(problem) = problem.or_else(|| unexplained(&response)) {
        problem.count();
        let rendered = problem.render(id.as_str(), &path);
        response = with_headers_of(rendered, &response);
    }
    response.headers_mut().insert(request_id::HEADER, id.header());
    let method = known_method(&method);
    metrics::counter!(
        metric::HTTP_REQUESTS_TOTAL, label::ROUTE => route, label::METHOD => method,
        label::STATUS => status_class(&response)
    )
    .increment(1);
    metrics::histogram!(metric::HTTP_REQUEST_SECONDS, label::ROUTE => route, label::METHOD => method)
        .record(started.elapsed());
    response
}

async fn serve(api: &Arc<Api>, route: &'static str, request: Request, next: Next) -> Response {
    if header_bytes(request.headers()) > HEADER_BYTES_MAX {
        let detail = format!("The headers are larger than {HEADER_BYTES_MAX} bytes.");
        return Problem::new(Code::HeaderInvalid, detail).into_response();
    }
    // Probes must get through when the service is busy, or an orchestrator ends it for being busy.
    let _permit = if is_probe(route) {
        None
    } else {
        match api.requests.try_acquire() {
            Ok(permit) => Some(permit),
            Err(_) => {
                return Problem::new(Code::Overloaded, "Too many requests are running.").into_response();
            }
        }
    };
    match AssertUnwindSafe(gate::pass(api, request, next)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            error!(http.route = route, "a handler panicked");
            Problem::new(Code::Internal, "The request could not be served.").into_response()
        }
    }
}

/// What the router refused by itself: a path that is not UTF-8 names nothing.
fn unexplained(response: &Response) -> Option<Problem> {
    if response.status().is_client_error() {
        return Some(Problem::not_found());
    }
    response
        .status()
        .is_server_error()
        .then(|| Problem::new(Code::Internal, "The request could not be served."))
}

fn is_probe(route: &str) -> bool {
    matches!(route, "/healthz" | "/readyz" | "/metrics")
}

fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// Keeps what handlers and the router said beside the body, such as `Allow`.
fn with_headers_of(mut rendered: Response, response: &Response) -> Response {
    for (name, value) in response.headers() {
        if *name != header::CONTENT_LENGTH && *name != header::CONTENT_TYPE {
            rendered.headers_mut().insert(name, value.clone());
        }
    }
    rendered
}

/// Labels come from closed sets: a client can invent methods.
fn known_method(method: &http::Method) -> &'static str {
    match *method {
        http::Method::GET => "GET",
        http::Method::POST => "POST",
        http::Method::PUT => "PUT",
        http::Method::PATCH => "PATCH",
        http::Method::DELETE => "DELETE",
        _ => "other",
    }
}

fn status_class(response: &Response) -> &'static str {
    match response.status().as_u16() {
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
