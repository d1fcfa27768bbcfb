//! The compliance layer: country, sender, consent, a way out of marketing, and hours in which people are left alone.

use std::{collections::BTreeMap, sync::Arc};

use hermes_domain::{
    UnixMillis,
    address::Channel,
    content::ChannelContent,
    message::HeldFor,
    policy::{QuietAction, TenantPolicy},
    sender::{Sender, Verification},
};

use super::{Blocked, schema::Submission};
use crate::{
    messages::request::Category,
    problem::{Code, Fault, Problem},
};

/// Countries whose carriers take no alphanumeric sender. Source: Twilio's SMS guidelines for the United States and Canada,
/// `twilio.com/guidelines/us/sms` and `…/ca/sms`, "operator network capability: not supported".
const NO_ALPHANUMERIC: [&str; 2] = ["CA", "US"];
const DAY_MS: u64 = 24 * 3_600_000;

/// Those of the senders that a message names which are registered, by channel.
pub(crate) type RegisteredSenders = BTreeMap<Channel, Arc<Sender>>;

/// What the rules make of a message that they let pass.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Compliance {
    pub(crate) blocked: Vec<Blocked>,
    /// The message starts no earlier than this.
    pub(crate) hold: Option<(UnixMillis, HeldFor)>,
}

/// Holds a message that would arrive at `now` against the tenant's rules.
pub(crate) fn check(
    policy: &TenantPolicy,
    submission: &Submission,
    senders: &RegisteredSenders,
    now: UnixMillis,
) -> Result<Compliance, Problem> {
    consent(policy, submission, now)?;
    let channels = submission.channels();
    let blocked: Vec<Blocked> =
        channels.iter().filter_map(|channel| closed(policy, submission, senders, *channel)).collect();
    let first = channels.iter().find(|channel| !blocked.iter().any(|closed| closed.channel == **channel));
    let hold = first.map(|channel| quiet(policy, submission, (*channel, now))).transpose()?.flatten();
    Ok(Compliance { blocked, hold })
}

/// Marketing without a consent that is young enough is refused.
fn consent(policy: &TenantPolicy, submission: &Submission, now: UnixMillis) -> Result<(), Problem> {
    let Some(days) = policy.consent_days_max else { return Ok(()) };
    if submission.category != Some(Category::Marketing) {
        return Ok(());
    }
    let Some(consent) = &submission.consent else {
        return Err(refuse(Fault::new(
            "/consent",
            "consent_missing",
            "marketing must name when the recipient agreed",
        )));
    };
    if now.since(consent.obtained_at) > u64::from(days) * DAY_MS {
        let detail = format!("the recipient's consent is older than {days} days");
        return Err(refuse(Fault::new("/consent/obtained_at", "consent_expired", detail)));
    }
    Ok(())
}

fn refuse(fault: Fault) -> Problem {
    Problem::new(Code::ComplianceBlocked, "The message breaks a rule; see `errors`.").with_faults(vec![fault])
}

/// Why a channel is closed for this message, if it is.
fn closed(
    policy: &TenantPolicy,
    submission: &Submission,
    senders: &RegisteredSenders,
    channel: Channel,
) -> Option<Blocked> {
    let block = |code, detail: String| Blocked { channel, code, detail, refusal: Code::ComplianceBlocked };
    let by_number = matches!(channel, Channel::Sms | Channel::Whatsapp);
    if by_number && !policy.countries.is_empty() && !policy.allows(submission.countries.of(channel)) {
        let country = submission.countries.of(channel).unwrap_or("no country");
        return Some(block(
            "country_not_allowed",
            format!("the tenant may not write to numbers of {country}"),
        ));
    }
    if channel == Channel::Sms
        && submission.sender.get(&channel).is_some_and(|sender| is_alphanumeric(sender))
        && submission.countries.of(channel).is_some_and(|country| NO_ALPHANUMERIC.contains(&country))
    {
        let country = submission.countries.of(channel).unwrap_or_default();
        return Some(block(
            "sender_not_supported",
            format!("carriers in {country} take no alphanumeric sender"),
        ));
    }
    if submission.sender.contains_key(&channel)
        && let Some(detail) =
            unverified(policy, senders.get(&channel), channel, submission.countries.of(channel))
    {
        let code = Code::SenderUnverified;
        return Some(Blocked { channel, code: code.as_str(), detail, refusal: code });
    }
    if submission.category == Some(Category::Marketing) && !has_way_out(submission, channel) {
        return Some(block("unsubscribe_missing", way_out(channel).to_owned()));
    }
    None
}

