//! Meta's errors: `{"error": {message, type, code, error_data, fbtrace_id}}`. The code says it all.

use axum::response::Response;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};

use crate::answer;

/// A fault that Meta has a code for; it words the same one in answers and in webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) code: u32,
    pub(super) title: &'static str,
    pub(super) details: &'static str,
}

pub(super) const RATE_LIMIT: Known = Known {
    code: 130_429,
    title: "Rate limit hit",
    details: "Message failed to send because there were too many messages sent from this phone number in a short \
              period of time",
};
pub(super) const UNDELIVERABLE: Known =
    Known { code: 131_026, title: "Message undeliverable", details: "Message Undeliverable." };
pub(super) const WINDOW_CLOSED: Known = Known {
    code: 131_047,
    title: "Re-engagement message",
    details: "Message failed to send because more than 24 hours have passed since the customer last replied to \
              this number.",
};
pub(super) const TO_ITSELF: Known = Known {
    code: 131_021,
    title: "Recipient cannot be sender",
    details: "Sender and recipient phone number is the same.",
};
const WRONG: Known = Known {
    code: 131_000,
    title: "Something went wrong",
    details: "Message failed to send due to an unknown error.",
};

/// An error answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    status: StatusCode,
    kind: &'static str,
    code: u32,
    message: String,
    details: Option<String>,
    subcode: Option<u32>,
    is_transient: bool,
}

impl Fault {
    fn new(status: StatusCode, code: u32, message: impl Into<String>) -> Self {
        Self {
            status,
            kind: "OAuthException",
            code,
            message: message.into(),
            details: None,
            subcode: None,
            is_transient: false,
        }
    }

    fn detailed(status: StatusCode, code: u32, title: &str, details: impl Into<String>) -> Self {
        Self { details: Some(details.into()), ..Self::new(status, code, format!("(#{code}) {title}")) }
    }

    pub(super) fn known(status: StatusCode, known: Known) -> Self {
        Self::detailed(status, known.code, known.title, known.details)
    }

    pub(super) fn into_response(self) -> Response {
        let mut error = json!({
            "message": self.message,
            "type": self.kind,
            "code": self.code,
            "fbtrace_id": format!("A{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())),
        });
        if let Some(details) = &self.details {
            error["error_data"] = json!({ "messaging_product": "whatsapp", "details": details });
        }
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = subcode.into();
        }
        if self.is_transient {
            error["is_transient"] = Value::Bool(true);
        }
        let mut response = answer::json(self.status, &json!({ "error": error }));
        let reason =
            if self.status == StatusCode::UNAUTHORIZED { "invalid_token" } else { "invalid_request" };
        let challenge = format!("OAuth \"Facebook Platform\" \"{reason}\" \"{}\"", self.message);
        // A message that quotes what has no place in a header goes without it.
        if self.status.is_client_error()
            && let Ok(challenge) = HeaderValue::try_from(challenge)
        {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }

    #[cfg(test)]
    pub(super) fn code(&self) -> u32 {
        self.code
    }

    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        self.details.as_deref().unwrap_or(&self.message)
    }
}

/// A parameter that Graph itself refuses, before WhatsApp sees it.
pub(super) fn parameter(message: impl std::fmt::Display) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, 100, format!("(#100) {message}"))
}

/// A parameter that WhatsApp refuses by the same code.
pub(super) fn invalid_parameter(details: impl Into<String>) -> Fault {
    Fault::detailed(StatusCode::BAD_REQUEST, 100, "Invalid parameter", details)
}

pub(super) fn missing_parameter(details: impl Into<String>) -> Fault {
    Fault::detailed(StatusCode::BAD_REQUEST, 131_008, "Required parameter is missing", details)
}

pub(super) fn invalid_value(details: impl Into<String>) -> Fault {
    Fault::detailed(StatusCode::BAD_REQUEST, 131_009, "Parameter value is not valid", details)
}

pub(super) fn unsupported_type(kind: &str) -> Fault {
    let details = format!("Message type {kind} is not currently supported.");
    Fault::detailed(StatusCode::BAD_REQUEST, 131_051, "Unsupported message type", details)
}

pub(super) fn no_such_template(name: &str, language: &str) -> Fault {
    let details = format!("template name ({name}) does not exist in {language}");
    let title = "Template name does not exist in the translation";
    Fault::detailed(StatusCode::NOT_FOUND, 132_001, title, details)
}

pub(super) fn parameter_count(found: usize, expected: usize) -> Fault {
    let details = format!(
        "body: number of localizable_params ({found}) does not match the expected number of params ({expected})"
    );
    let title = "Number of parameters does not match the expected number of params";
    Fault::detailed(StatusCode::BAD_REQUEST, 132_000, title, details)
}

/// Without a token nobody is known, which Meta words as a token that it cannot read.
pub(super) fn no_token() -> Fault {
    bad_token()
}

pub(super) fn bad_token() -> Fault {
    let message = "Invalid OAuth access token - Cannot parse access token";
    Fault::new(StatusCode::UNAUTHORIZED, 190, message)
}

/// Also for an object of somebody else: Graph does not tell the two apart.
pub(super) fn no_such_object(method: &Method, id: &str) -> Fault {
    let message = format!(
        "Unsupported {} request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, \
         or does not support this operation. Please read the Graph API documentation at \
         https://developers.facebook.com/docs/graph-api",
        method.as_str().to_ascii_lowercase()
    );
    let fault = Fault::new(StatusCode::BAD_REQUEST, 100, message);
    Fault { kind: "GraphMethodException", subcode: Some(33), ..fault }
}

pub(super) fn no_such_field(name: &str, node: &str) -> Fault {
    parameter(format_args!("Tried accessing nonexisting field ({name}) on node type ({node})"))
}

pub(super) fn unknown_path(path: &str) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, 2500, format!("Unknown path components: {path}"))
}

pub(super) fn unavailable() -> Fault {
    let fault = Fault::new(StatusCode::SERVICE_UNAVAILABLE, 2, "(#2) Service temporarily unavailable");
    Fault { is_transient: true, ..fault }
}

pub(super) fn internal() -> Fault {
    Fault::known(StatusCode::INTERNAL_SERVER_ERROR, WRONG)
}
