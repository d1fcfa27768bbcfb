//! `POST /v1/messages/validate`: what sending would do.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use hermes_domain::{
    UnixMillis,
    address::Channel,
    content::{ChannelContent, Content},
    message::HeldFor,
    plan::Plan,
    segments::segments,
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    accepted::{PlanStep, PlanWarning, plan_steps, plan_warnings},
    examine::{Draft, Look, Moment, examine},
    layers::{
        dedup, dnc,
        enrich::{Enrichment, enrich},
    },
    send::message_body,
};
use crate::{
    api::Api,
    gate::Caller,
    idempotency::{Keyed, once},
    operation::reference,
    problem::{Fault, Problem},
    quotas,
    reply::Reply,
};

/// `ValidationRequest`: whatever cannot be sent is what this operation is asked about.
pub(super) fn schema() -> Value {
    let told = "A `SendRequest`; what keeps it from being one is told in `refusals`.";
    json!({ "anyOf": [reference("SendRequest"), {}], "description": told })
}

/// What sending the message now would lead to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Validation {
    /// Whether it would be accepted.
    valid: bool,
    /// What would be tried, in order; empty when refused.
    plan: Vec<PlanStep>,
    /// What is known of the recipient; null when refused.
    recipient: Option<Enrichment>,
    /// When it would start; null: at once.
    send_at: Option<String>,
    /// Why that is later than asked for: `quiet_hours`.
    held_for: Option<&'static str>,
    /// How each SMS step would be split.
    segments: Vec<StepSegments>,
    /// What each step would cost by the connections' price lists, where they have one.
    cost: Vec<StepCost>,
    /// Steps that would leave the plan.
    warnings: Vec<PlanWarning>,
    /// Every reason to refuse it, in the order of the layers.
    refusals: Vec<Refusal>,
}

/// Segments of an SMS step.
#[derive(Debug, Serialize, ToSchema)]
struct StepSegments {
    /// Index into the plan.
    step: usize,
    /// `gsm7` or `ucs2`.
    encoding: &'static str,
    /// How many.
    count: u16,
}

/// Estimated price of one attempt.
#[derive(Debug, Serialize, ToSchema)]
struct StepCost {
    /// Index into the plan.
    step: usize,
    /// Name of the connection that would be tried first.
    provider: String,
    /// Decimal amount.
    amount: String,
    /// ISO 4217 code.
    currency: String,
    /// Always true here.
    estimated: bool,
}

/// A reason to refuse.
#[derive(Debug, Serialize, ToSchema)]
struct Refusal {
    /// The layer that refuses.
    layer: Option<&'static str>,
    /// Stable code.
    code: &'static str,
    /// Words.
    detail: String,
    /// Every fault.
    errors: Vec<Fault>,
}

pub(super) async fn validate(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, value) = message_body(&api, request).await?;
    let keyed = Keyed::of_json(caller.scope(), &parts, &value)?;
    once(&api, keyed, verdict(&api, &caller, value)).await
}

async fn verdict(api: &Api, caller: &Caller, value: Value) -> Result<Reply, Problem> {
    let moment = Moment::at(api, api.now(), 0).await;
    let (mut draft, mut refusals) = match examine(api, caller, value, &moment, Look::ForAll) {
        Ok(draft) => (Some(draft), Vec::new()),
        Err(refusals) => (None, refusals),
    };
    refusals.extend(quotas::check(api, caller, moment.now).await.err());
    if let Some(draft) = &mut draft {
        refusals.extend(dnc::check(api, caller, draft).await.err());
        refusals.extend(api.message_rates.check(caller, &draft.submission, moment.now).err());
        for (same, _) in dedup::windows(&caller.tenant.policy, &draft.submission) {
            refusals.extend(api.dedupe.check(caller.scope(), &same, moment.now).err());
        }
    };
    let refusals: Vec<_> = refusals.into_iter().map(refusal).collect();
    Ok(Reply::ok(&validation(draft.as_ref().filter(|_| refusals.is_empty()), refusals)))
}

fn validation(draft: Option<&Draft>, refusals: Vec<Refusal>) -> Validation {
    Validation {
        valid: refusals.is_empty(),
        plan: draft.map(|draft| plan_steps(&draft.plan)).unwrap_or_default(),
        recipient: draft.map(|draft| enrich(&draft.submission.to, &draft.submission.countries)),
        send_at: draft.and_then(|draft| draft.send_at).map(UnixMillis::rfc3339),
        held_for: draft.and_then(|draft| draft.held_for).map(HeldFor::as_str),
        segments: draft
            .map(|draft| step_segments(&draft.plan, &draft.submission.content))
            .unwrap_or_default(),
        cost: draft.map(step_costs).unwrap_or_default(),
        warnings: draft.map(|draft| plan_warnings(&draft.warnings)).unwrap_or_default(),
        refusals,
    }
}

fn refusal(problem: Problem) -> Refusal {
    Refusal {
        layer: problem.code.layer(),
        code: problem.code.as_str(),
        detail: problem.detail,
        errors: problem.faults,
    }
}

fn sms_text(content: &Content) -> String {
    match content.for_channel(Channel::Sms) {
        Some(ChannelContent::Sms(sms)) => sms.text.unwrap_or_default(),
        Some(_) | None => String::new(),
    }
}

fn step_segments(plan: &Plan, content: &Content) -> Vec<StepSegments> {
    let of_step = |(step, planned): (usize, &hermes_domain::plan::Step)| {
        if planned.channel != Channel::Sms {
            return None;
        }
        let text = sms_text(content);
        let split = segments(&text);
        Some(StepSegments { step, encoding: split.encoding.as_str(), count: split.count() })
    };
    plan.steps.iter().enumerate().filter_map(of_step).collect()
}

fn step_costs(draft: &Draft) -> Vec<StepCost> {
    let of_step = |(step, planned): (usize, &hermes_domain::plan::Step)| {
        let first = planned.candidates.first()?;
        let price = first.price?;
        Some(StepCost {
            step,
            provider: first.name.clone(),
            amount: price.amount(),
            currency: price.currency.as_str().to_owned(),
            estimated: true,
        })
    };
    draft.plan.steps.iter().enumerate().filter_map(of_step).collect()
}
