//! Finding out what became of a submission.
//!
//! Twilio keeps no reference of ours, so without its id a message can only be recognised by recipient,
//! text and time. That proves presence when exactly one fits; it never proves absence.

use hermes_adapter_sdk::{
    Submission,
    contract::{Content, Destination, HttpResponse, LookupQuery, Outcome},
    get, http_date_ms, json, pick, refused, sanitized,
};
use serde_json::Value;

use crate::{accepted, account_url, auth, errors};

/// Clocks of both sides may differ by this much.
const CLOCK_SKEW_MS: u64 = 5_000;

/// Asks for the message itself, or for the latest ones to its recipient.
pub(crate) fn request(query: LookupQuery) -> Option<Submission> {
    let (tail, notes) = match &query.provider_message_id {
        Some(id) => (format!("/Messages/{}.json", sanitized(id, 40)), Vec::new()),
        None => listing(&query)?,
    };
    Some(Submission { request: get(account_url(&tail).ok()?, auth()), notes })
}

fn listing(query: &LookupQuery) -> Option<(String, Vec<u8>)> {
    let (Destination::Sms(to), Content::Sms(content)) = (&query.call.to, &query.call.content) else {
        return None;
    };
    let since = query.submitted_at_ms.saturating_sub(CLOCK_SKEW_MS);
    let notes = format!("{since}\n{}", content.text.as_deref().unwrap_or_default());
    Some((format!("/Messages.json?To={}&PageSize=50", to.replace('+', "%2B")), notes.into_bytes()))
}

/// Reads either answer.
pub(crate) fn outcome(response: &HttpResponse, notes: &[u8]) -> Outcome {
    let answer = json(&response.body);
    match (response.status, answer.pointer("/messages").and_then(Value::as_array)) {
        (200..=299, Some(messages)) => recognised(messages, notes),
        (200..=299, None) if pick(&answer, "/sid").is_some() => accepted(&answer),
        _ => match errors::refusal(response, &answer) {
            Outcome::Throttled(throttling) => Outcome::Throttled(throttling),
            _ => Outcome::Unknown(refused("the lookup was refused")),
        },
    }
}

fn recognised(messages: &[Value], notes: &[u8]) -> Outcome {
    let notes = String::from_utf8_lossy(notes);
    let (since, text) = notes.split_once('\n').unwrap_or(("", ""));
    let since: u64 = since.parse().unwrap_or(u64::MAX);
    let fits = |message: &&Value| {
        let created = pick(message, "/date_created").and_then(http_date_ms);
        created.is_some_and(|at| at >= since) && pick(message, "/body").unwrap_or_default() == text
    };
    let mut fitting = messages.iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(message), None) => accepted(message),
        (Some(_), Some(_)) => Outcome::Unknown(refused("several messages fit")),
        (None, _) => Outcome::Unknown(refused("no message fits yet")),
    }
}
