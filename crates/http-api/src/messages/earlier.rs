//! A message that was accepted before, as if it were asked for once more.

use hermes_directory::Snapshot;
use hermes_domain::{
    UnixMillis,
    address::Phone,
    message::Envelope,
    plan::{Candidate, Plan, Step},
    routing::Reason,
    tenant::TenantScope,
};

use super::{
    cascade::{CascadeSpec, StepSpec},
    layers::{enrich::Countries, schema::Submission},
};
use crate::{api::Api, gate::Caller};

/// The same to the same recipient, from `now` on for as long as it was to live from its start.
///
/// Its category and consent are not stored, and neither is its business key: those layers have had their say.
pub(super) fn submission(api: &Api, caller: &Caller, earlier: &Envelope, now: UnixMillis) -> Submission {
    let start = earlier.send_at.unwrap_or(earlier.created_at).max(earlier.created_at);
    let scope = caller.scope();
    Submission {
        to: earlier.to.clone(),
        countries: countries(earlier),
        content: earlier.content.clone(),
        template: earlier.template.clone(),
        told: Vec::new(),
        cascade: api.directory().read(|snapshot| cascade(snapshot, scope, &earlier.plan)),
        cascade_use: earlier.cascade,
        sender: earlier.sender.clone(),
        lane: earlier.lane,
        category: None,
        consent: None,
        send_at: None,
        expires_at: Some(now.plus_ms(earlier.expires_at.since(start))),
        dedupe: None,
        max_cost: earlier.max_cost,
        tags: earlier.tags.clone(),
        metadata: earlier.metadata.clone(),
    }
}

fn countries(earlier: &Envelope) -> Countries {
    let of = |phone: &Option<Phone>| Phone::parse_with_country(phone.as_ref()?.as_str()).ok()?.1;
    Countries { sms: of(&earlier.to.phone), whatsapp: of(&earlier.to.whatsapp) }
}

/// The steps as they were, to be routed anew: why a message failed may be a connection that has been mended, held or
/// replaced since. Connections that the tenant had named stay the only ones, as long as one of them exists.
fn cascade(snapshot: &Snapshot, scope: TenantScope, plan: &Plan) -> CascadeSpec {
    let spec = |step: &Step| StepSpec {
        channel: step.channel,
        providers: if is_named(step) { existing(snapshot, scope, step) } else { Vec::new() },
        success_on: Some(step.success_on),
        timeout_s: Some(step.timeout_s),
    };
    CascadeSpec {
        steps: plan.steps.iter().map(spec).collect(),
        on_late_receipt: plan.on_late_receipt,
        on_unknown_outcome: plan.on_unknown_outcome,
        on_server_error: plan.on_server_error,
    }
}

/// Whether the tenant chose the step's connections. Where only one was considered that is not known any more: it counts
/// as chosen.
fn is_named(step: &Step) -> bool {
    let chosen = |reason| matches!(reason, Reason::Named | Reason::NotNamed);
    step.considered.is_empty() || step.considered.iter().any(|considered| chosen(considered.reason))
}

/// Names that the step's connections have now, those that still serve the tenant.
fn existing(snapshot: &Snapshot, scope: TenantScope, step: &Step) -> Vec<String> {
    let serving = snapshot.serving(scope.tenant, scope.mode);
    let now = |candidate: &Candidate| {
        let mut serving = serving.clone().filter(|connection| connection.channel == step.channel);
        serving
            .find(|connection| connection.id == candidate.connection)
            .map(|connection| connection.name.clone())
    };
    step.candidates.iter().filter_map(now).collect()
}
