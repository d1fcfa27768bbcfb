//! The SMS API's refusals: HTTP 200, with one message whose status is not 0.

use std::borrow::Cow;

use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use crate::answer;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) status: u8,
    text: Cow<'static, str>,
}

impl Fault {
    const fn fixed(status: u8, text: &'static str) -> Self {
        Self { status, text: Cow::Borrowed(text) }
    }

    pub(super) fn into_response(self) -> Response {
        let message = json!({ "status": self.status.to_string(), "error-text": self.text });
        answer::json(StatusCode::OK, &json!({ "message-count": "1", "messages": [message] }))
    }
}

pub(super) const THROTTLED: Fault =
    Fault::fixed(1, "Throughput Rate Exceeded - please wait [ 1000 ] and retry");
pub(super) const BAD_CREDENTIALS: Fault = Fault::fixed(4, "Bad Credentials");
pub(super) const UNROUTABLE: Fault = Fault::fixed(6, "Unroutable message - rejected");
pub(super) const TOO_LONG: Fault = Fault::fixed(12, "Message Too Long");
pub(super) const BAD_SIGNATURE: Fault = Fault::fixed(14, "Invalid Signature");
pub(super) const BAD_SENDER: Fault = Fault::fixed(15, "Illegal Sender Address - rejected");
pub(super) const BAD_CALLBACK: Fault = Fault::fixed(23, "Invalid Callback URL");
pub(super) const TWO_LOGINS: Fault =
    Fault::fixed(32, "Both a signature and an API secret were given; use one of them");

pub(super) fn missing(parameter: &str) -> Fault {
    Fault { status: 2, text: format!("Missing {parameter} param").into() }
}

pub(super) fn invalid(parameter: &str) -> Fault {
    Fault { status: 3, text: format!("Invalid value for param: {parameter}").into() }
}
