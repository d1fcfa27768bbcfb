//! A suppression: how it is read from requests, found, and shown.

use hermes_domain::{
    UnixMillis,
    address::Channel,
    suppression::{
        Coverage, InvalidCoverage, NOTE_CHARS_MAX, SenderKey, Suppression, SuppressionReason,
        SuppressionSource,
    },
};
use hermes_ports::suppressions::StoredSuppression;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    api::Api,
    gate::Caller,
    problem::Problem,
    schema::{Faults, Object, ahead, choice, text},
};

const CHANNELS: &[(&str, Channel)] = &[
    (Channel::Sms.as_str(), Channel::Sms),
    (Channel::Email.as_str(), Channel::Email),
    (Channel::Push.as_str(), Channel::Push),
    (Channel::Whatsapp.as_str(), Channel::Whatsapp),
];
const REASONS: &[(&str, SuppressionReason)] = &[
    (SuppressionReason::OptOut.as_str(), SuppressionReason::OptOut),
    (SuppressionReason::Complaint.as_str(), SuppressionReason::Complaint),
    (SuppressionReason::HardBounce.as_str(), SuppressionReason::HardBounce),
    (SuppressionReason::Manual.as_str(), SuppressionReason::Manual),
];
/// Longest address taken, in characters: a push token.
const ADDRESS_CHARS_MAX: usize = 4_096;

/// A suppression.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Suppression)]
pub(super) struct SuppressionView {
    /// Its id.
    pub(super) id: String,
    /// `live` or `test`.
    mode: &'static str,
    /// Exactly this address is covered. Null, as `domain` and `prefix` are, for one that was erased: it is covered
    /// still, but nobody can read it.
    pub(super) address: Option<String>,
    /// Every email address at this domain and below it is.
    pub(super) domain: Option<String>,
    /// Every phone number that begins so is.
    pub(super) prefix: Option<String>,
    /// Only on this channel; null: on all.
    pub(super) channel: Option<&'static str>,
    /// Only for messages from this sender (numbers without `+`, names in lower case); null: from all.
    pub(super) sender: Option<String>,
    /// `opt_out`, `complaint`, `hard_bounce` or `manual`.
    pub(super) reason: &'static str,
    /// `inbound`, `receipt`, `provider`, `api` or `import`.
    pub(super) source: &'static str,
    /// For people.
    pub(super) note: Option<String>,
    /// Since when.
    pub(super) created_at: String,
    /// It applies until then; null: for ever.
    pub(super) expires_at: Option<String>,
}

impl SuppressionView {
    pub(super) fn of(rule: &Suppression) -> Self {
        let named = |kind: &str| (rule.covers.kind() == kind).then(|| rule.covers.value().to_owned());
        Self {
            id: rule.id.to_string(),
            mode: rule.mode.as_str(),
            address: named("address").filter(|_| !rule.covers.is_erased()),
            domain: named("domain"),
            prefix: named("prefix"),
            channel: rule.channel.map(Channel::as_str),
            sender: rule.sender.as_ref().map(|sender| sender.as_str().to_owned()),
            reason: rule.reason.as_str(),
            source: rule.source.as_str(),
            note: rule.note.clone(),
            created_at: rule.created_at.rfc3339(),
            expires_at: rule.expires_at.map(UnixMillis::rfc3339),
        }
    }
}

/// What a tenant writes about a rule.
pub(super) struct Written {
    covers: Coverage,
    channel: Option<Channel>,
    sender: Option<SenderKey>,
    reason: SuppressionReason,
    note: Option<String>,
    expires_at: Option<UnixMillis>,
}

impl Written {
    /// Takes the fields of a rule out of an object.
    pub(super) fn read(object: &mut Object, faults: &mut Faults, now: UnixMillis) -> Option<Self> {
        let channel_named = object.names("channel");
        let channel = object.optional("channel", faults, choice(CHANNELS));
        let covers = covers(object, faults, channel);
        let sender = object.optional("sender", faults, text(1..=SenderKey::CHARS_MAX));
        let reason_named = object.names("reason");
        let reason = object.optional("reason", faults, choice(REASONS));
        let note = object.optional("note", faults, note);
        let expires_at = object.optional("expires_at", faults, ahead(now));
        let bad_choice = (channel_named && channel.is_none()) || (reason_named && reason.is_none());
        Some(Self {
            covers: covers.filter(|_| !bad_choice)?,
            channel,
            sender: sender.as_deref().map(SenderKey::of),
            reason: reason.unwrap_or(SuppressionReason::Manual),
            note,
            expires_at,
        })
    }

    /// The rule, as the caller's.
    pub(super) fn rule(self, api: &Api, caller: &Caller, source: SuppressionSource) -> Suppression {
        Suppression {
            id: api.ports.mint.suppression(),
            tenant: caller.tenant.id,
            mode: caller.mode,
            covers: self.covers,
            channel: self.channel,
            sender: self.sender,
            reason: self.reason,
            source,
            note: self.note,
            created_at: api.now(),
            expires_at: self.expires_at,
        }
    }
}

type Reads = fn(Option<Channel>, &str) -> Result<Coverage, InvalidCoverage>;

fn covers(object: &mut Object, faults: &mut Faults, channel: Option<Channel>) -> Option<Coverage> {
    let kinds: [(&'static str, Reads); 3] =
        [("address", Coverage::address), ("domain", Coverage::domain), ("prefix", Coverage::prefix)];
    if kinds.iter().filter(|(key, _)| object.names(key)).count() != 1 {
        for (key, _) in kinds {
            let _ = object.optional(key, faults, |value, _| Some(value)); // Taken out, so that it is not unknown.
        }
        return faults.note("one_of", "expected exactly one of address, domain and prefix");
    }
    let mut read = None;
    for (key, parse) in kinds {
        let found = object.optional(key, faults, |value, faults| {
            let named = text(1..=ADDRESS_CHARS_MAX)(value, faults)?;
            parse(channel, &named).map_or_else(|error| faults.note(code(error), error.to_string()), Some)
        });
        read = read.or(found);
    }
    read
}

const fn code(error: InvalidCoverage) -> &'static str {
    match error {
        InvalidCoverage::Address => "address_invalid",
        InvalidCoverage::Domain => "domain_invalid",
        InvalidCoverage::Prefix => "prefix_invalid",
        InvalidCoverage::Channel => "channel_mismatch",
    }
}

/// Reads `note`.
pub(super) fn note(value: Value, faults: &mut Faults) -> Option<String> {
    text(1..=NOTE_CHARS_MAX)(value, faults)
}

/// A rule by the id in a path, if it is the caller's.
pub(super) async fn find(api: &Api, caller: &Caller, id: &str) -> Result<StoredSuppression, Problem> {
    let id = id.parse().map_err(|_| Problem::not_found())?;
    let found = api.ports.suppressions.get(caller.tenant.id, caller.mode, id).await?;
    found.ok_or_else(Problem::not_found)
}
