//! The layers in order, without any effect: what sending and rehearsing have in common.

use std::collections::BTreeMap;

use hermes_domain::{
    UnixMillis,
    address::{Channel, Recipient},
    content::Content,
    message::{CascadeUse, Lane, Warning},
    money::Money,
    plan::Plan,
    template::TemplateUse,
};
use serde_json::Value;

use super::{
    cascade::{self, CascadeSpec},
    content_rules, recipient,
    request::{self, CascadeChoice, Dedupe, SendRequest},
    routing::{self, Ground},
    template::{self, Made},
};
use crate::{
    api::Api,
    gate::Caller,
    problem::{Code, Fault, Problem},
    schema::{self, Faults},
};

/// A request that passed: everything an envelope needs but its id.
pub(super) struct Draft {
    pub(super) to: Recipient,
    pub(super) content: Content,
    /// What `content` was made from.
    pub(super) template: Option<TemplateUse>,
    pub(super) plan: Plan,
    /// What `plan` was made from.
    pub(super) cascade: Option<CascadeUse>,
    pub(super) warnings: Vec<Warning>,
    pub(super) sender: BTreeMap<Channel, String>,
    pub(super) lane: Lane,
    pub(super) send_at: Option<UnixMillis>,
    pub(super) expires_at: UnixMillis,
    pub(super) dedupe: Option<Dedupe>,
    pub(super) tags: Vec<String>,
    pub(super) metadata: BTreeMap<String, String>,
}

/// Runs every layer that can be run; the refusals come in the order of the layers.
pub(super) fn examine(
    api: &Api,
    caller: &Caller,
    body: Value,
    now: UnixMillis,
) -> Result<Draft, Vec<Problem>> {
    let request = schema::root(body, request::send_request(now)).map_err(|refusal| vec![refusal])?;
    let SendRequest {
        to,
        content,
        cascade,
        sender,
        lane,
        send_at,
        expires_at,
        dedupe,
        max_cost,
        tags,
        metadata,
    } = request;
    let made = template::made(api, caller, content, to.locale.as_deref());
    let Made { content, template, warnings: told } = made.map_err(|refusal| vec![refusal])?;
    let to = recipient::recipient(to);
    let spec = spec(api, caller, cascade);
    let uses_sms =
        spec.as_ref().is_ok_and(|(spec, _)| spec.steps.iter().any(|step| step.channel == Channel::Sms));
    let content_fits = template::judged(content_rules::check(&content, uses_sms), template.as_ref());
    let planned = match (&to, &spec) {
        (Ok(to), Ok((spec, _))) => Some(planned(api, caller, (to, &content, max_cost), spec)),
        (Err(_), _) | (_, Err(_)) => None,
    };
    match (to, content_fits, planned) {
        (Ok(to), Ok(()), Some(Ok((plan, mut warnings)))) => {
            warnings.extend(told);
            let expires_at = expires_at.unwrap_or_else(|| default_expiry(api, send_at, now));
            Ok(Draft {
                to,
                content,
                template,
                plan,
                cascade: spec.ok().and_then(|(_, used)| used),
                warnings,
                sender,
                lane,
                send_at,
                expires_at,
                dedupe,
                tags,
                metadata,
            })
        }
        (to, content_fits, planned) => {
            let refusals = [to.err(), content_fits.err(), spec.err(), planned.and_then(Result::err)];
            Err(refusals.into_iter().flatten().collect())
        }
    }
}

fn planned(
    api: &Api,
    caller: &Caller,
    (recipient, content, max_cost): (&Recipient, &Content, Option<Money>),
    spec: &CascadeSpec,
) -> Result<(Plan, Vec<Warning>), Problem> {
    api.directory().read(|snapshot| {
        let ground = Ground {
            snapshot,
            adapters: &*api.ports.adapters,
            tenant: caller.tenant.id,
            mode: caller.mode,
            recipient,
            content,
            max_cost,
            attempts_per_step: api.settings.attempts_per_step,
            step_timeouts_s: &api.settings.step_timeouts_s,
        };
        routing::plan(&ground, spec)
    })
}

fn default_expiry(api: &Api, send_at: Option<UnixMillis>, now: UnixMillis) -> UnixMillis {
    let life = u64::try_from(api.settings.default_expiry.as_millis()).unwrap_or(u64::MAX);
    send_at.unwrap_or(now).max(now).plus_ms(life)
}

/// The cascade that a message names, and which version of which stored one it is.
fn spec(
    api: &Api,
    caller: &Caller,
    choice: CascadeChoice,
) -> Result<(CascadeSpec, Option<CascadeUse>), Problem> {
    match choice {
        CascadeChoice::Inline(spec) => Ok((spec, None)),
        CascadeChoice::Stored(id, version) => {
            let stored = api.directory().cascade(id).map(|stored| stored.value);
            let own = stored.filter(|stored| caller.owns(stored.tenant, stored.mode));
            let own = own.ok_or_else(|| {
                refuse("/cascade", "unknown_cascade", "there is no stored cascade with this id")
            })?;
            let version = own.version(version.unwrap_or(own.active)).ok_or_else(|| {
                refuse("/cascade/version", "unknown_version", "the stored cascade has no such version")
            })?;
            let spec = read(version.cascade.clone())?;
            Ok((spec, Some(CascadeUse { id, version: version.number })))
        }
        CascadeChoice::Default => match &caller.tenant.default_cascade {
            Some(Value::String(id)) => match id.parse() {
                Ok(id) => spec(api, caller, CascadeChoice::Stored(id, None)),
                Err(_) => {
                    Err(refuse("/cascade", "unknown_cascade", "the tenant's default cascade does not exist"))
                }
            },
            Some(default) => Ok((read(default.clone())?, None)),
            None => Err(refuse("/cascade", "required", "the tenant has no default cascade: name one")),
        },
    }
}

/// Reads a cascade that was valid when it was stored.
fn read(stored: Value) -> Result<CascadeSpec, Problem> {
    let mut faults = Faults::below("cascade");
    let spec = cascade::cascade(stored, &mut faults);
    faults.finish(spec, Code::SchemaInvalid)
}

fn refuse(pointer: &str, code: &'static str, detail: &str) -> Problem {
    let fault = Fault::new(pointer, code, detail);
    Problem::new(Code::SchemaInvalid, "The cascade cannot be used; see `errors`.").with_faults(vec![fault])
}
