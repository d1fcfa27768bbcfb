//! Who may pass: authentication, what the route needs of the key, and the tenant's rate.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, MatchedPath, Request},
    middleware::Next,
    response::{IntoResponse, Response},
};
use hermes_directory::Principal;
use hermes_domain::{
    KeyId,
    access::{Role, Scope},
    message::Mode,
    tenant::{KeyOwner, Tenant, TenantScope},
};
use http::{HeaderMap, header, request::Parts};

use crate::{
    api::Api,
    audited,
    message_store::AcrossTenants,
    problem::{Code, Fault, Problem},
    rate::{self, RateState},
    router::Route,
};

/// Longest API key looked at, in bytes.
const KEY_BYTES_MAX: usize = 200;

/// A tenant's request.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) mode: Mode,
}

impl Caller {
    /// What an object must belong to for this caller to see it.
    pub(crate) fn scope(&self) -> TenantScope {
        TenantScope::new(self.tenant.id, self.mode)
    }
}

/// An operator's request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operator {
    pub(crate) key: KeyId,
    pub(crate) role: Role,
}

impl AcrossTenants for Operator {}

/// Whom a request must come from. Without a scope or role, any key of the kind will do: there is no such route, and
/// only who has a key learns that.
enum Door {
    Open,
    Tenant(Option<Scope>),
    Operator(Option<Role>),
}

impl Door {
    fn of(route: Option<Route>, path: &str) -> Self {
        match route.map(|route| (route.need.scope(), route.need.role())) {
            Some((Some(scope), _)) => Self::Tenant(Some(scope)),
            Some((None, Some(role))) => Self::Operator(Some(role)),
            Some((None, None)) => Self::Open,
            None if path.starts_with("/v1/") => Self::Tenant(None),
            None if path.starts_with("/admin/v1/") => Self::Operator(None),
            None => Self::Open,
        }
    }
}

/// Lets a request through, or not, by what its route needs.
pub(crate) async fn pass(api: &Arc<Api>, mut request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.and_then(|matched| api.routes.find(matched.as_str(), request.method()));
    match Door::of(route, request.uri().path()) {
        Door::Open => next.run(request).await,
        Door::Tenant(scope) => {
            let (key, caller) = match tenant(api, request.headers(), scope) {
                Ok(known) => known,
                Err(problem) => return problem.into_response(),
            };
            let rate = api.rates.admit(caller.tenant.id, api.now());
            if let Some(refused) = limited(&rate) {
                return refused;
            }
            let event = audited::by_tenant(api, (key, caller.scope()), route, &request);
            request.extensions_mut().insert(caller);
            announce(audited::on_record(api, event, request, next).await, &rate)
        }
        Door::Operator(needed) => {
            let operator = match operator(api, request.headers()) {
                Ok(operator) => operator,
                Err(problem) => return problem.into_response(),
            };
            if let (Some(route), Some(missing)) =
                (route, needed.filter(|needed| !operator.role.includes(*needed)))
            {
                let problem = forbidden("role", missing.as_str());
                return audited::refused(api, operator, route, request, problem).await.into_response();
            }
            let event = audited::by_operator(api, operator, route, &request);
            request.extensions_mut().insert(operator);
            audited::on_record(api, event, request, next).await
        }
    }
}

/// The answer to a request beyond the tenant's rate, if this one is.
pub(crate) fn limited(rate: &RateState) -> Option<Response> {
    let seconds = rate.retry_after_s?;
    let problem = Problem::new(Code::RateLimited, "The tenant makes too many requests.").retry_after(seconds);
    let mut response = problem.into_response();
    set_headers(&mut response, rate);
    Some(response)
}

/// Tells the rate with successful answers and with refusals for rate.
pub(crate) fn announce(mut response: Response, rate: &RateState) -> Response {
    if response.status().is_success() || response.status() == http::StatusCode::TOO_MANY_REQUESTS {
        set_headers(&mut response, rate);
    }
    response
}

fn set_headers(response: &mut Response, rate: &RateState) {
    response.headers_mut().insert(rate::POLICY_HEADER, rate.policy.clone());
    response.headers_mut().insert(rate::STATE_HEADER, rate.state.clone());
}

fn tenant(api: &Api, headers: &HeaderMap, scope: Option<Scope>) -> Result<(KeyId, Caller), Problem> {
    let principal = authenticate(api, headers)?;
    let KeyOwner::Tenant(tenant, mode) = principal.owner() else {
        return Err(Problem::new(Code::Forbidden, "Operator keys work under /admin/v1 only."));
    };
    if let Some(missing) = scope.filter(|scope| !principal.may(*scope)) {
        return Err(forbidden("scope", missing.as_str()));
    }
    let tenant = api.directory().tenant(tenant).ok_or_else(unauthenticated)?;
    Ok((principal.key_id(), Caller { tenant, mode }))
}

fn operator(api: &Api, headers: &HeaderMap) -> Result<Operator, Problem> {
    let principal = authenticate(api, headers)?;
    let role =
        principal.role().ok_or_else(|| Problem::new(Code::Forbidden, "This needs an operator key."))?;
    Ok(Operator { key: principal.key_id(), role })
}

/// Says what the key lacks: its `kind`, scope or role, and which.
pub(crate) fn forbidden(kind: &'static str, missing: &str) -> Problem {
    let fault = Fault::new("Authorization", kind, format!("the key needs the {kind} {missing}"));
    Problem::new(Code::Forbidden, format!("The key needs the {kind} {missing}.")).with_faults(vec![fault])
}

fn authenticate(api: &Api, headers: &HeaderMap) -> Result<Principal, Problem> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, key)| key.trim())
        .filter(|key| (1..=KEY_BYTES_MAX).contains(&key.len()))
        .ok_or_else(unauthenticated)?;
    api.directory().authenticate(bearer, api.now()).ok_or_else(unauthenticated)
}

fn unauthenticated() -> Problem {
    let detail = "Send a valid key as `Authorization: Bearer <key>`.";
    let fault = Fault::new("Authorization", "unauthenticated", "expected a valid API key");
    Problem::new(Code::Unauthenticated, detail).with_faults(vec![fault])
}

macro_rules! from_extension {
    ($($name:ident),*) => {$(
        impl<S: Send + Sync> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
                parts.extensions.get::<Self>().cloned().ok_or_else(unauthenticated)
            }
        }
    )*};
}
from_extension!(Caller, Operator);
