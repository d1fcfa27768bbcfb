//! Who calls.

use axum::http::{HeaderMap, header};
use hermes_domain::{TenantId, message::Mode, tenant::KeyOwner};

use crate::{problem::Problem, state::ApiState};

/// A tenant's caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) tenant: TenantId,
    pub(crate) mode: Mode,
}

fn owner(state: &ApiState, headers: &HeaderMap) -> Result<KeyOwner, Problem> {
    let refused =
        || Problem::new(401, "unauthenticated", "the Authorization header must carry a valid Bearer key");
    let value =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(refused)?;
    let bearer = value.strip_prefix("Bearer ").ok_or_else(refused)?;
    let now = state.ports.clock.now();
    state
        .ports
        .directory
        .authenticate(bearer.trim(), now)
        .map(|principal| principal.owner())
        .ok_or_else(refused)
}

/// The tenant whose key the request carries.
pub(crate) fn tenant(state: &ApiState, headers: &HeaderMap) -> Result<Caller, Problem> {
    match owner(state, headers)? {
        KeyOwner::Tenant(tenant, mode) => Ok(Caller { tenant, mode }),
        KeyOwner::Operator => Err(Problem::new(403, "forbidden", "this route takes a tenant's key")),
    }
}

/// As [`tenant`], but a suspended tenant may not send.
pub(crate) fn sender(state: &ApiState, headers: &HeaderMap) -> Result<Caller, Problem> {
    let caller = tenant(state, headers)?;
    let suspended = state.ports.directory.tenant(caller.tenant).is_none_or(|tenant| tenant.suspended);
    if suspended {
        Err(Problem::new(403, "tenant_suspended", "this tenant is suspended"))
    } else {
        Ok(caller)
    }
}

/// Checks that the request carries an operator's key.
pub(crate) fn operator(state: &ApiState, headers: &HeaderMap) -> Result<(), Problem> {
    match owner(state, headers)? {
        KeyOwner::Operator => Ok(()),
        KeyOwner::Tenant(..) => Err(Problem::new(403, "forbidden", "this route takes an operator's key")),
    }
}
