//! The layers in order, without any effect: what sending and rehearsing have in common.

use std::sync::Arc;

use hermes_domain::{
    MessageId, UnixMillis,
    message::{Envelope, HeldFor, Warning},
    plan::Plan,
};
use serde_json::Value;

use super::{
    earlier,
    layers::{
        Blocked, Findings, Stopped, compliance, content, enrich,
        schema::{self, LoneContent, Submission},
        tenant,
    },
    routing::{self, Ground},
    template,
};
use crate::{api::Api, gate::Caller, health_board::Seen, problem::Problem};

/// A message that passed: everything an envelope needs but its id.
pub(super) struct Draft {
    pub(super) submission: Submission,
    pub(super) plan: Plan,
    pub(super) warnings: Vec<Warning>,
    /// Not before, by the tenant's wish or our rules.
    pub(super) send_at: Option<UnixMillis>,
    /// Why `send_at` is later than asked for.
    pub(super) held_for: Option<HeldFor>,
    pub(super) expires_at: UnixMillis,
    /// The message whose place it takes.
    pub(super) redrive_of: Option<MessageId>,
}

/// What a decision depends on beside the request.
pub(super) struct Moment {
    pub(super) now: UnixMillis,
    /// Chance, where routing leaves something to it.
    pub(super) seed: u64,
    pub(super) health: Arc<Seen>,
}

impl Moment {
    /// This one.
    pub(super) async fn at(api: &Api, now: UnixMillis, seed: u64) -> Self {
        Self { now, seed, health: api.health.at(api, now).await }
    }
}

/// Whether to go on after a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// To the first refusal: enough for sending.
    ForOne,
    /// Through every layer that can be run.
    ForAll,
}

/// Runs the layers; the refusals come in their order.
pub(super) fn examine(
    api: &Api,
    caller: &Caller,
    body: Value,
    moment: &Moment,
    look: Look,
) -> Result<Draft, Vec<Problem>> {
    let mut findings = Findings::new(look == Look::ForAll);
    match layers(api, caller, body, moment, &mut findings) {
        Ok(Some(draft)) if findings.are_none() => Ok(draft),
        Ok(_) | Err(Stopped) => Err(findings.problems()),
    }
}

/// Runs the layers on a message that was accepted before, up to the first refusal: what has changed since counts.
pub(super) fn reexamine(
    api: &Api,
    caller: &Caller,
    earlier: &Envelope,
    moment: &Moment,
) -> Result<Draft, Vec<Problem>> {
    let mut findings = Findings::new(false);
    let submission = earlier::submission(api, caller, earlier, moment.now);
    match judge(api, caller, submission, moment, &mut findings) {
        Ok(Some(draft)) if findings.are_none() => Ok(Draft { redrive_of: Some(earlier.id), ..draft }),
        Ok(_) | Err(Stopped) => Err(findings.problems()),
    }
}

fn layers(
    api: &Api,
    caller: &Caller,
    body: Value,
    moment: &Moment,
    findings: &mut Findings,
) -> Result<Option<Draft>, Stopped> {
    let policy = &caller.tenant.policy;
    findings.note(tenant::check(caller))?;
    let read = schema::read(api, caller, body, moment.now);
    for refusal in read.refusals {
        findings.note::<()>(Err(refusal))?;
    }
    let Some(submission) = read.submission else {
        if let Some(LoneContent { uses_sms, content, template }) = read.content {
            let fits = content::check(policy, &content, uses_sms);
            findings.note(template::judged(fits, template.as_ref()))?;
        }
        return Ok(None);
    };
    judge(api, caller, submission, moment, findings)
}

/// The layers behind the schema.
fn judge(
    api: &Api,
    caller: &Caller,
    submission: Submission,
    moment: &Moment,
    findings: &mut Findings,
) -> Result<Option<Draft>, Stopped> {
    let (policy, now) = (&caller.tenant.policy, moment.now);
    let fits = content::check(policy, &submission.content, submission.uses_sms());
    findings.note(template::judged(fits, submission.template.as_ref()))?;
    let mut blocked = tenant::blocked(caller);
    let senders = api.directory().read(|snapshot| snapshot.senders_named(caller.scope(), &submission.sender));
    let compliance = findings.note(compliance::check(policy, &submission, &senders, now))?;
    let compliance = compliance.unwrap_or_default();
    blocked.extend(compliance.blocked);
    let planned = findings.note(planned(api, caller, (&submission, &blocked), moment))?;
    let (send_at, held_for) = match compliance.hold {
        Some((until, held_for)) => (Some(until), Some(held_for)),
        None => (submission.send_at, None),
    };
    let start = send_at.unwrap_or(now).max(now);
    let expires_at = submission.expires_at.unwrap_or_else(|| enrich::default_expiry(api, start));
    Ok(planned.map(|(plan, mut warnings)| {
        warnings.extend(submission.told.iter().cloned());
        Draft { submission, plan, warnings, send_at, held_for, expires_at, redrive_of: None }
    }))
}

fn planned(
    api: &Api,
    caller: &Caller,
    (submission, blocked): (&Submission, &[Blocked]),
    moment: &Moment,
) -> Result<(Plan, Vec<Warning>), Problem> {
    api.directory().read(|snapshot| {
        let ground = Ground {
            snapshot,
            adapters: &*api.ports.adapters,
            tenant: caller.tenant.id,
            mode: caller.mode,
            submission,
            blocked,
            health: &moment.health,
            now: moment.now,
            seed: moment.seed,
            exploration_percent: api.settings.exploration_percent,
            attempts_per_step: api.settings.attempts_per_step,
            step_timeouts_s: &api.settings.step_timeouts_s,
        };
        routing::plan(&ground, &submission.cascade)
    })
}
