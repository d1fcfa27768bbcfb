//! Twilio's errors: `{code, message, more_info, status}`.

use std::borrow::Cow;

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::answer;

/// An error answer. `code` is missing where the published code is not known; callers then go by the status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    pub(super) code: Option<u32>,
    pub(super) message: Cow<'static, str>,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u32>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    more_info: Option<String>,
    status: u16,
}

impl Fault {
    const fn fixed(status: StatusCode, code: u32, message: &'static str) -> Self {
        Self { status, code: Some(code), message: Cow::Borrowed(message) }
    }

    /// A refused parameter: 400.
    pub(super) fn parameter(code: u32, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: Some(code), message: message.into() }
    }

    /// A refused parameter for which no code is known: 400.
    pub(super) fn uncoded(message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: None, message: message.into() }
    }

    pub(super) fn into_response(self) -> Response {
        let body = Body {
            code: self.code,
            message: &self.message,
            more_info: self.code.map(|code| format!("https://www.twilio.com/docs/errors/{code}")),
            status: self.status.as_u16(),
        };
        let mut response = answer::json(self.status, &body);
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"Twilio API\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

pub(super) const UNAUTHENTICATED: Fault = Fault::fixed(StatusCode::UNAUTHORIZED, 20003, "Authenticate");
pub(super) const METHOD_NOT_ALLOWED: Fault =
    Fault::fixed(StatusCode::METHOD_NOT_ALLOWED, 20004, "Method not allowed");
pub(super) const TOO_MANY_REQUESTS: Fault =
    Fault::fixed(StatusCode::TOO_MANY_REQUESTS, 20429, "Too Many Requests");
/// Twilio's code for maintenance: the message was not taken.
pub(super) const MAINTENANCE: Fault = Fault::fixed(
    StatusCode::SERVICE_UNAVAILABLE,
    21730,
    "The service is under maintenance and the message was not processed. Please try again later.",
);
pub(super) const INTERNAL: Fault =
    Fault::fixed(StatusCode::INTERNAL_SERVER_ERROR, 20500, "An internal server error has occurred");
pub(super) const TOO_LARGE: Fault = Fault {
    status: StatusCode::PAYLOAD_TOO_LARGE,
    code: None,
    message: Cow::Borrowed("The request body is too large"),
};

pub(super) fn not_found(path: &str) -> Fault {
    Fault {
        status: StatusCode::NOT_FOUND,
        code: Some(20404),
        message: format!("The requested resource {path} was not found").into(),
    }
}

pub(super) fn invalid_to(to: &str) -> Fault {
    Fault::parameter(21211, format!("Invalid 'To' Phone Number: {to}"))
}
