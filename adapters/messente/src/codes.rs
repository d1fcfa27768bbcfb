//! What Messente's codes say.

use hermes_adapter_sdk::contract::ErrorClass;

/// A field of the request that was missing or not valid.
pub(crate) fn by_source(source: &str) -> (ErrorClass, &'static str) {
    match source {
        "to" => (ErrorClass::RecipientPermanent, "the recipient's number is not valid"),
        source if source.contains("sender") => (ErrorClass::SenderRejected, "the sender is not valid"),
        source if source.contains("text") => (ErrorClass::ContentRejected, "the text is not valid"),
        _ => (ErrorClass::Unknown, "a field is missing or not valid"),
    }
}

/// `err` of a message whose validity ran out.
pub(crate) const EXPIRED: u64 = 2;

/// `err` of a report. `None` for codes that say nothing.
pub(crate) fn report(code: u64) -> Option<(ErrorClass, &'static str)> {
    Some(match code {
        // Another provider may do better.
        1 => (ErrorClass::ProviderFault, "delivery failed"),
        EXPIRED => (ErrorClass::RecipientTemporary, "its validity ran out"),
        3 | 5 => (ErrorClass::RecipientPermanent, "the recipient's number is not valid"),
        4 => (ErrorClass::Funds, "the account could not be charged"),
        6 => (ErrorClass::ContentRejected, "too many identical messages"),
        7 => (ErrorClass::SenderRejected, "the sender is not allowed"),
        8 => (ErrorClass::ProviderFault, "blacklisted by the operator"),
        9 => (ErrorClass::ProviderFault, "Messente does not reach this number"),
        999 => (ErrorClass::RecipientTemporary, "temporary error"),
        _ => return None,
    })
}
