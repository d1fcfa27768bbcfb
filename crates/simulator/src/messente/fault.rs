//! Messente's errors: `{"errors": [{code, title, detail, source}]}`, where the code is a string.

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::answer;

/// One entry of an error answer, with the status that an answer of such entries has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Problem {
    #[serde(skip)]
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    source: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    errors: &'a [Problem],
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, title, detail: detail.into(), source: None }
    }

    /// What the field at `source` holds is not allowed there.
    pub(super) fn invalid(source: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { source: Some(source.into()), ..Self::unreadable(detail) }
    }

    /// The field at `source` is needed.
    pub(super) fn missing(source: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::BAD_REQUEST, "106", "Missing data", "This field is required");
        Self { source: Some(source.into()), ..problem }
    }

    /// The body as a whole cannot be used.
    pub(super) fn unreadable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "105", "Invalid data", detail)
    }

    pub(super) fn into_response(self) -> Response {
        response(&[self])
    }

    #[cfg(test)]
    pub(super) fn code_and_source(&self) -> (&'static str, &str) {
        (self.code, self.source.as_deref().unwrap_or_default())
    }
}

/// One answer with all problems, of which there is at least one.
pub(super) fn response(problems: &[Problem]) -> Response {
    let status = problems.first().map_or(StatusCode::BAD_REQUEST, |problem| problem.status);
    answer::json(status, &Body { errors: problems })
}

/// More than 150 requests per second. Nothing is published about the body, so it is none that a caller could
/// rely on.
pub(super) fn too_many_requests() -> Response {
    answer::bytes(StatusCode::TOO_MANY_REQUESTS, "text/plain", "Too Many Requests")
}

pub(super) fn unauthorized() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "103", "Unauthorized", "Invalid username or password")
}

pub(super) fn not_found(detail: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "101", "Not found", detail)
}

pub(super) fn method_not_allowed() -> Problem {
    let detail = "This method is not allowed for the requested resource";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "107", "Method not allowed", detail)
}

pub(super) fn internal() -> Problem {
    internal_as(StatusCode::INTERNAL_SERVER_ERROR, "An internal server error occurred")
}

/// Said with the only code there is for faults on Messente's side.
pub(super) fn unavailable() -> Problem {
    internal_as(StatusCode::SERVICE_UNAVAILABLE, "The service is unavailable, the message was not processed")
}

fn internal_as(status: StatusCode, detail: &str) -> Problem {
    Problem::new(status, "104", "Internal Server Error", detail)
}
