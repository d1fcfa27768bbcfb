//! What a guest answers, cut to the limits of our own state.

use bytes::Bytes;
use hermes_domain::{
    UnixMillis,
    money::Money,
    outcome::{Acceptance, ErrorClass, Failure, Outcome, Receipt, ReceiptStatus},
};
use hermes_ports::{
    adapter::{AdapterFault, Inbound, InboundKind, ReceiveResult, Received, ReceivedEntry, WebhookRefusal},
    http::{AuthScheme, HttpRequest, Method, RequestEffect},
};

use crate::{
    bindings::wit,
    contract::broken,
    descriptor::{channel, level},
};

/// Longest pause that a provider can impose: one hour.
const RETRY_AFTER_MS_MAX: u64 = 3_600_000;
/// Longest provider id, in bytes.
const PROVIDER_ID_BYTES_MAX: usize = 200;
/// Longest reference taken from a receipt, in bytes.
const REFERENCE_BYTES_MAX: usize = 100;
/// Longest address of a recipient, in bytes.
pub(super) const ADDRESS_BYTES_MAX: usize = 320;
/// Entries of one webhook; Meta sends the most, up to 1,000.
const ENTRIES_MAX: usize = 1_000;
/// Longest name of an account in a webhook, in bytes.
const ACCOUNT_BYTES_MAX: usize = 200;
/// Longest answer to a webhook, in bytes.
const REPLY_BYTES_MAX: usize = 8 << 10;

/// A request, not yet checked.
pub(crate) fn request(raw: wit::HttpRequest) -> HttpRequest {
    HttpRequest {
        method: match raw.method {
            wit::Method::Get => Method::Get,
            wit::Method::Post => Method::Post,
            wit::Method::Put => Method::Put,
            wit::Method::Patch => Method::Patch,
            wit::Method::Delete => Method::Delete,
        },
        url: raw.url,
        headers: raw.headers,
        body: Bytes::from(raw.body),
        auth: auth(raw.auth),
        effect: match raw.effect {
            wit::Effect::Safe => RequestEffect::Safe,
            wit::Effect::Submits => RequestEffect::Submits,
        },
    }
}

fn auth(raw: wit::Auth) -> AuthScheme {
    match raw {
        wit::Auth::None => AuthScheme::None,
        wit::Auth::Basic(basic) => AuthScheme::Basic { user: basic.user, password: basic.password },
        wit::Auth::Bearer(token) => AuthScheme::Bearer { token },
        wit::Auth::Header(header) => AuthScheme::Header { name: header.name, value: header.value },
        wit::Auth::AwsSigv4(aws) => AuthScheme::AwsSigV4 {
            access_key_id: aws.access_key_id,
            secret_access_key: aws.secret_access_key,
            session_token: aws.session_token,
            region: aws.region,
            service: aws.service,
        },
        wit::Auth::GoogleServiceAccount(google) => {
            AuthScheme::GoogleServiceAccount { key: google.key, scope: google.scope }
        }
        wit::Auth::Jwt(jwt) => {
            AuthScheme::Jwt { key: jwt.key, claims: jwt.claims, valid_for_s: jwt.valid_for_s }
        }
    }
}

/// An outcome.
///
/// # Errors
/// `Contract` for a provider id that is too long: cutting it would let receipts miss.
pub(crate) fn outcome(raw: wit::Outcome) -> Result<Outcome, AdapterFault> {
    Ok(match raw {
        wit::Outcome::Accepted(told) => Outcome::Accepted(Acceptance {
            provider_message_id: provider_id(told.provider_message_id)?,
            level: told.level.map(level),
            segments: told.segments,
            cost: told.cost.and_then(money),
        }),
        wit::Outcome::Rejected(told) => Outcome::Rejected(failure(told)),
        wit::Outcome::Throttled(told) => Outcome::Throttled {
            retry_after_ms: retry_after_ms(told.retry_after_ms),
            failure: failure(told.failure),
        },
        wit::Outcome::NotSent(told) => Outcome::NotSent(failure(told)),
        wit::Outcome::ServerError(told) => Outcome::ServerError(failure(told)),
        wit::Outcome::Unknown(told) => Outcome::Unknown(failure(told)),
    })
}

