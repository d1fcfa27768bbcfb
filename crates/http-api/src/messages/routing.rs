//! From a cascade as written to the plan that is run: connections, levels, time limits.

use std::collections::BTreeMap;

use hermes_directory::{ConnectionEntry, Snapshot};
use hermes_domain::{
    TenantId,
    address::Channel,
    message::{Mode, Warning},
    money::Money,
    outcome::Level,
    plan::{Candidate, Plan, Step},
    routing::{self, NoRoute},
};
use hermes_ports::adapter::AdapterHost;

use super::{
    cascade::{CascadeSpec, StepSpec},
    layers::{Blocked, enrich::Numbers, schema::Submission},
};
use crate::problem::{Code, Fault, Problem};

/// What routing looks at.
pub(super) struct Ground<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) adapters: &'a dyn AdapterHost,
    pub(super) tenant: TenantId,
    pub(super) mode: Mode,
    pub(super) submission: &'a Submission,
    pub(super) numbers: &'a Numbers<'a>,
    /// Channels that a layer has closed.
    pub(super) blocked: &'a [Blocked],
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
    let warnings = left.into_iter().map(warning).collect();
    let plan = Plan {
        steps,
        on_late_receipt: spec.on_late_receipt,
        on_unknown_outcome: spec.on_unknown_outcome,
        on_server_error: spec.on_server_error,
        attempts_per_step: ground.attempts_per_step,
    };
    Ok((plan, warnings))
}

const UNCONFIRMABLE: &str = "unconfirmable";

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
        let connections = self.snapshot.serving(self.tenant, self.mode);
        let found = routing::candidates(connections, self.tenant, self.mode, channel, &spec.providers);
        let candidates = match found {
            Ok(candidates) => candidates,
            Err(NoRoute::UnknownName { name, .. }) => return unknown_name(spec, index, &name),
            Err(error @ NoRoute::NoConnection { .. }) => {
                return Resolved::Left(Left::new("no_connection", error.to_string()));
            }
        };
        let strongest = self.strongest(channel, &candidates);
        if let Some(wanted) =
            spec.success_on.filter(|wanted| *wanted != Level::Acknowledged && *wanted > strongest)
        {
            let pointer = format!("/cascade/steps/{index}/success_on");
            let detail = format!(
                "{} can confirm at most {}, not {}",
                channel.as_str(),
                strongest.as_str(),
                wanted.as_str()
            );
            return Resolved::Fault(Fault::new(pointer, UNCONFIRMABLE, detail));
        }
        if let Some(left) = self.unusable(channel) {
            return Resolved::Left(left);
        }
        match self.affordable(channel, candidates) {
            Ok(candidates) => Resolved::Step(Step {
                channel,
                candidates,
                success_on: spec.success_on.unwrap_or_else(|| usual(channel).min(strongest)),
                timeout_s: spec.timeout_s.unwrap_or_else(|| self.usual_timeout_s(channel)),
            }),
            Err(left) => Resolved::Left(left),
        }
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

    /// Leaves out connections that do not reach the recipient's country or cost too much.
    fn affordable(&self, channel: Channel, candidates: Vec<Candidate>) -> Result<Vec<Candidate>, Left> {
        let terms =
            |candidate: &Candidate| self.snapshot.connection(candidate.connection).map(|entry| &*entry.terms);
        let bound = |candidate: &Candidate| {
            terms(candidate).is_some_and(|terms| !terms.countries.is_empty() || !terms.cost.is_empty())
        };
        if !candidates.iter().any(bound) {
            return Ok(candidates);
        }
        let country = self.numbers.country(channel);
        let reaches = |candidate: &Candidate| {
            country.is_none_or(|country| terms(candidate).is_none_or(|terms| terms.reaches(country)))
        };
        let (near, _): (Vec<_>, Vec<_>) = candidates.into_iter().partition(reaches);
        if near.is_empty() {
            let detail = "no connection of the step reaches the recipient's country".to_owned();
            return Err(Left::new("country_not_served", detail));
        }
        let fits = |candidate: &Candidate| match (self.submission.max_cost, terms(candidate)) {
            (Some(most), Some(terms)) => terms
                .price(country)
                .is_none_or(|price| price.currency != most.currency || price.micros <= most.micros),
            (None, _) | (_, None) => true,
        };
        let (cheap, _): (Vec<_>, Vec<_>) = near.into_iter().partition(fits);
        if cheap.is_empty() {
            let detail = "every connection of the step costs more than limits.max_cost".to_owned();
            return Err(Left::new("cost_exceeded", detail));
        }
        Ok(cheap)
    }

    /// The strongest level that a receipt of one of `candidates` can confirm.
    fn strongest(&self, channel: Channel, candidates: &[Candidate]) -> Level {
        let confirms = |candidate: &Candidate| {
            let descriptor = self.adapters.descriptor(&candidate.provider)?;
            descriptor.confirms.get(&channel).copied()
        };
        candidates.iter().filter_map(confirms).max().unwrap_or_else(|| ceiling(channel))
    }
}

/// The price of a connection for a recipient.
pub(super) fn price(entry: &ConnectionEntry, country: Option<&str>) -> Option<Money> {
    entry.terms.price(country)
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

/// What a channel can confirm where no adapter says.
const fn ceiling(channel: Channel) -> Level {
    match channel {
        Channel::Sms => Level::Delivered,
        Channel::Email | Channel::Whatsapp => Level::Read,
        Channel::Push => Level::Accepted,
    }
}
