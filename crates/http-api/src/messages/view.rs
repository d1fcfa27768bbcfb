//! A message as its tenant sees it.

use std::collections::BTreeMap;

use hermes_domain::{
    MessageId, UnixMillis,
    cascade::{Attempt, Cascade, Charge, MessageStatus, State},
    message::Envelope,
    money::Money,
    outcome::Failure,
};
use hermes_ports::cascade_store::StoredCascade;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    accepted::{CascadeUsed, PlanStep, PlanWarning, plan_steps, plan_warnings},
    template::TemplateUsed,
};

/// A message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub(crate) struct MessageView {
    /// Its id.
    id: String,
    /// `live` or `test`.
    mode: &'static str,
    /// Moves only forward; the last five are final: `accepted`, `scheduled`, `in_progress`, `delivered`,
    /// `sent_unconfirmed`, `failed`, `expired`, `cancelled`.
    status: &'static str,
    /// Why the status is what it is.
    status_reason: Option<&'static str>,
    /// The recipient, as given; null once erased.
    #[schema(value_type = Option<Object>)]
    to: Option<Value>,
    /// Senders per channel, as given.
    sender: BTreeMap<&'static str, String>,
    /// Its priority class.
    lane: &'static str,
    /// Index of the step that runs or ran last.
    current_step: u8,
    /// Channel of that step.
    channel: &'static str,
    /// Connection of the newest attempt.
    provider: Option<String>,
    /// What is tried, in order.
    plan: Vec<PlanStep>,
    /// The stored cascade that the plan was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    cascade: Option<CascadeUsed>,
    /// The template that the content was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<TemplateUsed>,
    /// What the tenant was told at acceptance.
    warnings: Vec<PlanWarning>,
    /// Submissions to providers, in order.
    attempts: Vec<AttemptView>,
    /// `delivered_late`, `delivered_multiple`, `contradicted`, `outcome_unknown`.
    flags: Vec<&'static str>,
    /// What happens next; null once the message has ended.
    waiting_for: Option<WaitingView>,
    /// What the attempts cost so far, where all of it is known in one currency.
    cost: Option<CostView>,
    /// Not before.
    send_at: Option<String>,
    /// In a terminal status by then.
    expires_at: String,
    /// When it was accepted.
    created_at: String,
    /// Last change.
    updated_at: String,
    /// When it ended.
    completed_at: Option<String>,
    /// First confirmation of delivery.
    confirmed_at: Option<String>,
    /// The message that was given up and whose place this one takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    redrive_of: Option<String>,
    /// The message that takes the place of this one, which was given up; where the message is read alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    redriven_as: Option<String>,
    /// As given.
    tags: Vec<String>,
    /// As given.
    metadata: BTreeMap<String, String>,
    /// When its recipient, content, metadata and warnings were made unreadable, for good.
    erased_at: Option<String>,
}

/// One submission to one provider.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(crate) struct AttemptView {
    /// Its id.
    id: String,
    /// From 1, within the message.
    number: u16,
    /// Index of its step.
    step: u8,
    /// Channel of that step.
    channel: Option<&'static str>,
    /// Name of the connection.
    provider: Option<String>,
    /// Build of the adapter that carried it.
    adapter_version: String,
    /// The provider's id of it.
    provider_message_id: Option<String>,
    /// How far it got.
    status: &'static str,
    /// When it was put on record.
    submitted_at: String,
    /// When its status became final.
    completed_at: Option<String>,
    /// SMS segments, once told.
    segments: Option<u16>,
    /// Once the provider took it: what it told, else the price list's.
    cost: Option<CostView>,
    /// Why it failed.
    error: Option<ErrorView>,
}

/// A price.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cost)]
pub(crate) struct CostView {
    /// Decimal amount.
    amount: String,
    /// ISO 4217 code.
    currency: String,
    /// Whether it comes from a price list instead of the provider.
    estimated: bool,
}

/// A failure.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AttemptError)]
pub(crate) struct ErrorView {
    /// Hermes' reading of it.
    class: &'static str,
    /// The provider's own code.
    provider_code: Option<String>,
    /// Words.
    detail: Option<String>,
}

impl ErrorView {
    pub(super) fn of(failure: &Failure) -> Self {
        Self {
            class: failure.class.as_str(),
            provider_code: failure.code.clone(),
            detail: failure.detail.clone(),
        }
    }
}

/// What a message waits for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WaitingFor)]
pub(crate) struct WaitingView {
    /// `send_at`, `quiet_hours`, `permit`, `provider_answer`, `receipt` or `retry`.
    pub(crate) what: &'static str,
    /// Until then at the latest.
    pub(crate) until: String,
    /// What happens then.
    pub(crate) then: String,
}

