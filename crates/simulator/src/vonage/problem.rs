//! Errors of the Messages and Reports APIs: RFC 7807 bodies, sent as plain JSON.

use std::borrow::Cow;

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use super::stable::format_uuid;
use crate::answer;

const DETAIL_OF_VALUES: &str = "The value of one or more parameters is invalid.";

/// An error answer. `instance` is chosen when it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    kind: Option<&'static str>,
    pub(super) title: &'static str,
    detail: Option<Cow<'static, str>>,
    pub(super) invalid_parameters: Vec<InvalidParameter>,
}

/// A parameter and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct InvalidParameter {
    pub(super) name: &'static str,
    pub(super) reason: &'static str,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    title: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    instance: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    invalid_parameters: &'a [InvalidParameter],
}

impl Problem {
    const fn fixed(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: &'static str,
    ) -> Self {
        Self {
            status,
            kind: Some(kind),
            title,
            detail: Some(Cow::Borrowed(detail)),
            invalid_parameters: Vec::new(),
        }
    }

    pub(super) fn into_response(self) -> Response {
        let body = Body {
            kind: self.kind,
            title: self.title,
            detail: self.detail.as_deref(),
            instance: format_uuid(rand::random()).replace('-', ""),
            invalid_parameters: &self.invalid_parameters,
        };
        answer::json(self.status, &body)
    }
}

pub(super) const UNAUTHORIZED: Problem = Problem::fixed(
    StatusCode::UNAUTHORIZED,
    "https://developer.vonage.com/api-errors#unauthorized",
    "You did not provide correct credentials.",
    "Check that you're using the correct credentials, and that your account has this feature enabled",
);
pub(super) const JWT_EXPIRED: Problem = Problem::fixed(
    StatusCode::UNAUTHORIZED,
    "https://developer.vonage.com/api-errors#jwt-expired",
    "JWT Expired",
    "The JWT in the authorization header has expired",
);
pub(super) const THROTTLED: Problem = Problem::fixed(
    StatusCode::TOO_MANY_REQUESTS,
    "https://developer.vonage.com/api-errors/messages#1000",
    "Rate Limit Hit",
    "Please wait, then retry your request",
);
pub(super) const INTERNAL: Problem = Problem::fixed(
    StatusCode::INTERNAL_SERVER_ERROR,
    "https://developer.vonage.com/api-errors/messages#1000",
    "Internal error",
    "There was an error processing your request in the Platform.",
);
/// To the Reports API, for another account than the one that logs in.
pub(super) const FORBIDDEN: Problem = Problem::fixed(
    StatusCode::FORBIDDEN,
    "https://developer.vonage.com/api-errors#forbidden",
    "Forbidden",
    "User not authorized to query the requested data",
);
pub(super) const INVALID_FILTER: Problem = Problem::fixed(
    StatusCode::UNPROCESSABLE_ENTITY,
    "https://developer.nexmo.com/api-errors/reports#invalid-filter",
    "Invalid filter",
    "When using message_id, the following parameters are not supported: [date_start, date_end, status]",
);

/// The body is not JSON. Only the place is told: the parser's own words may quote values.
pub(super) fn invalid_json(line: usize, column: usize) -> Problem {
    Problem {
        detail: Some(format!("Unexpected character at line {line} column {column}").into()),
        ..Problem::fixed(
            StatusCode::UNPROCESSABLE_ENTITY,
            "https://developer.vonage.com/api-errors#invalid-json",
            "The request body did not contain valid JSON",
            "",
        )
    }
}

/// The Messages API's refusal of parameters.
pub(super) fn invalid_message(invalid_parameters: Vec<InvalidParameter>) -> Problem {
    Problem {
        invalid_parameters,
        ..Problem::fixed(
            StatusCode::UNPROCESSABLE_ENTITY,
            "https://developer.vonage.com/api-errors/messages#1150",
            "Invalid params",
            DETAIL_OF_VALUES,
        )
    }
}

/// The Reports API's refusal of a parameter.
pub(super) fn invalid_query(name: &'static str, reason: &'static str) -> Problem {
    Problem {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        kind: None,
        title: "Unprocessable entity",
        detail: None,
        invalid_parameters: vec![InvalidParameter { name, reason }],
    }
}
