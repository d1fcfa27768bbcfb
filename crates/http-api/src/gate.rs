//! Who may pass: authentication by path, scopes, and the tenant's rate.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Request},
    middleware::Next,
    response::{IntoResponse, Response},
};
use hermes_directory::Principal;
use hermes_domain::{
    TenantId,
    message::Mode,
    tenant::{KeyOwner, Tenant},
};
use http::{HeaderMap, Method, header, request::Parts};

use crate::{
    api::Api,
    problem::{Code, Fault, Problem},
    rate::{self, RateState},
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
    pub(crate) fn scope(&self) -> (TenantId, Mode) {
        (self.tenant.id, self.mode)
    }

    pub(crate) fn owns(&self, tenant: TenantId, mode: Mode) -> bool {
        self.scope() == (tenant, mode)
    }
}

/// An operator's request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operator;

/// Lets a request through, or not, by its path: `/v1` is for tenants, `/admin/v1` for operators.
pub(crate) async fn pass(api: &Arc<Api>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path.starts_with("/v1/") && !path.starts_with("/v1/ack/") {
        let caller = match tenant(api, &request) {
            Ok(caller) => caller,
            Err(problem) => return problem.into_response(),
        };
        let rate = api.rates.admit(caller.tenant.id, api.now());
        if let Some(refused) = limited(&rate) {
            return refused;
        }
        request.extensions_mut().insert(caller);
        return announce(next.run(request).await, &rate);
    }
    if path.starts_with("/admin/v1/") {
        if let Err(problem) = operator(api, &request) {
            return problem.into_response();
        }
        request.extensions_mut().insert(Operator);
    }
    next.run(request).await
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

fn tenant(api: &Api, request: &Request) -> Result<Caller, Problem> {
    let principal = authenticate(api, request.headers())?;
    let KeyOwner::Tenant(tenant, mode) = principal.owner() else {
        return Err(Problem::new(Code::Forbidden, "Operator keys work under /admin/v1 only."));
    };
    check_scope(&principal, request)?;
    let tenant = api.directory().tenant(tenant).ok_or_else(unauthenticated)?;
    Ok(Caller { tenant, mode })
}

fn operator(api: &Api, request: &Request) -> Result<(), Problem> {
    match authenticate(api, request.headers())?.owner() {
        KeyOwner::Operator => Ok(()),
        KeyOwner::Tenant(..) => Err(Problem::new(Code::Forbidden, "This needs an operator key.")),
    }
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

/// A key with scopes needs `<resource>:read` to read, `<resource>:write` for everything else; batches
/// are messages, and everyone may read the status.
fn check_scope(principal: &Principal, request: &Request) -> Result<(), Problem> {
    if principal.key.scopes.is_empty() {
        return Ok(());
    }
    let resource = match request.uri().path().split('/').nth(2).unwrap_or_default() {
        "batches" => "messages",
        "status" => return Ok(()),
        resource => resource,
    };
    let (read, write) = (format!("{resource}:read"), format!("{resource}:write"));
    let reading = request.method() == Method::GET;
    if principal.may(&write) || (reading && principal.may(&read)) {
        return Ok(());
    }
    let wanted = if reading { read } else { write };
    Err(Problem::new(Code::Forbidden, format!("The key needs the scope {wanted}.")))
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
