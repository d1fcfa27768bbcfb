//! AWS errors: the code in `x-amzn-ErrorType`, the text in `{"message"}`.

use std::borrow::Cow;

use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use crate::answer;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// An error answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: Cow<'static, str>,
}

impl Fault {
    const fn fixed(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message: Cow::Borrowed(message) }
    }

    /// `BadRequestException`, 400.
    pub(super) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "BadRequestException", message: message.into() }
    }

    /// `NotFoundException`, 404.
    pub(super) fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::NOT_FOUND, code: "NotFoundException", message: message.into() }
    }

    /// `MessageRejected`, 400.
    pub(super) fn rejected(message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "MessageRejected", message: message.into() }
    }

    /// `SerializationException`, 400: the body is not the shape that the service model asks for.
    pub(super) fn serialization(message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "SerializationException", message: message.into() }
    }

    /// 403 with one of the codes that AWS has for authentication.
    pub(super) fn forbidden(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::FORBIDDEN, code, message: message.into() }
    }

    pub(super) fn into_response(self) -> Response {
        let mut response = answer::json(self.status, &json!({ "message": self.message }));
        response.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(self.code));
        with_request_id(response)
    }
}

/// Adds `x-amzn-RequestId`.
pub(super) fn with_request_id(mut response: Response) -> Response {
    let id = super::sns::random_uuid();
    response.headers_mut().insert(REQUEST_ID, HeaderValue::try_from(id).expect("a UUID is a header value"));
    response
}

pub(super) const UNKNOWN_OPERATION: Fault = Fault::fixed(
    StatusCode::NOT_FOUND,
    "UnknownOperationException",
    "The requested operation is not recognized.",
);
pub(super) const TOO_LARGE: Fault =
    Fault::fixed(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", "Request entity too large");
pub(super) const UNSUPPORTED_MEDIA_TYPE: Fault = Fault::fixed(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "UnsupportedMediaTypeException",
    "The content type must be application/json.",
);
pub(super) const THROTTLED: Fault =
    Fault::fixed(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", "Maximum sending rate exceeded.");
pub(super) const INVALID_NEXT_TOKEN: Fault = Fault::fixed(
    StatusCode::BAD_REQUEST,
    "InvalidNextTokenException",
    "The specified next token is invalid.",
);
pub(super) const UNAVAILABLE: Fault = Fault::fixed(
    StatusCode::SERVICE_UNAVAILABLE,
    "ServiceUnavailable",
    "The service is temporarily unavailable and the request was not processed.",
);
pub(super) const INTERNAL: Fault = Fault::fixed(
    StatusCode::INTERNAL_SERVER_ERROR,
    "InternalFailure",
    "The request processing has failed because of an unknown error, exception or failure.",
);
