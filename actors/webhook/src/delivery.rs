//! One try of one notification: sign, send, read the answer, record it.

use std::sync::Arc;

use hermes_domain::{EndpointId, EventId, UnixMillis, tenant::DisableReason};
use hermes_ports::{
    egress::Caller,
    http::{AuthScheme, HttpRequest, HttpResponse, Method, RequestEffect},
    kill_point,
    outbox::{DeliveryStatus, DeliveryUpdate},
};

use crate::{
    disabling::disable,
    endpoint_actor::EndpointMsg,
    item::Item,
    retry::{self, Verdict},
    seat::Seat,
    shared::Shared,
    signature::{DamagedSecret, signatures},
    source::Target,
};

/// A try that the ledger knows as open. However its task ends, the ledger is closed.
struct Try {
    seat: Arc<Seat>,
    event: EventId,
    answered: bool,
    durable: bool,
}

impl Try {
    fn answered(&mut self) {
        self.answered = true;
        self.seat.ledger().answered();
    }
}

impl Drop for Try {
    fn drop(&mut self) {
        let mut ledger = self.seat.ledger();
        if !self.answered {
            ledger.answered();
        }
        if self.durable { ledger.record(self.event) } else { ledger.abandon(self.event) }
    }
}

/// Makes a try that has just been opened in the ledger.
pub(crate) async fn deliver(shared: Arc<Shared>, seat: Arc<Seat>, target: Target, item: Item) {
    let mut open = Try { seat: Arc::clone(&seat), event: item.event, answered: false, durable: false };
    let (verdict, status) = post(&shared, &target, &item).await;
    let now = shared.ports.clock.now();
    open.answered();
    seat.tell(EndpointMsg::Answered { rest_until: retry::rest_until(&verdict, now) });
    if let Some((reason, failing_since)) = disables(&shared, &seat, &verdict, now) {
        disable(&shared, &seat, reason, failing_since).await;
    }
    let update = update(&shared, seat.id, &item, &verdict, status, now);
    let retry = (update.status == DeliveryStatus::Pending).then(|| Item {
        attempts: update.attempts,
        next_at: update.next_at,
        ..item.clone()
    });
    let durable = shared.recorder.record(update).await;
    open.durable = durable;
    drop(open);
    seat.tell(EndpointMsg::Recorded { retry: retry.filter(|_| durable), durable });
}

/// Whether this verdict ends what the endpoint may get, why, and since when it has been failing.
fn disables(
    shared: &Shared,
    seat: &Seat,
    verdict: &Verdict,
    now: UnixMillis,
) -> Option<(DisableReason, UnixMillis)> {
    let mut health = seat.health();
    match verdict {
        Verdict::Delivered => {
            health.worked();
            None
        }
        Verdict::Gone => Some((DisableReason::Gone, health.failed(now).since)),
        Verdict::Failed { .. } => {
            let streak = health.failed(now);
            let limit_ms = retry::millis(shared.options.disable_after);
            streak.lasts(limit_ms, now).then_some((DisableReason::Failing, streak.since))
        }
    }
}

async fn post(shared: &Shared, target: &Target, item: &Item) -> (Verdict, Option<u16>) {
    let Ok(request) = request(target, item, shared.ports.clock.now()) else {
        let error = DamagedSecret.to_string();
        return (Verdict::Failed { retry_after: None, overloaded: false, error }, None);
    };
    kill_point::pass("webhook.before");
    let limit = shared.options.post_limit;
    let answer = shared.ports.egress.perform(Caller::TenantWebhook, request, limit).await;
    kill_point::pass("webhook.after");
    let status = answer.as_ref().ok().map(|response: &HttpResponse| response.status);
    (retry::judge(&answer, shared.ports.clock.now()), status)
}

fn request(target: &Target, item: &Item, now: UnixMillis) -> Result<HttpRequest, DamagedSecret> {
    let (id, timestamp_s) = (item.event.to_string(), now.0 / 1_000);
    let signature = signatures(&target.secrets, &id, timestamp_s, &item.body)?;
    let header = |name: &str, value: String| (name.to_owned(), value);
    Ok(HttpRequest {
        method: Method::Post,
        url: target.url.clone(),
        headers: vec![
            header("content-type", "application/json".to_owned()),
            header("webhook-id", id),
            header("webhook-timestamp", timestamp_s.to_string()),
            header("webhook-signature", signature),
        ],
        body: item.body.clone(),
        auth: AuthScheme::None,
        effect: RequestEffect::Safe,
    })
}

fn update(
    shared: &Shared,
    endpoint: EndpointId,
    item: &Item,
    verdict: &Verdict,
    last_status: Option<u16>,
    now: UnixMillis,
) -> DeliveryUpdate {
    let attempts = item.attempts.saturating_add(1);
    let (status, next_at, last_error, result) = match verdict {
        Verdict::Delivered => (DeliveryStatus::Delivered, now, None, &shared.results.delivered),
        Verdict::Gone => (DeliveryStatus::Failed, now, Some("status 410".to_owned()), &shared.results.gone),
        Verdict::Failed { retry_after, error, .. } => {
            let delays = &shared.options.retry_delays;
            match retry::next_at(delays, attempts, *retry_after, now, rand::random()) {
                Some(at) => (DeliveryStatus::Pending, at, Some(error.clone()), &shared.results.retrying),
                None => (DeliveryStatus::Failed, now, Some(error.clone()), &shared.results.failed),
            }
        }
    };
    result.increment(1);
    DeliveryUpdate {
        endpoint,
        event: item.event,
        at: now,
        status,
        attempts,
        next_at,
        last_status,
        last_error,
    }
}
