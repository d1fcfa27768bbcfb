//! Notifications about the service of tenants, and what they say.

use std::sync::Arc;

use hermes_domain::tenant::Endpoint;
use hermes_ports::{
    operational_events::{Announcement, OperationalEvent},
    outbox::OutboxEntry,
};
use serde_json::{Value, json};

/// Notifications of an announcement, one for each of `endpoints` that wants it. An endpoint that the event is about
/// is left out.
pub fn operational_entries(endpoints: &[Arc<Endpoint>], announcement: &Announcement) -> Vec<OutboxEntry> {
    let event_type = announcement.event.kind().as_str();
    let wanting = endpoints
        .iter()
        .filter(|endpoint| endpoint.wants(event_type, true) && !is_about(&announcement.event, endpoint));
    wanting
        .map(|endpoint| OutboxEntry {
            endpoint: endpoint.id,
            event: announcement.id,
            message: None,
            event_type,
            body: body(announcement, endpoint),
            created_at: announcement.at,
        })
        .collect()
}

fn is_about(event: &OperationalEvent, endpoint: &Endpoint) -> bool {
    match event {
        OperationalEvent::WebhookDisabled { endpoint: disabled, .. } => *disabled == endpoint.id,
        OperationalEvent::QuotaThresholdReached { .. } => false,
        OperationalEvent::ProviderDegraded { .. } | OperationalEvent::ProviderRecovered { .. } => false,
    }
}

fn body(announcement: &Announcement, endpoint: &Endpoint) -> String {
    let mut data = data(&announcement.event);
    data["mode"] = endpoint.mode.as_str().into();
    let (kind, timestamp) = (announcement.event.kind().as_str(), announcement.at.rfc3339());
    json!({ "type": kind, "timestamp": timestamp, "data": data }).to_string()
}

fn data(event: &OperationalEvent) -> Value {
    match event {
        OperationalEvent::WebhookDisabled { endpoint, reason, failing_since } => json!({
            "webhook_id": endpoint.to_string(),
            "reason": reason.as_str(),
            "failing_since": failing_since.rfc3339(),
        }),
        OperationalEvent::QuotaThresholdReached {
            quota,
            threshold_percent,
            used,
            limit,
            unit,
            resets_at,
        } => json!({
            "quota": quota,
            "threshold_percent": threshold_percent,
            "used": used,
            "limit": limit,
            "unit": unit,
            "resets_at": resets_at.map(hermes_domain::UnixMillis::rfc3339),
        }),
        OperationalEvent::ProviderDegraded { provider, channel } => json!({
            "provider": provider,
            "channel": channel.as_str(),
        }),
        OperationalEvent::ProviderRecovered { provider, channel, degraded_since } => json!({
            "provider": provider,
            "channel": channel.as_str(),
            "degraded_since": degraded_since.rfc3339(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hermes_domain::{
        EndpointId, EventId, TenantId, UnixMillis, address::Channel, message::Mode, tenant::DisableReason,
    };
    use hermes_ports::operational_events::Audience;

    const NOW: UnixMillis = UnixMillis(1_767_323_045_678);

    fn endpoint(number: u128, event_types: &[&str]) -> Endpoint {
        Endpoint {
            id: EndpointId::from_u128(number),
            tenant: TenantId::from_u128(1),
            mode: Mode::Test,
            url: "https://tenant.test/hook".into(),
            event_types: event_types.iter().map(|name| (*name).to_owned()).collect(),
            description: None,
            disabled: false,
            disabled_reason: None,
            created_at: NOW,
        }
    }

    fn told(endpoints: Vec<Endpoint>, event: OperationalEvent) -> Vec<OutboxEntry> {
        let endpoints: Vec<_> = endpoints.into_iter().map(Arc::new).collect();
        let audience = Audience::Tenant(TenantId::from_u128(1), Mode::Test);
        operational_entries(&endpoints, &Announcement { id: EventId::new(NOW, 9), at: NOW, event, audience })
    }

    #[test]
    fn those_that_want_it_are_told_but_not_the_one_that_it_is_about() {
        let off = Endpoint { disabled: true, ..endpoint(4, &[]) };
        let endpoints =
            vec![endpoint(1, &[]), endpoint(2, &["webhook.disabled"]), endpoint(3, &["message.failed"]), off];
        let event = OperationalEvent::WebhookDisabled {
            endpoint: EndpointId::from_u128(1),
            reason: DisableReason::Failing,
            failing_since: NOW,
        };
        let told = told(endpoints, event);
        let ids: Vec<_> = told.iter().map(|entry| entry.endpoint).collect();
        assert_eq!(ids, [EndpointId::from_u128(2)]);
        assert_eq!((told[0].event, told[0].message), (EventId::new(NOW, 9), None));
        let body: Value = serde_json::from_str(&told[0].body).unwrap();
        let id = EndpointId::from_u128(1).to_string();
        let data = json!({
            "webhook_id": id, "reason": "failing", "failing_since": NOW.rfc3339(), "mode": "test",
        });
        let whole = json!({ "type": "webhook.disabled", "timestamp": NOW.rfc3339(), "data": data });
        assert_eq!(body, whole);
    }

    #[test]
    fn providers_and_quotas_say_what_they_are_about() {
        let all = || vec![endpoint(1, &[])];
        let data = |event| -> Value {
            let body: Value = serde_json::from_str(&told(all(), event)[0].body).unwrap();
            body["data"].clone()
        };
        let recovered = OperationalEvent::ProviderRecovered {
            provider: "main".into(),
            channel: Channel::Sms,
            degraded_since: NOW,
        };
        let expected = json!({
            "provider": "main", "channel": "sms", "degraded_since": NOW.rfc3339(), "mode": "test",
        });
        assert_eq!(data(recovered), expected);
        let quota = OperationalEvent::QuotaThresholdReached {
            quota: "messages_per_month".into(),
            threshold_percent: 80,
            used: "800".into(),
            limit: "1000".into(),
            unit: "messages".into(),
            resets_at: None,
        };
        assert_eq!(data(quota)["threshold_percent"], 80);
    }
}
