//! From a tenant's cascade to a plan: routes, defaults, what can be confirmed.

use std::sync::Arc;

use hermes_domain::{
    address::Channel,
    message::Warning,
    outcome::Level,
    plan::{Candidate, Plan, Step},
    routing,
};

use super::parse::{CascadeChoice, CascadeSpec, SendRequest, StepSpec};
use crate::{auth::Caller, check::Check, problem::Problem, state::ApiState};

/// The plan of a request, and what the tenant should know about it.
pub(crate) fn resolve(
    state: &ApiState,
    caller: Caller,
    request: &SendRequest,
) -> Result<(Plan, Vec<Warning>), Problem> {
    let spec = chosen(state, caller, &request.cascade)?;
    let (mut steps, mut warnings, mut no_route) = (Vec::new(), Vec::new(), None);
    for (index, step) in spec.steps.iter().enumerate() {
        let pointer = format!("/cascade/steps/{index}");
        let channel = step.channel.as_str();
        let mut leave_out = |code: &str, detail: String| {
            warnings.push(Warning { code: code.to_owned(), detail, pointer: pointer.clone() });
        };
        if !request.to.has(step.channel) {
            leave_out("address_missing", format!("the recipient has no address for {channel}"));
            continue;
        }
        if request.content.for_channel(step.channel).is_none() {
            leave_out("content_missing", format!("there is nothing to say on {channel}"));
            continue;
        }
        match planned(state, caller, step, &pointer) {
            Ok(step) => steps.push(step),
            Err(Refusal::Unconfirmable(problem)) => return Err(problem),
            Err(Refusal::NoRoute(detail)) => {
                leave_out("no_route", detail.clone());
                no_route = no_route.or(Some(detail));
            }
        }
    }
    if steps.is_empty() {
        return Err(match no_route {
            Some(detail) => Problem::new(422, "no_route", detail).layer("routing"),
            None => Problem::new(422, "recipient_invalid", "no step of the cascade can reach this recipient")
                .layer("recipient"),
        });
    }
    let plan = Plan {
        steps,
        on_late_receipt: spec.on_late_receipt,
        on_unknown_outcome: spec.on_unknown_outcome,
        on_server_error: spec.on_server_error,
        attempts_per_step: state.settings.attempts_per_step,
    };
    Ok((plan, warnings))
}

/// Why a step is not in the plan.
enum Refusal {
    Unconfirmable(Problem),
    NoRoute(String),
}

fn planned(state: &ApiState, caller: Caller, step: &StepSpec, pointer: &str) -> Result<Step, Refusal> {
    let snapshot = state.ports.directory.snapshot();
    let connections = snapshot.serving(caller.tenant, caller.mode);
    let found = routing::candidates(connections, caller.tenant, caller.mode, step.channel, &step.providers);
    let mut candidates = found.map_err(|error| Refusal::NoRoute(error.to_string()))?;
    candidates.retain(|candidate| state.ports.adapters.descriptor(&candidate.provider).is_some());
    let confirms = |candidate: &Candidate| confirmed_level(state, &candidate.provider, step.channel);
    let Some(strongest) = candidates.iter().map(confirms).max() else {
        return Err(Refusal::NoRoute(format!("no adapter is loaded for {}", step.channel.as_str())));
    };
    let success_on = step.success_on.unwrap_or_else(|| default_success(step.channel).min(strongest));
    // An application's acknowledgement can confirm what no provider can.
    if success_on > strongest && success_on != Level::Acknowledged {
        let detail = format!("{} confirms at most {}", step.channel.as_str(), strongest.as_str());
        let mut check = Check::default();
        check.fault(&format!("{pointer}/success_on"), "unconfirmable", detail);
        return Err(Refusal::Unconfirmable(
            check.finish().err().unwrap_or_else(|| Problem::schema(Vec::new())),
        ));
    }
    let timeout_s = step.timeout_s.unwrap_or_else(|| step.channel.default_timeout_s());
    Ok(Step { channel: step.channel, candidates, success_on, timeout_s })
}

fn confirmed_level(state: &ApiState, provider: &str, channel: Channel) -> Level {
    let descriptor = state.ports.adapters.descriptor(provider);
    descriptor.and_then(|descriptor| descriptor.confirms.get(&channel).copied()).unwrap_or(Level::Accepted)
}

const fn default_success(channel: Channel) -> Level {
    match channel {
        Channel::Sms | Channel::Whatsapp | Channel::Email => Level::Delivered,
        Channel::Push => Level::Accepted,
    }
}

/// The tenant's cascade: in the request, stored, or its default; else one step per channel that it can use.
fn chosen(state: &ApiState, caller: Caller, choice: &CascadeChoice) -> Result<Arc<CascadeSpec>, Problem> {
    let read = |value: &serde_json::Value, pointer: &str| {
        let mut check = Check::default();
        let spec = super::parse::cascade(&mut check, value, pointer);
        check.finish()?;
        spec.map(Arc::new).ok_or_else(|| Problem::schema(Vec::new()))
    };
    match choice {
        CascadeChoice::Inline(spec) => Ok(Arc::new(spec.clone())),
        CascadeChoice::Stored(id) => {
            let unknown = || Problem::new(422, "parameter_invalid", "no such stored cascade").layer("schema");
            let template =
                id.parse().ok().and_then(|id| state.ports.directory.template(id)).ok_or_else(unknown)?;
            if (template.value.tenant, template.value.mode) != (caller.tenant, caller.mode) {
                return Err(unknown());
            }
            read(&template.value.cascade, "/cascade")
        }
        CascadeChoice::Default => {
            let tenant = state.ports.directory.tenant(caller.tenant);
            match tenant.as_ref().and_then(|tenant| tenant.default_cascade.as_ref()) {
                Some(value) => read(value, "/cascade"),
                None => Ok(Arc::new(every_channel())),
            }
        }
    }
}

fn every_channel() -> CascadeSpec {
    let step = |channel| StepSpec { channel, providers: Vec::new(), success_on: None, timeout_s: None };
    CascadeSpec { steps: Channel::ALL.into_iter().map(step).collect(), ..CascadeSpec::default() }
}
