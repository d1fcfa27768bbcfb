//! What may have changed between the acceptance of a message and an attempt: asked again before every dispatch.

use crate::{
    UnixMillis,
    address::Channel,
    cascade::{Attempt, State},
    message::Envelope,
    money::Money,
    routing::too_dear,
    tenant::Tenant,
};

/// How long a message of a suspended tenant waits before it is looked at again, in milliseconds.
const SUSPENDED_PAUSE_MS: u64 = 5_000;

/// Whether an attempt may start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It may.
    Clear,
    /// Not before this time: the tenant is suspended, or the recipient is left alone. The step's time runs on.
    Wait(UnixMillis),
}

/// Whether a message may be sent on `channel` at `now`; `tenant` is `None` when it has been deleted.
pub fn standing(tenant: Option<&Tenant>, envelope: &Envelope, channel: Channel, now: UnixMillis) -> Standing {
    let Some(tenant) = tenant.filter(|tenant| !tenant.suspended) else {
        return Standing::Wait(now.plus_ms(SUSPENDED_PAUSE_MS));
    };
    let hours = tenant.policy.quiet_hours.as_ref().filter(|hours| hours.concern(channel, envelope.lane));
    let Some(hours) = hours else { return Standing::Clear };
    let zones = hours.zones(envelope.to.timezone.as_deref(), envelope.country.as_deref());
    hours.open_at(now, &zones).map_or(Standing::Clear, Standing::Wait)
}

/// Those of the current step's candidates, by index, that the message can pay for still, as far as their prices are known.
pub fn affordable(envelope: &Envelope, state: &State, candidates: &[u8]) -> Vec<u8> {
    let Some(most) = envelope.max_cost else { return candidates.to_vec() };
    let spent: i64 = state.attempts.iter().filter_map(|attempt| spent_on(envelope, attempt, most)).sum();
    let left = Money { micros: most.micros.saturating_sub(spent), ..most };
    let step = state.current_step(envelope);
    let fits = |index: &u8| {
        let candidate = step.candidates.get(usize::from(*index));
        candidate.is_some_and(|candidate| too_dear(candidate.price, left).is_none())
    };
    candidates.iter().copied().filter(fits).collect()
}

/// What an attempt cost, or may have cost where nobody knows whether the provider took it. Where the provider tells it in
/// another currency than the budget's, the price list counts.
fn spent_on(envelope: &Envelope, attempt: &Attempt, most: Money) -> Option<i64> {
    let step = envelope.plan.steps.get(usize::from(attempt.step))?;
    let listed = step.candidates.get(usize::from(attempt.candidate)).and_then(|candidate| candidate.price);
    let may_cost = attempt.provider_message_id.is_some() || attempt.is_open();
    let comparable = |cost: &Money| cost.currency == most.currency;
    let cost = attempt.cost.filter(comparable).or_else(|| listed.filter(comparable))?;
    may_cost.then_some(cost.micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TenantId, policy::TenantPolicy};

    fn night_envelope() -> Envelope {
        let json = serde_json::json!({
            "v": 1, "id": "msg_01KDYYXGFEMXQKR0ZC0000001A", "tenant": "tnt_00000000000000000000000001", "mode": "live",
            "to": { "phone": "+4520123456" }, "country": "DK", "content": { "text": "x" },
            "plan": { "steps": [], "attempts_per_step": 1 }, "lane": "transactional",
            "expires_at": 0, "created_at": 0,
        });
        serde_json::from_value(json).unwrap()
    }

    fn tenant(suspended: bool, quiet: bool) -> Tenant {
        let hours = serde_json::json!({ "quiet_hours": { "from": "21:00", "until": "08:00" } });
        let policy: TenantPolicy =
            serde_json::from_value(if quiet { hours } else { serde_json::json!({}) }).unwrap();
        Tenant {
            id: TenantId::new(UnixMillis(0), 1),
            name: "t".into(),
            suspended,
            default_cascade: None,
            policy,
            created_at: UnixMillis(0),
        }
    }

    #[test]
    fn a_suspended_tenant_waits_and_so_does_a_message_at_night() {
        let envelope = night_envelope();
        let night = UnixMillis::parse_rfc3339("2026-01-02T23:00:00Z").unwrap();
        let ask = |tenant: Option<&Tenant>, channel| standing(tenant, &envelope, channel, night);
        assert_eq!(ask(Some(&tenant(false, false)), Channel::Sms), Standing::Clear);
        assert_eq!(ask(Some(&tenant(true, false)), Channel::Sms), Standing::Wait(night.plus_s(5)));
        assert_eq!(ask(None, Channel::Sms), Standing::Wait(night.plus_s(5)), "a tenant that is gone");
        assert_eq!(ask(Some(&tenant(false, true)), Channel::Sms), Standing::Wait(night.plus_s(8 * 3_600)));
        assert_eq!(ask(Some(&tenant(false, true)), Channel::Email), Standing::Clear);
    }
}
