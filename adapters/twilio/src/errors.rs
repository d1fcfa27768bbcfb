//! Twilio's error codes at send time. Codes beyond this table fall back to the HTTP status, as Twilio
//! keeps splitting codes and advises against depending on them.

use hermes_adapter_sdk::{
    by_status,
    contract::{ErrorClass, HttpResponse, Outcome, Throttling},
    failure, retry_after_ms, with_code,
};
use serde_json::Value;

/// How long to leave a sender whose queue holds ten hours of messages.
const FULL_QUEUE_MS: u64 = 600_000;
/// How long to leave an account whose daily limit is used up.
const DAILY_LIMIT_MS: u64 = 3_600_000;

/// What a refusing answer means.
pub(crate) fn refusal(response: &HttpResponse, answer: &Value) -> Outcome {
    let Some(code) = answer.pointer("/code").and_then(Value::as_u64) else { return by_status(response) };
    if let Some(pause_ms) = pause_ms(code) {
        let failure = failure(ErrorClass::ProviderThrottled, code.to_string(), "limited by Twilio");
        return Outcome::Throttled(Throttling {
            retry_after_ms: retry_after_ms(response).or(pause_ms),
            failure,
        });
    }
    match (code, rejection(code)) {
        // Maintenance turns a request away before it is processed. 20503, like every other 5xx, may come after.
        (21730, _) => Outcome::NotSent(failure(
            ErrorClass::ProviderFault,
            code.to_string(),
            "unavailable; not processed",
        )),
        (_, Some((class, detail))) => Outcome::Rejected(failure(class, code.to_string(), detail)),
        (_, None) => with_code(by_status(response), &code.to_string()),
    }
}

/// `Some` for codes that ask to wait, with our own pause where Twilio gives none.
fn pause_ms(code: u64) -> Option<Option<u64>> {
    match code {
        20429 | 63017 => Some(None),
        21611 => Some(Some(FULL_QUEUE_MS)),
        63038 => Some(Some(DAILY_LIMIT_MS)),
        _ => None,
    }
}

fn rejection(code: u64) -> Option<(ErrorClass, &'static str)> {
    Some(match code {
        21211 => (ErrorClass::RecipientPermanent, "the recipient's number is not valid"),
        21614 | 21635 => (ErrorClass::RecipientPermanent, "the recipient's number takes no SMS"),
        21604 => (ErrorClass::Unknown, "the recipient is missing"),
        21612 => (ErrorClass::ProviderFault, "Twilio does not connect this sender to this recipient"),
        21408 => (ErrorClass::ProviderFault, "the country is not enabled on the account"),
        21608 => (ErrorClass::Auth, "the account may send to verified numbers only"),
        21212 | 21603 | 21705 => (ErrorClass::SenderRejected, "the sender is missing or not valid"),
        21601 | 21606 | 21659 | 21401 => (ErrorClass::SenderRejected, "the sender cannot be used for this"),
        21703 => (ErrorClass::SenderRejected, "the Messaging Service has no senders"),
        21610 => (ErrorClass::OptedOut, "the recipient sent STOP"),
        21602 => (ErrorClass::ContentRejected, "the text is missing"),
        21617 => (ErrorClass::ContentRejected, "the text is longer than 1600 characters"),
        20003 => (ErrorClass::Auth, "the credentials were refused"),
        20005 | 10001 => (ErrorClass::Funds, "the account is inactive or suspended"),
        20404 => (ErrorClass::Auth, "the account or the resource does not exist"),
        _ => return None,
    })
}
