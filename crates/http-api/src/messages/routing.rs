//! From a cascade as written to the plan that is run: connections, levels, time limits.

use std::collections::BTreeMap;

use hermes_directory::{ConnectionEntry, Snapshot};
use hermes_domain::{
    TenantId, UnixMillis,
    address::Channel,
    connection::Connection,
    message::{Mode, Warning},
    money::Money,
    outcome::Level,
    plan::{Plan, Step},
    routing::{self, Choice, Health, NoRoute, Question, Reason, Route, Subject},
};
use hermes_ports::adapter::AdapterHost;

use super::{
    cascade::{CascadeSpec, StepSpec},
    confirming::{UNCONFIRMABLE, strongest, too_much},
    layers::{Blocked, schema::Submission},
};
use crate::{
    health_board::Seen,
    problem::{Code, Fault, Problem},
};

/// What routing looks at.
pub(super) struct Ground<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) adapters: &'a dyn AdapterHost,
    pub(super) tenant: TenantId,
    pub(super) mode: Mode,
    pub(super) submission: &'a Submission,
    /// Channels that a layer has closed.
    pub(super) blocked: &'a [Blocked],
    /// How connections have fared.
    pub(super) health: &'a Seen,
    pub(super) now: UnixMillis,
    /// Chance.
    pub(super) seed: u64,
    pub(super) exploration_percent: u8,
    pub(super) attempts_per_step: u16,
    pub(super) step_timeouts_s: &'a BTreeMap<Channel, u32>,
}

/// A step that cannot run: it leaves the plan.
struct Left {
    code: &'static str,
    detail: String,
    /// What the message is refused with when no step remains.
    refusal: Code,
}

impl Left {
    const fn new(code: &'static str, detail: String) -> Self {
        Self { code, detail, refusal: Code::NoRoute }
    }
}

enum Resolved {
    Step(Step),
    Left(Left),
    /// The request is wrong.
    Fault(Fault),
}

/// Resolves a cascade. Steps that cannot run for this recipient leave the plan with a warning.
///
/// # Errors
/// `no_route` when no step remains or a connection is named that does not exist; `schema_invalid` when a
/// level is asked for that the channel can never confirm.
pub(super) fn plan(ground: &Ground<'_>, spec: &CascadeSpec) -> Result<(Plan, Vec<Warning>), Problem> {
    let (mut steps, mut left, mut faults) = (Vec::with_capacity(spec.steps.len()), Vec::new(), Vec::new());
    for (index, step) in spec.steps.iter().enumerate() {
        match ground.resolve(step, index) {
            Resolved::Step(step) => steps.push(step),
            Resolved::Fault(fault) => faults.push(fault),
            Resolved::Left(step) => left.push((index, step)),
        }
    }
    if !faults.is_empty() {
        let code = if faults.iter().any(|fault| fault.code == UNCONFIRMABLE) {
            Code::SchemaInvalid
        } else {
            Code::NoRoute
        };
        return Err(
            Problem::new(code, "A step of the cascade cannot be served; see `errors`.").with_faults(faults)
        );
    }
    if steps.is_empty() {
        return Err(nothing_left(left));
    }
    let warning = |(index, left): (usize, Left)| Warning {
        code: left.code.to_owned(),
        detail: left.detail,
        pointer: format!("/cascade/steps/{index}"),
    };
    let unpriced = ground.submission.max_cost.and_then(|_| unpriced(&steps));
    let warnings = left.into_iter().map(warning).chain(unpriced).collect();
    let plan = Plan {
        steps,
        on_late_receipt: spec.on_late_receipt,
        on_unknown_outcome: spec.on_unknown_outcome,
        on_server_error: spec.on_server_error,
        attempts_per_step: ground.attempts_per_step,
    };
    Ok((plan, warnings))
}

