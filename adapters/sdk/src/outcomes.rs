//! Outcomes, and what an HTTP status says where a provider's own code says nothing.

use crate::{
    contract::{Acceptance, ErrorClass, Failure, HttpResponse, Level, Outcome, Throttling},
    http::retry_after_ms,
};

/// The provider took the message and called it `id`.
pub fn accepted(id: Option<String>, level: Option<Level>) -> Outcome {
    Outcome::Accepted(Acceptance { provider_message_id: id, level, segments: None, cost: None })
}

/// A failure; `detail` is for operators and must hold no address and no content.
pub fn failure(class: ErrorClass, code: impl Into<Option<String>>, detail: &str) -> Failure {
    Failure { class, code: code.into(), detail: Some(detail.to_owned()) }
}

/// A failure of unknown class without a provider's code.
pub fn refused(detail: &str) -> Failure {
    failure(ErrorClass::Unknown, None, detail)
}

/// Refused before any request was made.
pub fn refused_with(class: ErrorClass, detail: &str) -> Outcome {
    Outcome::Rejected(failure(class, None, detail))
}

/// `outcome` with the provider's own code, whatever it is.
pub fn with_code(outcome: Outcome, code: &str) -> Outcome {
    let coded = |failure| Failure { code: Some(code.to_owned()), ..failure };
    match outcome {
        Outcome::Accepted(acceptance) => Outcome::Accepted(acceptance),
        Outcome::Throttled(told) => Outcome::Throttled(Throttling { failure: coded(told.failure), ..told }),
        Outcome::Rejected(failure) => Outcome::Rejected(coded(failure)),
        Outcome::NotSent(failure) => Outcome::NotSent(coded(failure)),
        Outcome::ServerError(failure) => Outcome::ServerError(coded(failure)),
        Outcome::Unknown(failure) => Outcome::Unknown(coded(failure)),
    }
}

/// What the status alone says. 2xx is `unknown` here: success needs a body that can be read.
pub fn by_status(response: &HttpResponse) -> Outcome {
    let code = format!("http_{}", response.status);
    let told = |class, detail: &str| failure(class, code.clone(), detail);
    match response.status {
        401 | 403 => Outcome::Rejected(told(ErrorClass::Auth, "the credentials were refused")),
        413 => Outcome::Rejected(told(ErrorClass::ContentRejected, "the message is too large")),
        429 => Outcome::Throttled(Throttling {
            retry_after_ms: retry_after_ms(response),
            failure: told(ErrorClass::ProviderThrottled, "too many requests"),
        }),
        400..=499 => Outcome::Rejected(told(ErrorClass::Unknown, "the request was refused")),
        500..=599 => Outcome::ServerError(told(ErrorClass::ProviderFault, "the provider failed")),
        _ => Outcome::Unknown(told(ErrorClass::Unknown, "the answer cannot be read")),
    }
}
