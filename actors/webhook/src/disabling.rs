//! Disabling an endpoint that is gone or has been failing for days, and telling the tenant's other ones.

use std::time::Duration;

use hermes_domain::{EventId, UnixMillis, tenant::DisableReason};
use hermes_ports::operational_events::{Announcement, Audience, OperationalEvent};
use hermes_telemetry::names::{label::REASON, metric::WEBHOOKS_DISABLED_TOTAL};
use metrics::counter;

use crate::{announcing::announce, seat::Seat, shared::Shared};

/// Tries of each of the two writes, and the pause between them.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// Disables an endpoint, once for all tries that find it so at the same time.
///
/// The tenant is told first: a crash in between tells it again after the next failure, and loses nothing.
pub(crate) async fn disable(shared: &Shared, seat: &Seat, reason: DisableReason, failing_since: UnixMillis) {
    let _turn = seat.disabling.lock().await;
    let now = shared.ports.clock.now();
    let Some(target) = shared.ports.endpoints.target(seat.id, now).filter(|target| !target.disabled) else {
        return;
    };
    let announcement = Announcement {
        id: EventId::new(now, rand::random()),
        at: now,
        event: OperationalEvent::WebhookDisabled { endpoint: seat.id, reason, failing_since },
        audience: Audience::Tenant(target.tenant, target.mode),
    };
    if !persist(seat, || announce(shared, announcement.clone())).await {
        return;
    }
    if persist(seat, || shared.ports.endpoints.disable(seat.id, reason)).await {
        counter!(WEBHOOKS_DISABLED_TOTAL, REASON => reason.as_str()).increment(1);
        tracing::warn!(
            tenant.id = %target.tenant,
            endpoint.id = %seat.id,
            reason = reason.as_str(),
            failing_since = failing_since.rfc3339(),
            "webhook endpoint disabled"
        );
    }
}

/// Tries a write a few times. The next failure of the endpoint begins anew.
async fn persist<T, E: std::error::Error + 'static, F: Future<Output = Result<T, E>>>(
    seat: &Seat,
    write: impl Fn() -> F,
) -> bool {
    for _ in 0..TRIES {
        match write().await {
            Ok(_) => return true,
            Err(error) => {
                tracing::warn!(endpoint.id = %seat.id, error = &error as &dyn std::error::Error, "could not disable an endpoint");
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    false
}