impl MessageView {
    pub(crate) fn of(stored: &StoredCascade) -> Self {
        let (envelope, state) = (&*stored.envelope, &stored.state);
        let optional = |at: Option<UnixMillis>| at.map(UnixMillis::rfc3339);
        Self {
            id: envelope.id.to_string(),
            mode: envelope.mode.as_str(),
            status: state.status().as_str(),
            status_reason: held_for(stored).or_else(|| state.reason.as_str()),
            to: recipient(envelope),
            sender: envelope.sender.iter().map(|(channel, name)| (channel.as_str(), name.clone())).collect(),
            lane: envelope.lane.as_str(),
            current_step: state.step,
            channel: state.current_step(envelope).channel.as_str(),
            provider: state.last_used(envelope).map(|(_, candidate)| candidate.name.clone()),
            plan: plan_steps(&envelope.plan),
            cascade: CascadeUsed::of(envelope),
            template: TemplateUsed::of(envelope),
            warnings: plan_warnings(&envelope.warnings),
            attempts: attempts(envelope, state),
            flags: state.flags.names(),
            waiting_for: waiting_for(stored),
            cost: total(envelope, state).map(cost),
            send_at: optional(envelope.send_at),
            expires_at: envelope.expires_at.rfc3339(),
            created_at: envelope.created_at.rfc3339(),
            updated_at: state.updated_at.rfc3339(),
            completed_at: optional(state.completed_at),
            confirmed_at: optional(state.confirmed_at),
            redrive_of: envelope.redrive_of.map(|id| id.to_string()),
            redriven_as: None,
            tags: envelope.tags.clone(),
            metadata: envelope.metadata.clone(),
            erased_at: optional(envelope.erased_at),
        }
    }
}

impl MessageView {
    /// The same, with the message that takes its place.
    pub(super) fn redriven_as(mut self, id: Option<MessageId>) -> Self {
        self.redriven_as = id.map(|id| id.to_string());
        self
    }
}

pub(crate) fn waiting_for(stored: &StoredCascade) -> Option<WaitingView> {
    let cascade = Cascade { envelope: stored.envelope.clone(), state: stored.state.clone() };
    let waiting = cascade.waiting_for()?;
    Some(WaitingView { what: waiting.what, until: waiting.until.rfc3339(), then: waiting.then })
}

pub(crate) fn attempts(envelope: &Envelope, state: &State) -> Vec<AttemptView> {
    let numbered = state.attempts.iter().zip(1_u16..);
    numbered.map(|(attempt, number)| attempt_view(envelope, attempt, number)).collect()
}

fn attempt_view(envelope: &Envelope, attempt: &Attempt, number: u16) -> AttemptView {
    let step = envelope.plan.steps.get(usize::from(attempt.step));
    let candidate = step.and_then(|step| step.candidates.get(usize::from(attempt.candidate)));
    AttemptView {
        id: envelope.id.attempt_id(number).to_string(),
        number,
        step: attempt.step,
        channel: step.map(|step| step.channel.as_str()),
        provider: candidate.map(|candidate| candidate.name.clone()),
        adapter_version: attempt.adapter_version.to_string(),
        provider_message_id: attempt.provider_message_id.clone(),
        status: attempt.status.as_str(),
        submitted_at: attempt.submitted_at.rfc3339(),
        completed_at: attempt.completed_at.map(UnixMillis::rfc3339),
        segments: attempt.segments,
        cost: attempt.charge(envelope).map(cost),
        error: attempt.error.as_ref().map(ErrorView::of),
    }
}

fn cost(Charge { money, estimated }: Charge) -> CostView {
    CostView { amount: money.amount(), currency: money.currency.as_str().to_owned(), estimated }
}

/// The sum of all known charges, estimated if one of them is; `None` without any, or when currencies differ.
fn total(envelope: &Envelope, state: &State) -> Option<Charge> {
    let mut known = state.attempts.iter().filter_map(|attempt| attempt.charge(envelope));
    let first = known.next()?;
    known.try_fold(first, |sum, next| {
        let micros = sum.money.micros.saturating_add(next.money.micros);
        let money = Money { micros, ..sum.money };
        let estimated = sum.estimated || next.estimated;
        (sum.money.currency == next.money.currency).then_some(Charge { money, estimated })
    })
}

/// The recipient as the tenant gave it; `None` once erased.
pub(crate) fn recipient(envelope: &Envelope) -> Option<Value> {
    // Its serialised form is the API's.
    envelope.erased_at.is_none().then(|| serde_json::to_value(&envelope.to).unwrap_or_default())
}

/// Why a message has not started, if rules have put it off.
fn held_for(stored: &StoredCascade) -> Option<&'static str> {
    let held_for = stored.envelope.held_for.filter(|_| stored.state.status() == MessageStatus::Scheduled)?;
    Some(held_for.as_str())
}