/// What the message costs is bounded, and nobody knows what some connection costs. Push is free.
fn unpriced(steps: &[Step]) -> Option<Warning> {
    let candidates =
        steps.iter().filter(|step| step.channel != Channel::Push).flat_map(|step| &step.candidates);
    let mut names: Vec<_> =
        candidates.filter(|one| one.price.is_none()).map(|one| one.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    (!names.is_empty()).then(|| Warning {
        code: "price_unknown".to_owned(),
        detail: format!("no price is known of {}: it does not count towards max_cost", names.join(", ")),
        pointer: "/limits/max_cost".to_owned(),
    })
}

/// The first layer that took a step away says why; without one it is a matter of routes.
fn nothing_left(left: Vec<(usize, Left)>) -> Problem {
    let refusal = left.iter().map(|(_, left)| left.refusal).find(|refusal| *refusal != Code::NoRoute);
    let fault =
        |(index, left): (usize, Left)| Fault::new(format!("/cascade/steps/{index}"), left.code, left.detail);
    let faults = left.into_iter().map(fault).collect();
    let detail = "No step of the cascade can run for this recipient; see `errors`.";
    Problem::new(refusal.unwrap_or(Code::NoRoute), detail).with_faults(faults)
}

impl Ground<'_> {
    fn resolve(&self, spec: &StepSpec, index: usize) -> Resolved {
        let channel = spec.channel;
        let timeout_s = spec.timeout_s.unwrap_or_else(|| self.usual_timeout_s(channel));
        let routed = self.route(spec, timeout_s);
        match &routed {
            Err(NoRoute::UnknownName { name, .. }) => return unknown_name(spec, index, name),
            Err(error @ NoRoute::NoConnection { .. }) => {
                return Resolved::Left(Left::new("no_connection", error.to_string()));
            }
            Ok(_) | Err(NoRoute::AllRejected(_)) => {}
        }
        let candidates = routed.as_ref().map_or(&[][..], |route| &route.candidates);
        let providers = candidates.iter().map(|candidate| candidate.provider.as_str());
        let strongest = strongest(self.adapters, channel, providers);
        if let Some(detail) = too_much(spec, strongest) {
            let pointer = format!("/cascade/steps/{index}/success_on");
            return Resolved::Fault(Fault::new(pointer, UNCONFIRMABLE, detail));
        }
        if let Some(left) = self.unusable(channel) {
            return Resolved::Left(left);
        }
        match routed {
            Ok(Route { candidates, considered }) => Resolved::Step(Step {
                channel,
                candidates,
                success_on: spec.success_on.unwrap_or_else(|| usual(channel).min(strongest)),
                timeout_s,
                parts: self.submission.parts(channel),
                considered: if considered.len() > 1 { considered } else { Vec::new() },
            }),
            Err(none) => Resolved::Left(without_route(&none)),
        }
    }

    fn route(&self, spec: &StepSpec, timeout_s: u32) -> Result<Route, NoRoute> {
        let (channel, submission) = (spec.channel, self.submission);
        let connections = self.snapshot.serving(self.tenant, self.mode);
        let entries: Vec<&ConnectionEntry> = connections
            .filter(|connection| connection.channel == channel)
            .filter_map(|connection| self.snapshot.connection(connection.id))
            .collect();
        let rules = self.snapshot.route_rules(self.tenant, self.mode);
        let country = submission.countries.of(channel);
        let parts = i64::from(submission.parts(channel));
        let whole = |price: Money| Money { micros: price.micros.saturating_mul(parts), ..price };
        let choices: Vec<_> = entries
            .iter()
            .map(|entry| Choice {
                connection: &entry.access.connection,
                health: self.health(&entry.access.connection),
                price: entry.terms.price(country).map(whole),
                reaches: country.is_none_or(|country| entry.terms.reaches(country)),
            })
            .collect();
        let start = submission.send_at.unwrap_or(self.now).max(self.now);
        let question = Question {
            tenant: self.tenant,
            mode: self.mode,
            channel,
            named: &spec.providers,
            rules,
            subject: Subject {
                channel,
                country,
                number: submission.number(channel),
                sender: submission.sender.get(&channel).map(String::as_str),
                lane: submission.lane,
                tags: &submission.tags,
            },
            budget: submission.max_cost,
            deadline: start.plus_s(timeout_s),
            now: self.now,
            seed: self.seed,
            exploration_percent: self.exploration_percent,
        };
        routing::route(&question, &choices)
    }

    /// How a connection has fared; receipts count only where its adapter can confirm a delivery.
    fn health(&self, connection: &Connection) -> Health {
        let health = self.health.of(connection.id);
        let descriptor = self.adapters.descriptor(&connection.provider);
        let confirms =
            descriptor.and_then(|descriptor| descriptor.confirms.get(&connection.channel).copied());
        let due = if confirms >= Some(Level::Delivered) { health.receipts_due } else { 0 };
        Health { receipts_due: due, ..health }
    }

    /// Why nothing can be sent on a channel, whatever the connections are.
    fn unusable(&self, channel: Channel) -> Option<Left> {
        if !self.submission.to.has(channel) {
            let detail = format!("the recipient has no address for {}", channel.as_str());
            return Some(Left::new("address_missing", detail));
        }
        if !self.submission.content.serves(channel) {
            let detail = format!("there is nothing to say on {}", channel.as_str());
            return Some(Left::new("content_missing", detail));
        }
        let blocked = self.blocked.iter().find(|blocked| blocked.channel == channel)?;
        Some(Left { code: blocked.code, detail: blocked.detail.clone(), refusal: blocked.refusal })
    }

    fn usual_timeout_s(&self, channel: Channel) -> u32 {
        self.step_timeouts_s.get(&channel).copied().unwrap_or_else(|| channel.default_timeout_s())
    }
}

/// Why no connection of a step is left: what rejected the last one that could have carried it.
fn without_route(none: &NoRoute) -> Left {
    let NoRoute::AllRejected(considered) = none else {
        return Left::new("no_connection", none.to_string());
    };
    let for_reason = |reason| considered.iter().any(|considered| considered.reason == reason);
    if for_reason(Reason::CostExceeded) {
        let detail = "every connection of the step costs more than limits.max_cost";
        return Left::new("cost_exceeded", detail.to_owned());
    }
    if for_reason(Reason::BudgetCurrency) {
        let detail = "no connection of the step has a price in the currency of limits";
        return Left::new("budget_currency", detail.to_owned());
    }
    if for_reason(Reason::ThrottledTooLong) {
        let detail = "the providers of the step ask for a pause that is longer than the step";
        return Left::new("throttled", detail.to_owned());
    }
    if for_reason(Reason::CountryNotServed) {
        let detail = "no connection of the step reaches the recipient's country";
        return Left::new("country_not_served", detail.to_owned());
    }
    Left::new("excluded_by_rule", "a rule of the tenant excludes every connection of the step".to_owned())
}

fn unknown_name(spec: &StepSpec, index: usize, name: &str) -> Resolved {
    let place = spec.providers.iter().position(|wanted| wanted == name).unwrap_or(0);
    let pointer = format!("/cascade/steps/{index}/providers/{place}");
    let detail = format!("there is no {} connection of this name", spec.channel.as_str());
    Resolved::Fault(Fault::new(pointer, "unknown_provider", detail))
}

/// What a step wants unless it says otherwise.
const fn usual(channel: Channel) -> Level {
    match channel {
        Channel::Sms | Channel::Email | Channel::Whatsapp => Level::Delivered,
        Channel::Push => Level::Accepted,
    }
}
