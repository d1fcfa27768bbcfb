//! An endpoint: how it is read from requests, found, and shown.

use std::net::IpAddr;

use hermes_directory::EndpointEntry;
use hermes_domain::{
    event::{EventKind, OperationalKind},
    tenant::{DisableReason, Endpoint},
};
use hermes_ports::egress::is_webhook_port;
use serde::Serialize;
use serde_json::Value;
use url::{Host, Url};
use utoipa::ToSchema;

use crate::{
    api::Api,
    gate::Caller,
    problem::Problem,
    schema::{Faults, Object, list, text, web_url},
};

const EVENT_TYPES_MAX: usize = 50;

/// Every event type that an endpoint may ask for.
pub(super) fn event_type_names() -> Vec<&'static str> {
    let of_messages = EventKind::ALL.into_iter().filter(|kind| kind.webhook_allowed()).map(EventKind::as_str);
    of_messages.chain(OperationalKind::ALL.map(OperationalKind::as_str)).collect()
}

/// An endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(super) struct EndpointView {
    /// Its id.
    id: String,
    /// `live` or `test`.
    mode: &'static str,
    /// Where notifications go.
    url: String,
    /// Which ones; empty: the ends of messages, late receipts and operational events.
    event_types: Vec<String>,
    /// For people.
    description: Option<String>,
    /// Nothing is sent while true.
    disabled: bool,
    /// Why: `requested`, `gone` (it answered 410) or `failing` (no 2xx for five days); null while it is enabled.
    disabled_reason: Option<&'static str>,
    /// When it was made.
    created_at: String,
}

/// An endpoint with its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookWithSecret)]
pub(super) struct EndpointCreated {
    /// The endpoint.
    #[serde(flatten)]
    endpoint: EndpointView,
    /// `whsec_…`, shown only now; repetitions of this reply do not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl EndpointView {
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        Self {
            id: endpoint.id.to_string(),
            mode: endpoint.mode.as_str(),
            url: endpoint.url.clone(),
            event_types: endpoint.event_types.clone(),
            description: endpoint.description.clone(),
            disabled: endpoint.disabled,
            disabled_reason: endpoint.disabled_reason.map(DisableReason::as_str),
            created_at: endpoint.created_at.rfc3339(),
        }
    }
}

impl EndpointCreated {
    pub(super) fn of(endpoint: &Endpoint, secret: String) -> Self {
        Self { endpoint: EndpointView::of(endpoint), secret: Some(secret) }
    }
}

/// An endpoint by the id in a path, if it is the caller's.
pub(super) fn find(api: &Api, caller: &Caller, id: &str) -> Result<EndpointEntry, Problem> {
    let id = id.parse().map_err(|_| Problem::not_found())?;
    api.directory().endpoint(caller.scope(), id).ok_or_else(Problem::not_found)
}

/// Reads an address that may be called.
pub(super) fn address(private: bool) -> impl Fn(Value, &mut Faults) -> Option<String> {
    move |value, faults| {
        let url = web_url(private)(value, faults)?;
        if !private && is_private(&url) {
            return faults.note("address_forbidden", "expected a public address");
        }
        let port = Url::parse(&url).ok().and_then(|url| url.port_or_known_default());
        if !port.is_some_and(is_webhook_port) {
            return faults.note("port_forbidden", "expected port 443 or another one that serves HTTP");
        }
        Some(url)
    }
}

/// Whether a URL names this machine or a private network outright. What names resolve to is looked at
/// when a notification is sent.
fn is_private(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return true };
    let address: IpAddr = match url.host() {
        Some(Host::Domain(name)) => return name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4),
        None => return true,
    };
    match address {
        IpAddr::V4(address) => {
            let shared = address.octets()[0] == 100 && (64..128).contains(&address.octets()[1]);
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
                || address.is_broadcast()
                || shared
        }
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
        }
    }
}

/// Reads `event_types`.
pub(super) fn event_types(object: &mut Object, faults: &mut Faults) -> Option<Vec<String>> {
    object.optional(
        "event_types",
        faults,
        list(0..=EVENT_TYPES_MAX, |value, faults| {
            let name = text(1..=100)(value, faults)?;
            if event_type_names().contains(&name.as_str()) {
                Some(name)
            } else {
                faults.note("choice", "there is no such event type")
            }
        }),
    )
}

/// Reads `description`.
pub(super) fn description(object: &mut Object, faults: &mut Faults) -> Option<String> {
    object.optional("description", faults, text(1..=500))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_and_of_private_networks_are_known() {
        for private in [
            "https://localhost/x",
            "https://a.localhost/x",
            "https://127.0.0.1/x",
            "https://2130706433/x",
            "https://10.1.2.3/x",
            "https://169.254.169.254/x",
            "https://100.64.0.1/x",
            "https://[::1]/x",
            "https://[::ffff:127.0.0.1]/x",
            "https://[fd00::1]/x",
        ] {
            assert!(is_private(private), "{private}");
        }
        for public in ["https://example.com/x", "https://93.184.216.34/x", "https://[2606:2800::1]/x"] {
            assert!(!is_private(public), "{public}");
        }
    }
}
