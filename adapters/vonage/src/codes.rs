//! Error codes: what each says about a message.

use hermes_adapter_sdk::{
    contract::{ErrorClass, Failure, ReceiptStatus},
    failure,
};

/// How a code is read.
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) class: ErrorClass,
    pub(crate) detail: &'static str,
    /// What a receipt with this code says happened; `None` leaves it to the receipt's status.
    end: Option<End>,
}

#[derive(Clone, Copy)]
enum End {
    Undelivered,
    Failed,
    Rejected,
    Expired,
}

const fn reading(class: ErrorClass, end: Option<End>, detail: &'static str) -> Reading {
    Reading { class, detail, end }
}

/// Codes of the Messages API, in callbacks.
pub(crate) fn messages(code: u64) -> Option<Reading> {
    use End::{Expired, Failed, Rejected, Undelivered};
    use ErrorClass::{
        Auth, ContentRejected, Funds, OptedOut, ProviderFault, ProviderThrottled, RecipientPermanent,
        RecipientTemporary, SenderRejected, Unknown,
    };
    Some(match code {
        1000 | 1241 | 1460 | 1472 => {
            reading(ProviderThrottled, Some(Rejected), "limited by Vonage or the carrier")
        }
        1010 | 1020 | 1130 | 1150 | 1400 | 1410 | 1440 | 1450 => {
            reading(Unknown, Some(Rejected), "a field was not valid")
        }
        1030 | 1100 | 1331 => reading(ProviderFault, Some(Failed), "Vonage or the carrier failed"),
        1040 | 1170 | 1430 => reading(RecipientPermanent, Some(Undelivered), "the number is not valid"),
        1050 => reading(OptedOut, Some(Rejected), "the number is barred"),
        1060 | 1080 | 1140 | 1160 => reading(Auth, Some(Rejected), "the account was refused"),
        1070 => reading(Funds, Some(Rejected), "the account has no credit"),
        1090 => reading(ContentRejected, Some(Rejected), "the text is too long"),
        1120 | 1420 | 1481 => reading(SenderRejected, Some(Rejected), "the sender was refused"),
        1180 => reading(RecipientTemporary, Some(Failed), "the handset is unreachable"),
        1190 => reading(RecipientPermanent, Some(Undelivered), "the handset is gone"),
        1200 | 1250 | 1251 | 1260 => {
            reading(ProviderFault, Some(Undelivered), "Vonage does not reach this number")
        }
        1210 | 1282 | 1482 => reading(ContentRejected, Some(Rejected), "filtered as spam"),
        1220 | 1230 => reading(RecipientTemporary, Some(Failed), "busy, or a network error"),
        1240 | 1483 => reading(OptedOut, Some(Undelivered), "the recipient opted out"),
        1270 | 1280 | 1290 => reading(RecipientPermanent, Some(Undelivered), "barred by the carrier"),
        1300 | 1310 => reading(RecipientPermanent, Some(Undelivered), "the handset takes no SMS"),
        1320 => reading(Unknown, Some(Rejected), "already sent"),
        1330 => reading(Unknown, Some(Failed), "unknown carrier error"),
        1340 => reading(Unknown, Some(Rejected), "outside the allowed window"),
        1360 => reading(RecipientTemporary, Some(Expired), "its validity ran out"),
        1470 | 1473 => reading(ProviderFault, Some(Rejected), "blocked by Fraud Defender"),
        1480 | 1484 => reading(ProviderFault, Some(Rejected), "against the country's rules"),
        _ => return None,
    })
}

/// `err-code` of the SMS API's delivery reports.
pub(crate) fn sms_report(code: &str) -> Option<Reading> {
    use End::{Failed, Rejected, Undelivered};
    use ErrorClass::{
        ContentRejected, OptedOut, ProviderFault, RecipientPermanent, RecipientTemporary, SenderRejected,
        Unknown,
    };
    Some(match code {
        "1" => reading(Unknown, None, "unknown error"),
        "2" => reading(RecipientTemporary, None, "the handset is unreachable"),
        "3" => reading(RecipientPermanent, Some(Undelivered), "the handset is gone"),
        "4" => reading(OptedOut, Some(Undelivered), "barred by the recipient"),
        "5" => reading(ProviderFault, None, "the number was ported"),
        "6" => reading(ContentRejected, Some(Rejected), "filtered as spam"),
        "7" => reading(RecipientTemporary, None, "the handset is busy"),
        "8" => reading(RecipientTemporary, Some(Failed), "network error"),
        "9" => reading(OptedOut, Some(Undelivered), "the recipient refused this service"),
        "10" => reading(ContentRejected, None, "the text is not valid"),
        "11" => reading(ProviderFault, None, "Vonage has no route"),
        "12" => reading(RecipientPermanent, Some(Undelivered), "unreachable destination"),
        "13" | "14" => reading(RecipientPermanent, Some(Undelivered), "blocked by the carrier"),
        "15" => reading(RecipientTemporary, None, "the recipient has no credit"),
        "50" | "54" => reading(ProviderFault, Some(Rejected), "against the country's rules"),
        "51" => reading(SenderRejected, Some(Rejected), "the sender is not registered"),
        "52" => reading(ContentRejected, Some(Rejected), "the content is not registered"),
        "53" => reading(OptedOut, Some(Rejected), "there is no consent"),
        "99" => reading(ProviderFault, Some(Failed), "general error"),
        _ => return None,
    })
}

/// The status of a receipt with this reading; without one it is as `status` says.
pub(crate) fn receipt(
    reading: Option<Reading>,
    code: Option<String>,
    status: fn(Failure) -> ReceiptStatus,
) -> ReceiptStatus {
    let Some(Reading { class, detail, end }) = reading else {
        return status(failure(ErrorClass::Unknown, code, "refused for an unknown reason"));
    };
    let failure = failure(class, code, detail);
    match end {
        None => status(failure),
        Some(End::Undelivered) => ReceiptStatus::Undelivered(failure),
        Some(End::Failed) => ReceiptStatus::Failed(failure),
        Some(End::Rejected) => ReceiptStatus::Rejected(failure),
        Some(End::Expired) => ReceiptStatus::Expired(failure),
    }
}

/// `status` of one part in the SMS API's answer; class and words, `None` for codes of tomorrow.
pub(crate) fn sms_answer(status: &str, error_text: &str) -> Option<(ErrorClass, &'static str)> {
    use ErrorClass::{
        Auth, ContentRejected, Funds, OptedOut, ProviderFault, ProviderThrottled, RecipientPermanent,
        SenderRejected, Unknown,
    };
    let names_recipient =
        error_text.split(|char: char| !char.is_ascii_alphanumeric()).any(|word| word == "to");
    Some(match status {
        "1" | "10" => (ProviderThrottled, "too many requests"),
        "3" if names_recipient => (RecipientPermanent, "the recipient's number is not valid"),
        "2" | "3" | "16" | "22" | "23" => (Unknown, "a field is missing or not valid"),
        "4" | "14" | "32" => (Auth, "the credentials were refused"),
        "5" | "13" => (ProviderFault, "Vonage failed"),
        "6" | "33" | "34" => (RecipientPermanent, "the number cannot be reached"),
        "7" => (OptedOut, "the number is barred"),
        "8" | "11" | "19" | "29" => (Auth, "the account was refused"),
        "9" => (Funds, "the account has no credit"),
        "12" => (ContentRejected, "the text is too long"),
        "15" => (SenderRejected, "the sender is not allowed"),
        _ => return None,
    })
}
