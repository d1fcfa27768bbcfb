//! FCM's errors: the `FcmError` detail first, then status and HTTP.

use hermes_adapter_sdk::{
    by_status,
    contract::{ErrorClass, HttpResponse, Outcome, Throttling},
    failure, pick, retry_after_ms, with_code,
};
use serde_json::Value;

/// How long to wait after a 429 that names no time (Google's advice).
const QUOTA_PAUSE_MS: u64 = 60_000;

/// The `errorCode` of FCM's own error detail.
pub(crate) fn fcm_code(answer: &Value) -> Option<&str> {
    let details = answer.pointer("/error/details").and_then(Value::as_array)?;
    let own = |detail: &&Value| pick(detail, "/@type").is_some_and(|kind| kind.ends_with("FcmError"));
    details.iter().find(own).and_then(|detail| pick(detail, "/errorCode"))
}

/// What a refusing answer means.
pub(crate) fn refusal(response: &HttpResponse, answer: &Value) -> Outcome {
    let status = pick(answer, "/error/status").unwrap_or_default();
    let code = fcm_code(answer);
    let shown = code.unwrap_or(status).to_owned();
    let rejected = |class, detail: &str| Outcome::Rejected(failure(class, shown.clone(), detail));
    match (response.status, status, code) {
        (400, _, Some("INVALID_ARGUMENT") | None) if about_the_token(answer) => {
            rejected(ErrorClass::RecipientPermanent, "the token is not valid")
        }
        (400, "INVALID_ARGUMENT", Some("INVALID_ARGUMENT") | None) => {
            rejected(ErrorClass::ContentRejected, "a field of the message is not valid")
        }
        (404, _, Some("UNREGISTERED")) => {
            rejected(ErrorClass::RecipientPermanent, "the app is gone from the device")
        }
        (404, "NOT_FOUND", None) => rejected(ErrorClass::Auth, "the project does not exist"),
        (403, _, Some("SENDER_ID_MISMATCH")) => {
            rejected(ErrorClass::RecipientPermanent, "the token belongs to another project")
        }
        (401, _, Some("THIRD_PARTY_AUTH_ERROR" | "APNS_AUTH_ERROR")) => {
            rejected(ErrorClass::Auth, "the APNs or web push key of the project is not valid")
        }
        (401 | 403, "UNAUTHENTICATED" | "PERMISSION_DENIED", _) => {
            rejected(ErrorClass::Auth, "the service account was refused")
        }
        (429, _, _) => throttled(response, shown, Some(QUOTA_PAUSE_MS)),
        (503, "UNAVAILABLE", _) if retry_after_ms(response).is_some() => throttled(response, shown, None),
        (503, "UNAVAILABLE", _) => {
            Outcome::NotSent(failure(ErrorClass::ProviderFault, shown, "overloaded; not processed"))
        }
        (500, "INTERNAL", _) => Outcome::ServerError(failure(ErrorClass::ProviderFault, shown, "FCM failed")),
        _ if shown.is_empty() => by_status(response),
        _ => with_code(by_status(response), &shown),
    }
}

fn throttled(response: &HttpResponse, code: String, pause_ms: Option<u64>) -> Outcome {
    let failure = failure(ErrorClass::ProviderThrottled, code, "limited by FCM");
    Outcome::Throttled(Throttling { retry_after_ms: retry_after_ms(response).or(pause_ms), failure })
}

/// A violation of the token's field, or a message that speaks of the registration token.
fn about_the_token(answer: &Value) -> bool {
    let field =
        |violation: &Value| matches!(pick(violation, "/field"), Some("message.token" | "message.fid"));
    let details = answer.pointer("/error/details").and_then(Value::as_array).into_iter().flatten();
    let mut violations =
        details.filter_map(|detail| detail.pointer("/fieldViolations")?.as_array()).flatten();
    let message = pick(answer, "/error/message").unwrap_or_default();
    message.contains("registration token") || violations.any(field)
}
