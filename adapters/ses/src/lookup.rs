//! `GetMessageInsights`, by the id of SES: there is no search by tag.
//!
//! Accounts without Virtual Deliverability Manager are answered 404, and events may lag by hours: neither
//! says anything about a message.

use hermes_adapter_sdk::{
    Submission, accepted,
    contract::{ErrorClass, Failure, HttpResponse, Level, LookupQuery, Outcome},
    failure, get, json, pick, refused, sanitized,
};
use serde_json::Value;

use crate::{endpoint, errors, events};

/// Longest id that is asked for.
const ID_CHARS_MAX: usize = 128;

pub(crate) fn request(query: &LookupQuery) -> Option<Submission> {
    let id = sanitized(query.provider_message_id.as_deref()?, ID_CHARS_MAX);
    let (endpoint, auth) = endpoint().ok()?;
    Some(Submission {
        // The slash at the end belongs to the operation and is signed with it.
        request: get(format!("{endpoint}/v2/email/insights/{id}/"), auth),
        notes: id.into_bytes(),
    })
}

/// The last thing that is known of the one recipient.
pub(crate) fn outcome(response: &HttpResponse, notes: &[u8]) -> Outcome {
    let answer = json(&response.body);
    let events = answer.pointer("/Insights/0/Events").and_then(Value::as_array);
    let Some(events) = events.filter(|_| response.status == 200) else {
        return match errors::refusal(response, &answer, "") {
            Outcome::Throttled(throttling) => Outcome::Throttled(throttling),
            _ => Outcome::Unknown(refused("SES has no insights into it")),
        };
    };
    if let Some(failure) = events.iter().find_map(failure_of) {
        return Outcome::Rejected(failure);
    }
    match events.iter().filter_map(level_of).max_by_key(|level| *level as u8) {
        Some(level) => accepted(Some(String::from_utf8_lossy(notes).into_owned()), Some(level)),
        None => Outcome::Unknown(refused("SES tells no event of it yet")),
    }
}

fn failure_of(event: &Value) -> Option<Failure> {
    match pick(event, "/Type")? {
        "BOUNCE" => {
            let subtype = pick(event, "/Details/Bounce/BounceSubType").unwrap_or_default();
            let kind = match pick(event, "/Details/Bounce/BounceType").unwrap_or_default() {
                "PERMANENT" => "Permanent",
                "TRANSIENT" => "Transient",
                _ => "Undetermined",
            };
            Some(events::bounce_failure(kind, subtype))
        }
        "REJECT" => Some(failure(ErrorClass::ContentRejected, None, "a virus was found")),
        "RENDERING_FAILURE" => {
            Some(failure(ErrorClass::ContentRejected, None, "the template could not be filled in"))
        }
        "COMPLAINT" => {
            let subtype = pick(event, "/Details/Complaint/ComplaintSubType")?;
            (subtype == "OnAccountSuppressionList").then(events::suppressed)
        }
        _ => None,
    }
}

fn level_of(event: &Value) -> Option<Level> {
    match pick(event, "/Type")? {
        "DELIVERY" | "COMPLAINT" => Some(Level::Delivered),
        "SEND" => Some(Level::Sent),
        "DELIVERY_DELAY" => Some(Level::Accepted),
        _ => None,
    }
}