/// A verified webhook or its refusal. Entries beyond the limits, by number or size, are left out and counted: the rest
/// of the callback is as good as before.
///
/// # Errors
/// `Contract` for an answer that cannot be one.
pub(crate) fn received(raw: Result<wit::Received, wit::Refusal>) -> Result<ReceiveResult, AdapterFault> {
    let received = match raw {
        Ok(received) => received,
        Err(wit::Refusal::BadSignature) => return Ok(Err(WebhookRefusal::BadSignature)),
        Err(wit::Refusal::Malformed) => return Ok(Err(WebhookRefusal::Malformed)),
        Err(wit::Refusal::SendAgain) => return Ok(Err(WebhookRefusal::SendAgain)),
    };
    let reply = received.reply.map(|reply| (reply.content_type, reply.body));
    let plain =
        |text: &str| text.len() <= 100 && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if reply.as_ref().is_some_and(|(kind, body)| !plain(kind) || body.len() > REPLY_BYTES_MAX) {
        return broken("the answer to a webhook is malformed or too large");
    }
    let told = received.entries.len();
    let entries: Vec<_> = received.entries.into_iter().take(ENTRIES_MAX).filter_map(entry).collect();
    let unreadable = told - entries.len();
    Ok(Ok(Received { entries, unreadable, reply }))
}

/// An entry; `None` when an id, an account or an address is malformed or too long: cutting it would let it hit another.
fn entry(raw: wit::Entry) -> Option<ReceivedEntry> {
    let fits = |text: &Option<String>, most: usize| text.as_ref().is_none_or(|text| text.len() <= most);
    match raw {
        wit::Entry::Receipt(raw) if fits(&raw.account, ACCOUNT_BYTES_MAX) => Some(ReceivedEntry::Receipt {
            reference: raw.reference.clone().filter(|reference| reference.len() <= REFERENCE_BYTES_MAX),
            account: raw.account.clone(),
            receipt: receipt(raw)?,
        }),
        wit::Entry::Inbound(raw)
            if fits(&raw.account, ACCOUNT_BYTES_MAX) && raw.from.len() <= ADDRESS_BYTES_MAX =>
        {
            Some(ReceivedEntry::Inbound(Inbound {
                channel: channel(raw.channel),
                from: raw.from,
                to: raw.to.filter(|to| to.len() <= ADDRESS_BYTES_MAX),
                account: raw.account,
                kind: match raw.kind {
                    wit::InboundKind::OptOut => InboundKind::OptOut,
                    wit::InboundKind::Complaint => InboundKind::Complaint,
                    wit::InboundKind::HardBounce => InboundKind::HardBounce,
                    wit::InboundKind::OptIn => InboundKind::OptIn,
                    wit::InboundKind::Message => InboundKind::Message,
                },
            }))
        }
        wit::Entry::Receipt(_) | wit::Entry::Inbound(_) => None,
    }
}

fn receipt(raw: wit::Receipt) -> Option<Receipt> {
    Some(Receipt {
        provider_message_id: provider_id(raw.provider_message_id).ok()?,
        part: provider_id(raw.part).ok()?,
        status: match raw.status {
            wit::ReceiptStatus::Reached(reached) => ReceiptStatus::Reached(level(reached)),
            wit::ReceiptStatus::Undelivered(told) => ReceiptStatus::Undelivered(failure(told)),
            wit::ReceiptStatus::Failed(told) => ReceiptStatus::Failed(failure(told)),
            wit::ReceiptStatus::Rejected(told) => ReceiptStatus::Rejected(failure(told)),
            wit::ReceiptStatus::Expired(told) => ReceiptStatus::Expired(failure(told)),
        },
        provider_time: raw.provider_time_ms.map(UnixMillis),
        segments: raw.segments,
        cost: raw.cost.and_then(money),
    })
}

