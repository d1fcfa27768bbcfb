//! What came of a call in a few words from a small set: a fuzzer is told of new ones, as it cannot see into a
//! sandbox, and tests see how far a seed reaches.

use hermes_domain::outcome::{ErrorClass, Outcome, Receipt, ReceiptStatus};
use hermes_ports::adapter::{ReceiveResult, ReceivedEntry, WebhookRefusal};

/// A webhook's end: a word for its refusal, else one for each entry and one for the reply.
pub(crate) fn received(result: &ReceiveResult) -> Vec<String> {
    let received = match result {
        Ok(received) => received,
        Err(WebhookRefusal::BadSignature) => return vec!["bad-signature".to_owned()],
        Err(WebhookRefusal::Malformed) => return vec!["malformed".to_owned()],
        Err(WebhookRefusal::SendAgain) => return vec!["send-again".to_owned()],
    };
    let mut words: Vec<String> = received.entries.iter().map(entry).collect();
    words.push(format!("taken, {} entries", received.entries.len().min(4)));
    words.extend(received.reply.iter().map(|_| "replies".to_owned()));
    words
}

fn entry(entry: &ReceivedEntry) -> String {
    match entry {
        ReceivedEntry::Receipt { reference, account, receipt } => {
            let given = [("reference", reference.is_some()), ("account", account.is_some())];
            status(receipt) + &present(&given) + &details(receipt)
        }
        ReceivedEntry::Inbound(inbound) => {
            let given = [("to", inbound.to.is_some()), ("account", inbound.account.is_some())];
            format!("inbound {:?}{}", inbound.kind, present(&given))
        }
    }
}

fn status(receipt: &Receipt) -> String {
    match &receipt.status {
        ReceiptStatus::Reached(level) => level.as_str().to_owned(),
        ReceiptStatus::Undelivered(failure) => failed("undelivered", failure.class),
        ReceiptStatus::Failed(failure) => failed("failed", failure.class),
        ReceiptStatus::Rejected(failure) => failed("rejected", failure.class),
        ReceiptStatus::Expired(failure) => failed("expired", failure.class),
    }
}

fn details(receipt: &Receipt) -> String {
    present(&[
        ("id", receipt.provider_message_id.is_some()),
        ("part", receipt.part.is_some()),
        ("time", receipt.provider_time.is_some()),
        ("segments", receipt.segments.is_some()),
        ("cost", receipt.cost.is_some()),
    ])
}

/// An outcome.
pub(crate) fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted(told) => {
            let given = [
                ("id", told.provider_message_id.is_some()),
                ("segments", told.segments.is_some()),
                ("cost", told.cost.is_some()),
            ];
            let level = told.level.map_or("", |level| level.as_str());
            format!("accepted {level}{}", present(&given))
        }
        Outcome::Rejected(failure) => failed("rejected", failure.class),
        Outcome::Throttled { retry_after_ms, failure } => {
            failed("throttled", failure.class) + &present(&[("pause", retry_after_ms.is_some())])
        }
        Outcome::NotSent(failure) => failed("not-sent", failure.class),
        Outcome::ServerError(failure) => failed("server-error", failure.class),
        Outcome::Unknown(failure) => failed("unknown", failure.class),
        Outcome::AdapterFault(failure) => failed("adapter-fault", failure.class),
    }
}

fn failed(word: &str, class: ErrorClass) -> String {
    format!("{word} {class:?}")
}

fn present(given: &[(&str, bool)]) -> String {
    given.iter().filter(|(_, is_given)| *is_given).map(|(name, _)| format!(" {name}")).collect()
}