/// Why the sender that a message names for `channel` may not be used, if it may not. Apps' notifications have none.
fn unverified(
    policy: &TenantPolicy,
    registered: Option<&Arc<Sender>>,
    channel: Channel,
    country: Option<&str>,
) -> Option<String> {
    let Some(sender) = registered else {
        let required = policy.require_verified_senders && channel != Channel::Push;
        return required
            .then(|| "the tenant may use registered senders only, and this one is not".to_owned());
    };
    let standing = match sender.standing(country) {
        Verification::Verified => return None,
        Verification::Pending => "not verified yet",
        Verification::Rejected => "rejected",
    };
    Some(match (channel, country) {
        (Channel::Sms, Some(country)) => format!("the sender {} is {standing} in {country}", sender.id),
        _ => format!("the sender {} is {standing}", sender.id),
    })
}

/// Not a number: `ACME`, but neither `+4520123456` nor the short code `1234`. Longer texts name a messaging service.
fn is_alphanumeric(sender: &str) -> bool {
    sender.len() <= 11 && sender.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Whether a recipient of marketing learns how to end it. Apps' notifications are ended in the system's settings.
fn has_way_out(submission: &Submission, channel: Channel) -> bool {
    let names_one = |text: &str| text.contains("https://") || text.to_ascii_uppercase().contains("STOP");
    match submission.content.for_channel(channel) {
        Some(ChannelContent::Email(email)) => email.list_unsubscribe.is_some(),
        Some(ChannelContent::Sms(sms)) => sms.text.as_deref().is_some_and(names_one),
        Some(ChannelContent::Whatsapp(whatsapp)) => {
            // Templates for marketing are approved by Meta with their own button for it.
            whatsapp.template.is_some() || whatsapp.text.as_deref().is_some_and(names_one)
        }
        Some(ChannelContent::Push(_)) | None => true,
    }
}

const fn way_out(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "marketing by email needs content.email.list_unsubscribe",
        Channel::Sms | Channel::Push | Channel::Whatsapp => {
            "marketing needs a way to unsubscribe: the word STOP, or an https link"
        }
    }
}

/// When a message may start that comes in quiet hours.
fn quiet(
    policy: &TenantPolicy,
    submission: &Submission,
    (channel, now): (Channel, UnixMillis),
) -> Result<Option<(UnixMillis, HeldFor)>, Problem> {
    let Some(hours) = policy.quiet_hours.as_ref().filter(|hours| hours.concern(channel, submission.lane))
    else {
        return Ok(None);
    };
    let zones = hours.zones(submission.to.timezone.as_deref(), submission.countries.of(channel));
    let start = submission.send_at.unwrap_or(now).max(now);
    let Some(opens) = hours.open_at(start, &zones) else { return Ok(None) };
    let too_late = submission.expires_at.is_some_and(|expires_at| opens >= expires_at);
    match hours.action {
        QuietAction::Hold if !too_late => Ok(Some((opens, HeldFor::QuietHours))),
        QuietAction::Hold | QuietAction::Refuse => {
            let detail = format!("it is quiet hours for the recipient until {}", opens.rfc3339());
            let pointer = if submission.send_at.is_some() { "/send_at" } else { "/to" };
            let fault = Fault::new(pointer, "quiet_hours", detail);
            let detail = "The message comes at a time at which the recipient is left alone; see `errors`.";
            Err(Problem::new(Code::OutsideWindow, detail).with_faults(vec![fault]))
        }
    }
}