fn provider_id(id: Option<String>) -> Result<Option<String>, AdapterFault> {
    let plain = |id: &String| id.len() <= PROVIDER_ID_BYTES_MAX && !id.chars().any(char::is_control);
    match id {
        Some(id) if !plain(&id) => broken("a provider id is malformed or too long"),
        id => Ok(id.filter(|id| !id.is_empty())),
    }
}

/// An amount that cannot be read is left out: it is an estimate's correction, not the message's fate.
fn money(price: wit::Price) -> Option<Money> {
    Money::parse(&price.amount, &price.currency).ok()
}

/// A pause that a provider asks for, within reason.
pub(super) fn retry_after_ms(told: Option<u64>) -> Option<u64> {
    told.map(|pause| pause.min(RETRY_AFTER_MS_MAX))
}

pub(super) fn failure(raw: wit::Failure) -> Failure {
    Failure { class: class(raw.class), code: raw.code, detail: raw.detail }.clipped()
}

fn class(raw: wit::ErrorClass) -> ErrorClass {
    match raw {
        wit::ErrorClass::RecipientPermanent => ErrorClass::RecipientPermanent,
        wit::ErrorClass::RecipientTemporary => ErrorClass::RecipientTemporary,
        wit::ErrorClass::ContentRejected => ErrorClass::ContentRejected,
        wit::ErrorClass::NeedsAlternate => ErrorClass::NeedsAlternate,
        wit::ErrorClass::SenderRejected => ErrorClass::SenderRejected,
        wit::ErrorClass::OptedOut => ErrorClass::OptedOut,
        wit::ErrorClass::ProviderFault => ErrorClass::ProviderFault,
        wit::ErrorClass::ProviderThrottled => ErrorClass::ProviderThrottled,
        wit::ErrorClass::Auth => ErrorClass::Auth,
        wit::ErrorClass::Funds => ErrorClass::Funds,
        wit::ErrorClass::Network => ErrorClass::Network,
        wit::ErrorClass::Unknown => ErrorClass::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry_with(id: &str, account: Option<&str>) -> wit::Entry {
        wit::Entry::Receipt(wit::Receipt {
            reference: None,
            account: account.map(Into::into),
            provider_message_id: Some(id.to_owned()),
            part: None,
            status: wit::ReceiptStatus::Reached(wit::Level::Delivered),
            provider_time_ms: None,
            segments: None,
            cost: None,
        })
    }

    fn told(entries: Vec<wit::Entry>) -> Received {
        received(Ok(wit::Received { entries, reply: None })).unwrap().unwrap()
    }

    #[test]
    fn an_entry_beyond_the_limits_leaves_the_others_of_its_webhook() {
        let long = "x".repeat(201);
        let entries = vec![
            entry_with("SM1", None),
            entry_with(&long, None),
            entry_with("a\nb", None),
            entry_with("SM2", Some(&long)),
            entry_with("SM3", Some("1")),
        ];
        let received = told(entries);
        let ids = received.entries.iter().map(|entry| match entry {
            ReceivedEntry::Receipt { receipt, .. } => receipt.provider_message_id.as_deref(),
            ReceivedEntry::Inbound(_) => None,
        });
        assert_eq!(ids.collect::<Vec<_>>(), [Some("SM1"), Some("SM3")]);
        assert_eq!(received.unreadable, 3);
    }

    #[test]
    fn a_webhook_is_cut_at_a_thousand_entries_and_says_so() {
        let received = told(vec![entry_with("SM1", None); ENTRIES_MAX + 7]);
        assert_eq!((received.entries.len(), received.unreadable), (ENTRIES_MAX, 7));
    }
}
