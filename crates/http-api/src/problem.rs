//! Refusals, as `application/problem+json` (RFC 9457).

mod code;
mod fault;
mod from;

use axum::response::{IntoResponse, Response};
use hermes_telemetry::names::{label, metric};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use code::Code;
pub(crate) use fault::Fault;

use crate::rate::{RateState, Spent};

/// Why a request was refused. Rendered at the edge, which knows the request's id and path.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) detail: String,
    pub(crate) faults: Vec<Fault>,
    pub(crate) retry_after_s: Option<u32>,
    spent: Option<Spent>,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        let retry_after_s = code.is_temporary().then_some(1);
        Self { code, detail: detail.into(), faults: Vec::new(), retry_after_s, spent: None }
    }

    pub(crate) fn with_faults(mut self, faults: Vec<Fault>) -> Self {
        self.faults = faults;
        self
    }

    pub(crate) const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Names the limit that refused, for the headers.
    pub(crate) fn for_lack_of(mut self, spent: Spent) -> Self {
        self.spent = Some(spent);
        self
    }

    /// What the headers say of the limit that refused, if it is named.
    pub(crate) fn rate(&self) -> Option<RateState> {
        Some(self.spent.as_ref()?.told(self.retry_after_s?))
    }

    pub(crate) fn not_found() -> Self {
        Self::new(Code::NotFound, "There is no such resource, or it is not yours.")
    }

    /// Counts it among the refusals.
    pub(crate) fn count(&self) {
        let layer = self.code.layer().unwrap_or("none");
        metrics::counter!(metric::REFUSALS_TOTAL, label::LAYER => layer, label::CODE => self.code.as_str())
            .increment(1);
    }

    /// The body. `instance` is the path that was asked for.
    pub(crate) fn document<'a>(&'a self, request_id: &'a str, instance: &'a str) -> ProblemDocument<'a> {
        ProblemDocument {
            kind: self.code.type_uri(),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: &self.detail,
            instance,
            code: self.code.as_str(),
            request_id,
            layer: self.code.layer(),
            errors: &self.faults,
        }
    }

    /// The whole answer.
    pub(crate) fn render(&self, request_id: &str, instance: &str) -> Response {
        #[expect(clippy::expect_used, reason = "plain structs with text keys: there is no case that fails")]
        let body = serde_json::to_vec(&self.document(request_id, instance)).expect("a problem serialises");
        let content_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let mut response = (self.code.status(), [content_type], body).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code.status() == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(HeaderName::from_static("www-authenticate"), challenge);
        }
        response
    }
}

/// What a client reads.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDocument<'a> {
    /// URI reference of the problem type; its fragment is `code`.
    #[serde(rename = "type")]
    kind: String,
    /// The problem type in words.
    title: &'static str,
    /// HTTP status.
    status: u16,
    /// What is wrong with this request.
    detail: &'a str,
    /// Path of the request.
    instance: &'a str,
    /// Stable code.
    code: &'static str,
    /// Id of the request, also in `X-Request-Id`.
    request_id: &'a str,
    /// The validation layer that refused, or `routing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<&'static str>,
    /// Every fault that was found.
    errors: &'a [Fault],
}

impl IntoResponse for Problem {
    /// Leaves rendering to the edge, which finds the problem among the response's extensions.
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
