//! Refusals as `application/problem+json` (RFC 9457).

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;

/// One fault in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FieldError {
    /// JSON pointer into the body, or the name of a query parameter.
    pub(crate) pointer: String,
    /// Stable code.
    pub(crate) code: &'static str,
    /// Words.
    pub(crate) detail: String,
}

/// A refusal. Rendered by [`crate::request::around`], which knows the request.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) detail: String,
    pub(crate) layer: Option<&'static str>,
    pub(crate) errors: Vec<FieldError>,
    pub(crate) retry_after_s: Option<u64>,
}

impl Problem {
    pub(crate) fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, code, detail: detail.into(), layer: None, errors: Vec::new(), retry_after_s: None }
    }

    pub(crate) fn layer(self, layer: &'static str) -> Self {
        Self { layer: Some(layer), ..self }
    }

    pub(crate) fn errors(self, errors: Vec<FieldError>) -> Self {
        Self { errors, ..self }
    }

    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(404, "not_found", format!("no such {what}"))
    }

    pub(crate) fn overloaded(detail: &str) -> Self {
        Self::new(503, "overloaded", detail).retry_after(1)
    }

    /// Something of ours failed: logged here, once, and not explained to the caller.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %chain(error), "request failed");
        Self::new(500, "internal", "something failed on our side; the request id names it in our logs")
    }

    /// Faults in a request body.
    pub(crate) fn schema(errors: Vec<FieldError>) -> Self {
        let detail = format!("{} field(s) are not as the schema wants them", errors.len());
        Self::new(422, "schema_invalid", detail).layer("schema").errors(errors)
    }

    /// The body of this problem for one request.
    pub(crate) fn render(&self, request_id: &str, path: &str) -> Response {
        let body = json!({
            "type": format!("https://hermes.example/problems/{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "instance": path,
            "code": self.code,
            "request_id": request_id,
            "layer": self.layer,
            "errors": self.errors,
        });
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        response.extensions_mut().insert(self);
        response
    }
}

pub(crate) async fn no_such_route() -> Problem {
    Problem::not_found("route")
}

pub(crate) async fn method_not_allowed() -> Problem {
    Problem::new(405, "method_not_allowed", "this route does not take this method")
}
