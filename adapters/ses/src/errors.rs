//! SES' errors: the code stands in a header, the message decides where one code has several causes.

use hermes_adapter_sdk::{
    by_status,
    contract::{ErrorClass, HttpResponse, Outcome, Throttling},
    failure, header, pick, retry_after_ms, with_code,
};
use serde_json::Value;

/// How long to leave an account whose daily quota is used up: it frees hour by hour.
const DAILY_QUOTA_MS: u64 = 3_600_000;

/// What a refusing answer means. `recipient` is the address of the attempt.
pub(crate) fn refusal(response: &HttpResponse, answer: &Value, recipient: &str) -> Outcome {
    let Some(code) = code(response, answer) else { return by_status(response) };
    let message = pick(answer, "/message").or_else(|| pick(answer, "/Message")).unwrap_or_default();
    if let Some(pause_ms) = pause_ms(&code, message) {
        let failure = failure(ErrorClass::ProviderThrottled, code, "limited by SES");
        return Outcome::Throttled(Throttling {
            retry_after_ms: retry_after_ms(response).or(pause_ms),
            failure,
        });
    }
    if code == "ServiceUnavailable" || code == "ServiceUnavailableException" {
        return Outcome::NotSent(failure(ErrorClass::ProviderFault, code, "unavailable; not processed"));
    }
    match rejection(&code, message, recipient) {
        Some((class, detail)) => Outcome::Rejected(failure(class, code, detail)),
        None => with_code(by_status(response), &code),
    }
}

/// The code without what AWS puts around it, as botocore reads it.
pub(crate) fn code(response: &HttpResponse, answer: &Value) -> Option<String> {
    let raw = header(&response.headers, "x-amzn-errortype").or_else(|| pick(answer, "/code"));
    let raw = raw.or_else(|| pick(answer, "/__type"))?;
    let code = raw.split(':').next()?.rsplit('#').next()?.trim();
    (!code.is_empty()).then(|| code.to_owned())
}

fn pause_ms(code: &str, message: &str) -> Option<Option<u64>> {
    let limits = ["TooManyRequestsException", "ThrottlingException", "Throttling", "LimitExceededException"];
    let daily = message.contains("Daily message quota exceeded");
    limits.contains(&code).then_some(daily.then_some(DAILY_QUOTA_MS))
}

fn rejection(code: &str, message: &str, recipient: &str) -> Option<(ErrorClass, &'static str)> {
    Some(match code {
        "MessageRejected" => message_rejected(message, recipient),
        "MailFromDomainNotVerifiedException" => {
            (ErrorClass::SenderRejected, "the MAIL FROM domain is not verified")
        }
        "AccountSuspendedException" => (ErrorClass::Auth, "the account is suspended"),
        "SendingPausedException" => (ErrorClass::Auth, "sending is paused"),
        "NotFoundException" => (ErrorClass::Auth, "a configuration set, template or tenant does not exist"),
        "BadRequestException" => bad_request(message),
        "IncompleteSignature" | "SignatureDoesNotMatch" | "InvalidSignatureException" => {
            (ErrorClass::Auth, "the signature was refused; credentials or clock are wrong")
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "MissingAuthenticationToken"
        | "ExpiredTokenException"
        | "AccessDeniedException"
        | "OptInRequired"
        | "NotAuthorized" => (ErrorClass::Auth, "the credentials were refused"),
        code if code.starts_with("RequestEntityTooLarge") => {
            (ErrorClass::ContentRejected, "the message is too large")
        }
        _ => return None,
    })
}

fn message_rejected(message: &str, recipient: &str) -> (ErrorClass, &'static str) {
    let unverified = message.contains("not verified");
    if unverified && !recipient.is_empty() && message.to_lowercase().contains(&recipient.to_lowercase()) {
        return (ErrorClass::Auth, "the account is in the sandbox: recipients must be verified");
    }
    if unverified {
        (ErrorClass::SenderRejected, "the sender is not verified")
    } else {
        (ErrorClass::ContentRejected, "rejected")
    }
}

fn bad_request(message: &str) -> (ErrorClass, &'static str) {
    let text = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["header", "mime", "attachment", "size", "too large", "content"]) {
        return (ErrorClass::ContentRejected, "the content was refused");
    }
    if says(&["local part", "domain", "@", "recipient", "non-ascii", "address"]) {
        let sender = says(&["from", "sender"]);
        let class = if sender { ErrorClass::SenderRejected } else { ErrorClass::RecipientPermanent };
        return (
            class,
            if sender { "the sender's address is not valid" } else { "the recipient's address is not valid" },
        );
    }
    (ErrorClass::Unknown, "the request was refused")
}
