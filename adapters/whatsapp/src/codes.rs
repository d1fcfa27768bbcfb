//! Meta's error codes, the same in answers and in `failed` webhooks.

use hermes_adapter_sdk::contract::ErrorClass;

/// How a code is read.
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) class: ErrorClass,
    pub(crate) detail: &'static str,
    /// A pause of our own, where the code asks for one.
    pub(crate) pause_ms: Option<u64>,
    /// Whether the same request may succeed later.
    pub(crate) is_temporary: bool,
}

/// The recipient stopped marketing messages.
pub(crate) const STOPPED: u64 = 131_050;

const MINUTE_MS: u64 = 60_000;

const fn of(class: ErrorClass, detail: &'static str) -> Reading {
    Reading { class, detail, pause_ms: None, is_temporary: false }
}

const fn temporary(class: ErrorClass, detail: &'static str) -> Reading {
    Reading { is_temporary: true, ..of(class, detail) }
}

const fn paused(pause_ms: u64, detail: &'static str) -> Reading {
    Reading { pause_ms: Some(pause_ms), ..temporary(ErrorClass::ProviderThrottled, detail) }
}

/// Codes that turn a request away before it is processed. After other temporary ones nobody knows.
pub(crate) const fn was_turned_away(code: u64) -> bool {
    matches!(code, 2 | 131_016 | 131_056 | 131_057)
}

/// `None` for codes of tomorrow.
pub(crate) fn reading(code: u64) -> Option<Reading> {
    use ErrorClass::{
        Auth, ContentRejected, Funds, NeedsAlternate, OptedOut, ProviderFault, RecipientPermanent,
        RecipientTemporary, SenderRejected,
    };
    Some(match code {
        0 | 190 => of(Auth, "the access token was refused"),
        3 | 10 | 200..=299 | 131005 => of(Auth, "a permission is missing"),
        368 | 131031 => of(Auth, "the account is restricted"),
        131030 => of(Auth, "a test number may write to listed numbers only"),
        133016 => of(Auth, "too many registrations"),
        130497 => of(ProviderFault, "the account may not write to this country"),
        1 => temporary(ProviderFault, "Meta failed"),
        2 | 131016 => temporary(ProviderFault, "Meta is overloaded"),
        131000 => temporary(ProviderFault, "Meta failed"),
        131057 => temporary(ProviderFault, "the account is in maintenance"),
        135000 => of(ProviderFault, "Meta failed for good"),
        131063 => of(ProviderFault, "marketing is switched off on this endpoint"),
        132015 | 132016 => of(ProviderFault, "the template is paused or disabled"),
        132068 => of(ContentRejected, "the flow is blocked"),
        4 | 80007 => paused(MINUTE_MS, "the account's call limit is reached"),
        130429 | 132069 => paused(2_000, "the number's throughput is reached"),
        131056 => temporary(RecipientTemporary, "too many messages to this recipient"),
        131048 | 131064 => paused(60 * MINUTE_MS, "the number is limited for spam"),
        33 => of(SenderRejected, "the sending number was deleted"),
        131037 => of(SenderRejected, "the display name is not approved"),
        131045 | 133010 => of(SenderRejected, "the sending number is not registered"),
        131021 => of(RecipientPermanent, "recipient and sender are the same"),
        131026 => of(RecipientPermanent, "the number cannot be reached on WhatsApp"),
        131062 => of(RecipientPermanent, "the user id is not allowed for this message"),
        137000 => of(RecipientPermanent, "the recipient's identity key changed"),
        STOPPED => of(OptedOut, "the recipient stopped marketing messages"),
        131049 => of(RecipientTemporary, "withheld to protect the recipient"),
        130472 => of(RecipientTemporary, "the recipient is part of an experiment"),
        131047 => of(NeedsAlternate, "the 24-hour window is closed"),
        100 | 131008 | 131009 | 131051 => of(ContentRejected, "a parameter is missing or not valid"),
        131052 | 131053 => of(ContentRejected, "the media could not be fetched"),
        132000 | 132005 | 132008 | 132012 => of(ContentRejected, "the template's parameters are wrong"),
        132001 => of(ContentRejected, "there is no such approved template"),
        132007 => of(ContentRejected, "the template violates a policy"),
        131042 | 131044 => of(Funds, "a payment problem"),
        131043 => of(RecipientTemporary, "its validity ran out"),
        _ => return None,
    })
}
