//! The tenant layer: whether the tenant may send at all, and on which channels.

use hermes_domain::address::Channel;

use super::Blocked;
use crate::{
    gate::Caller,
    problem::{Code, Problem},
};

/// Refuses for a tenant that may not send.
pub(crate) fn check(caller: &Caller) -> Result<(), Problem> {
    if caller.tenant.suspended {
        return Err(Problem::new(Code::TenantSuspended, "The tenant is suspended and cannot send."));
    }
    Ok(())
}

/// Channels that are not in the tenant's plan.
pub(crate) fn blocked(caller: &Caller) -> Vec<Blocked> {
    let closed = Channel::ALL.into_iter().filter(|channel| !caller.tenant.policy.has(*channel));
    closed
        .map(|channel| Blocked {
            channel,
            code: "channel_not_in_plan",
            detail: format!("the tenant's plan has no {}", channel.as_str()),
            refusal: Code::ComplianceBlocked,
        })
        .collect()
}
