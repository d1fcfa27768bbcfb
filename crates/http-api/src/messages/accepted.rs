//! The answer to a send. Made from the envelope alone, so that a repetition gives the same.

use std::collections::BTreeMap;

use hermes_domain::{
    message::{Envelope, Warning},
    plan::Plan,
    routing::Considered,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::template::TemplateUsed;

/// A message that is durably stored.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessageAccepted {
    /// Its id.
    pub(crate) id: String,
    /// `accepted`, or `scheduled` where `send_at` lies ahead.
    status: &'static str,
    /// When it was accepted.
    created_at: String,
    /// It is in a terminal status by then.
    expires_at: String,
    /// Its priority class.
    lane: &'static str,
    /// What will be tried, in order.
    plan: Vec<PlanStep>,
    /// The stored cascade that the plan was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    cascade: Option<CascadeUsed>,
    /// The template that the content was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<TemplateUsed>,
    /// As given.
    tags: Vec<String>,
    /// As given.
    metadata: BTreeMap<String, String>,
    /// Steps that left the plan, with the reason.
    warnings: Vec<PlanWarning>,
}

/// A step as it will be run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanStep {
    /// Its place, from 0.
    step: usize,
    /// Its channel.
    channel: &'static str,
    /// Names of the connections that may carry it, in order.
    providers: Vec<String>,
    /// How far the message must get.
    success_on: &'static str,
    /// How long the step may take, queueing and retries included, in seconds.
    timeout_s: u32,
    /// Every connection that was considered, and why it stands where it does; empty where there was one only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    considered: Vec<ConsideredView>,
}

/// A connection that was considered for a step.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Considered)]
pub(crate) struct ConsideredView {
    /// Its name.
    provider: String,
    /// `taken`; `standby`: it cannot be used now and comes after those that can; `rejected`.
    verdict: &'static str,
    /// Why: `named`, `rule`, `ranked`, `explored`, `failing`, `silent`, `slow`, `held`, `breaker_open`, `throttled`,
    /// `throttled_too_long`, `country_not_served`, `cost_exceeded`, `budget_currency` (its price is in another currency than
    /// `limits`), `excluded_by_rule`, `not_named`,
    /// `recipient_suppressed` (by a rule about its sender).
    reason: &'static str,
}

impl ConsideredView {
    pub(crate) fn of(considered: &Considered) -> Self {
        let (verdict, reason) = (considered.verdict.as_str(), considered.reason.as_str());
        Self { provider: considered.name.clone(), verdict, reason }
    }
}

/// Something the tenant should know.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanWarning {
    /// Stable code, such as `address_missing`.
    pub(crate) code: String,
    /// Words.
    pub(crate) detail: String,
    /// JSON pointer into the request.
    pub(crate) pointer: String,
}

/// A stored cascade that was used.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CascadeUsed {
    /// Its id.
    id: String,
    /// Its version.
    version: u32,
}

impl CascadeUsed {
    pub(crate) fn of(envelope: &Envelope) -> Option<Self> {
        let used = envelope.cascade?;
        Some(Self { id: used.id.to_string(), version: used.version })
    }
}

impl MessageAccepted {
    pub(crate) fn of(envelope: &Envelope) -> Self {
        let ahead = envelope.send_at.is_some_and(|send_at| send_at > envelope.created_at);
        Self {
            id: envelope.id.to_string(),
            status: if ahead { "scheduled" } else { "accepted" },
            created_at: envelope.created_at.rfc3339(),
            expires_at: envelope.expires_at.rfc3339(),
            lane: envelope.lane.as_str(),
            plan: plan_steps(&envelope.plan),
            cascade: CascadeUsed::of(envelope),
            template: TemplateUsed::of(envelope),
            tags: envelope.tags.clone(),
            metadata: envelope.metadata.clone(),
            warnings: plan_warnings(&envelope.warnings),
        }
    }
}

pub(crate) fn plan_steps(plan: &Plan) -> Vec<PlanStep> {
    let shown = |(index, step): (usize, &hermes_domain::plan::Step)| PlanStep {
        step: index,
        channel: step.channel.as_str(),
        providers: step.candidates.iter().map(|candidate| candidate.name.clone()).collect(),
        success_on: step.success_on.as_str(),
        timeout_s: step.timeout_s,
        considered: step.considered.iter().map(ConsideredView::of).collect(),
    };
    plan.steps.iter().enumerate().map(shown).collect()
}

pub(crate) fn plan_warnings(warnings: &[Warning]) -> Vec<PlanWarning> {
    let shown = |warning: &Warning| PlanWarning {
        code: warning.code.clone(),
        detail: warning.detail.clone(),
        pointer: warning.pointer.clone(),
    };
    warnings.iter().map(shown).collect()
}
