//! The DNC layer: steps to addresses that must not be written to leave the plan.
//!
//! Asked once more before every dispatch, by the message's actor: see `hermes-actor-cascade`.

use hermes_domain::{
    UnixMillis,
    address::Channel,
    message::Warning,
    plan::Step,
    routing::Reason,
    suppression::{Subject, Suppression, applying, sender_of},
    tenant::TenantScope,
};
use hermes_ports::{StoreError, suppressions::SuppressedAddress};

use crate::{
    api::Api,
    gate::Caller,
    messages::examine::Draft,
    problem::{Code, Fault, Problem},
};

/// Code of warnings and of the refusal.
const SUPPRESSED: &str = "recipient_suppressed";

/// Takes steps out of a draft's plan whose address is suppressed, each with a warning. Connections whose sender alone is
/// suppressed leave their step, and suppressed push tokens the recipient.
///
/// # Errors
/// `recipient_suppressed` when no step remains.
pub(crate) async fn check(api: &Api, caller: &Caller, draft: &mut Draft) -> Result<(), Problem> {
    let now = api.now();
    let places = places(draft);
    let (mut left, mut kept) = (Vec::new(), Vec::with_capacity(draft.plan.steps.len()));
    for (mut step, place) in std::mem::take(&mut draft.plan.steps).into_iter().zip(places) {
        let rules = rules(api, caller, draft, step.channel).await?;
        match forbidden(api, draft, &mut step, &rules, now) {
            Some(rule) => left.push(warning(&rule, place)),
            None => kept.push(step),
        }
    }
    draft.plan.steps = kept;
    if draft.plan.steps.is_empty() {
        return Err(refusal(left));
    }
    draft.warnings.extend(left);
    Ok(())
}

/// Each address that the recipient has on a channel, with the rules that cover it.
type Rules = Vec<(String, Vec<Suppression>)>;

async fn rules(api: &Api, caller: &Caller, draft: &Draft, channel: Channel) -> Result<Rules, StoreError> {
    let to = &draft.submission.to;
    let addresses: Vec<&str> = match channel {
        Channel::Sms => to.phone.iter().map(|phone| phone.as_str()).collect(),
        Channel::Whatsapp => to.whatsapp.iter().map(|phone| phone.as_str()).collect(),
        Channel::Email => to.email.iter().map(|email| email.as_str()).collect(),
        Channel::Push => to.push.iter().map(|push| push.token.as_str()).collect(),
    };
    let TenantScope { tenant, mode } = caller.scope();
    let mut found = Vec::with_capacity(addresses.len());
    for address in addresses {
        let of = SuppressedAddress { tenant, mode, channel, address: address.to_owned() };
        let covering = if api.ports.suppressions.may_cover(&of) {
            api.ports.suppressions.covering(&of).await?
        } else {
            Vec::new()
        };
        found.push((of.address, covering));
    }
    Ok(found)
}

/// The rule that forbids a step altogether. Otherwise the step keeps what may be used of it.
fn forbidden(
    api: &Api,
    draft: &mut Draft,
    step: &mut Step,
    rules: &Rules,
    now: UnixMillis,
) -> Option<Suppression> {
    if rules.iter().all(|(_, rules)| rules.is_empty()) {
        return None;
    }
    let channel = step.channel;
    let mut last = None;
    let mut may_write = |connection| {
        let sender = api.directory().read(|all| {
            let entry = all.connection(connection).map(|entry| &*entry.access.connection);
            sender_of(&draft.submission.sender, channel, entry)
        });
        let rule = rules.iter().map(|(address, rules)| {
            applying(rules, Subject { channel, address, sender: sender.as_ref() }, now)
        });
        // One address that may be written to is enough: only push has several.
        let rule = rule.reduce(|one, other| one.and(other)).flatten();
        last = rule.or(last);
        rule.is_none()
    };
    step.reject(Reason::RecipientSuppressed, |candidate| !may_write(candidate.connection));
    if step.candidates.is_empty() {
        return last.cloned();
    }
    if channel == Channel::Push {
        let is_free = |token: &str| {
            let own = rules.iter().find(|(address, _)| address == token);
            own.is_none_or(|(address, rules)| {
                let of_any_sender = rules.iter().filter(|rule| rule.sender.is_none());
                applying(of_any_sender, Subject { channel, address, sender: None }, now).is_none()
            })
        };
        draft.submission.to.push.retain(|push| is_free(&push.token));
    }
    None
}

/// Where each step of the plan stands in the cascade as written: those that left it have told where they stood.
fn places(draft: &Draft) -> Vec<usize> {
    let gone = |place: &usize| {
        let pointer = format!("/cascade/steps/{place}");
        draft.warnings.iter().any(|warning| warning.pointer == pointer)
    };
    (0..).filter(|place| !gone(place)).take(draft.plan.steps.len()).collect()
}

fn warning(rule: &Suppression, place: usize) -> Warning {
    let detail = format!("the recipient is suppressed ({}, {})", rule.reason.as_str(), rule.id);
    Warning { code: SUPPRESSED.to_owned(), detail, pointer: format!("/cascade/steps/{place}") }
}

fn refusal(left: Vec<Warning>) -> Problem {
    let faults = left.into_iter().map(|left| Fault::new(left.pointer, SUPPRESSED, left.detail)).collect();
    let detail = "The recipient must not be written to on any channel of the cascade; see `errors`.";
    Problem::new(Code::RecipientSuppressed, detail).with_faults(faults)
}
