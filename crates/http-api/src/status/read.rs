//! `GET /v1/status`.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use hermes_domain::{address::Channel, breaker::BreakerState, connection::Connection, message::Lane};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{api::Api, body, gate::Caller, messages::cascade::TIMEOUT_S_MAX, problem::Problem, reply};

/// What the service can do for the tenant now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Status {
    /// `live` or `test`, by the key.
    mode: &'static str,
    /// Whether sends are refused because the tenant is suspended.
    suspended: bool,
    /// Every channel.
    channels: Vec<ChannelStatus>,
    /// Priority classes.
    lanes: Vec<&'static str>,
    /// Limits of requests.
    limits: Limits,
}

/// A channel.
#[derive(Debug, Serialize, ToSchema)]
struct ChannelStatus {
    /// Its name.
    channel: &'static str,
    /// Whether at least one provider can take messages.
    available: bool,
    /// Its connections, in the order in which they are tried.
    providers: Vec<ProviderStatus>,
}

/// A connection.
#[derive(Debug, Serialize, ToSchema)]
struct ProviderStatus {
    /// Its name in cascades.
    name: String,
    /// Its provider.
    provider: String,
    /// `available`, `recovering`, `throttled`, `unavailable` or `held`.
    state: &'static str,
}

/// Limits.
#[derive(Debug, Serialize, ToSchema)]
struct Limits {
    /// Requests a second in the long run.
    requests_per_s: u64,
    /// Requests at once.
    burst: u64,
    /// Largest body without attachments.
    body_bytes: usize,
    /// Largest body with attachments.
    body_with_attachments_bytes: usize,
    /// Longest time a step may be given.
    timeout_s: u32,
}

pub(super) async fn read(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, Problem> {
    let connections: Vec<Connection> =
        api.directory().read(|snapshot| snapshot.serving(caller.tenant.id, caller.mode).cloned().collect());
    let mut channels = Vec::with_capacity(Channel::ALL.len());
    for channel in Channel::ALL {
        let mut providers = Vec::new();
        for connection in connections.iter().filter(|connection| connection.channel == channel) {
            let state = state(&api, connection).await;
            let (name, provider) = (connection.name.clone(), connection.provider.clone());
            providers.push(ProviderStatus { name, provider, state });
        }
        let usable = |provider: &ProviderStatus| !matches!(provider.state, "held" | "unavailable");
        let available = providers.iter().any(usable);
        channels.push(ChannelStatus { channel: channel.as_str(), available, providers });
    }
    let (requests_per_s, burst) = api.rates.quota();
    Ok(reply::ok(&Status {
        mode: caller.mode.as_str(),
        suspended: caller.tenant.suspended,
        channels,
        lanes: Lane::ALL.into_iter().map(Lane::as_str).collect(),
        limits: Limits {
            requests_per_s,
            burst,
            body_bytes: body::ORDINARY_MAX,
            body_with_attachments_bytes: body::ATTACHMENTS_MAX,
            timeout_s: TIMEOUT_S_MAX,
        },
    }))
}

async fn state(api: &Api, connection: &Connection) -> &'static str {
    if connection.held {
        return "held";
    }
    let Some(health) = api.ports.gateway.health(connection.id).await else { return "available" };
    let throttled = health.throttled_until.is_some_and(|until| api.now() < until);
    match health.breaker {
        _ if health.held => "held",
        BreakerState::Open => "unavailable",
        BreakerState::HalfOpen => "recovering",
        BreakerState::Closed if throttled => "throttled",
        BreakerState::Closed => "available",
    }
}
