//! Google's errors: `{"error": {code, message, status, details}}`.

use std::borrow::Cow;

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::schema::Violation;
use crate::answer;

/// An error answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    http: StatusCode,
    status: &'static str,
    message: Cow<'static, str>,
    details: Vec<Value>,
}

impl Fault {
    fn new(
        http: StatusCode,
        status: &'static str,
        message: impl Into<Cow<'static, str>>,
        details: Vec<Value>,
    ) -> Self {
        Self { http, status, message: message.into(), details }
    }

    pub(super) fn into_response(self) -> Response {
        let mut error = json!({ "code": self.http.as_u16(), "message": self.message, "status": self.status });
        if !self.details.is_empty() {
            error["details"] = self.details.into();
        }
        let mut response = answer::json(self.http, &json!({ "error": error }));
        if self.http == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"https://accounts.google.com/\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }

    #[cfg(test)]
    pub(super) fn message(&self) -> &str {
        &self.message
    }
}

fn fcm_error(code: &str) -> Value {
    json!({ "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code })
}

fn error_info(reason: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": { "service": "fcm.googleapis.com" },
    })
}

/// 400 about the message's meaning, with FCM's own code.
pub(super) fn invalid_argument(message: impl Into<Cow<'static, str>>) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", message, vec![fcm_error("INVALID_ARGUMENT")])
}

/// 400 before the message was understood, without FCM's own code.
pub(super) fn unreadable(message: impl Into<Cow<'static, str>>) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", message, Vec::new())
}

/// 400 naming every field that has the wrong name or type.
pub(super) fn violations(violations: &[Violation]) -> Fault {
    let lines: Vec<_> = violations.iter().map(|violation| &*violation.description).collect();
    let fields: Vec<_> = violations
        .iter()
        .map(|violation| json!({ "field": violation.field, "description": violation.description }))
        .collect();
    let details = json!({ "@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": fields });
    Fault::new(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", lines.join("\n"), vec![details])
}

pub(super) fn invalid_token() -> Fault {
    invalid_argument("The registration token is not a valid FCM registration token")
}

pub(super) fn unregistered() -> Fault {
    let details = vec![fcm_error("UNREGISTERED")];
    Fault::new(StatusCode::NOT_FOUND, "NOT_FOUND", "Requested entity was not found.", details)
}

pub(super) fn unauthenticated(reason: &str) -> Fault {
    Fault::new(
        StatusCode::UNAUTHORIZED,
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid \
         authentication credential.",
        vec![error_info(reason)],
    )
}

pub(super) fn other_project(project: &str) -> Fault {
    Fault::new(
        StatusCode::FORBIDDEN,
        "PERMISSION_DENIED",
        format!(
            "Permission 'cloudmessaging.messages.create' denied on resource \
             '//cloudresourcemanager.googleapis.com/projects/{project}' (or it may not exist)."
        ),
        vec![error_info("IAM_PERMISSION_DENIED")],
    )
}

pub(super) fn quota_exceeded(project: &str) -> Fault {
    let violation =
        json!({ "subject": format!("project:{project}"), "description": "Message rate exceeded" });
    let quota = json!({ "@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation] });
    let details = vec![fcm_error("QUOTA_EXCEEDED"), quota];
    Fault::new(StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED", "Quota exceeded.", details)
}

pub(super) fn unavailable() -> Fault {
    Fault::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "UNAVAILABLE",
        "The service is currently unavailable and the request was not processed.",
        vec![fcm_error("UNAVAILABLE")],
    )
}

pub(super) fn internal() -> Fault {
    let details = vec![fcm_error("INTERNAL")];
    Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "Internal error encountered.", details)
}

pub(super) fn unknown_method() -> Fault {
    Fault::new(StatusCode::NOT_FOUND, "NOT_FOUND", "Method not found.", Vec::new())
}
