//! One endpoint: what it is owed, what is on its way, what became of it.

use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use hermes_domain::{EndpointId, EventId, UnixMillis};
use hermes_ports::{
    StoreError,
    egress::{Caller, EgressError},
    http::{AuthScheme, HttpRequest, HttpResponse, Method, RequestEffect},
    kill_point,
    outbox::{Delivery, DeliveryStatus, DeliveryUpdate, OutboxEntry},
};
use hermes_supervision::{ActorView, answer, error_chain, unix_millis};
use hermes_telemetry::names::{label, metric};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tracing::warn;

use crate::{retry, signature, webhooks::Ports};

/// Notifications kept in memory; more wait in the outbox.
const WINDOW_MAX: usize = 10_000;
/// Requests on their way to one endpoint.
const IN_FLIGHT_MAX: usize = 64;
/// How long one request may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(15);
/// How often due retries and the outbox are looked at.
const TICK: Duration = Duration::from_millis(250);
/// Longest error text kept.
const ERROR_CHARS_MAX: usize = 200;

/// What an endpoint's actor can be told.
#[derive(Debug)]
pub(crate) enum EndpointMsg {
    /// Something has just become owed.
    Owed(OutboxEntry),
    /// The outbox was read.
    Loaded(Result<Vec<Delivery>, StoreError>),
    /// A try ended.
    Tried(Box<Delivery>, Result<HttpResponse, EgressError>),
    /// Results were recorded, or could not be.
    Recorded(Result<(), StoreError>, Vec<DeliveryUpdate>),
    /// Time to look at retries and the outbox.
    Tick,
    /// Asks for the actor's view.
    Inspect(RpcReplyPort<ActorView>),
}

/// The actor.
#[derive(Debug)]
pub(crate) struct EndpointActor {
    pub(crate) ports: Ports,
    pub(crate) endpoint: EndpointId,
}

/// Its state.
#[derive(Debug)]
pub(crate) struct State {
    waiting: BTreeMap<(UnixMillis, EventId), Delivery>,
    /// Everything that waits or is on its way: an event is never tried twice at once.
    known: HashSet<EventId>,
    in_flight: usize,
    results: Vec<DeliveryUpdate>,
    recording: bool,
    loading: bool,
    /// The outbox may hold more than is in memory.
    more: bool,
    started_at_ms: u64,
}

impl EndpointActor {
    fn take(state: &mut State, delivery: Delivery) {
        if state.known.contains(&delivery.event) {
            return;
        }
        if state.known.len() >= WINDOW_MAX {
            state.more = true;
            return;
        }
        state.known.insert(delivery.event);
        state.waiting.insert((delivery.next_at, delivery.event), delivery);
    }

    /// Reads the outbox when memory may not hold all of it.
    fn load(&self, me: &ActorRef<EndpointMsg>, state: &mut State) {
        if !state.more || state.loading || state.known.len() > WINDOW_MAX / 2 {
            return;
        }
        (state.loading, state.more) = (true, false);
        let (me, outbox, endpoint) = (me.clone(), self.ports.outbox.clone(), self.endpoint);
        tokio::spawn(async move {
            let loaded = outbox.pending(endpoint, WINDOW_MAX).await;
            let _ = me.cast(EndpointMsg::Loaded(loaded)); // A successor reads the outbox itself.
        });
    }

    /// Starts what is due, as many as may be on their way.
    fn pump(&self, me: &ActorRef<EndpointMsg>, state: &mut State) {
        let now = self.ports.clock.now();
        while state.in_flight < IN_FLIGHT_MAX {
            let Some(first) = state.waiting.first_entry() else { return };
            if first.key().0 > now {
                return;
            }
            let delivery = first.remove();
            state.in_flight += 1;
            self.try_once(me, delivery, now);
        }
    }

    fn try_once(&self, me: &ActorRef<EndpointMsg>, delivery: Delivery, now: UnixMillis) {
        let (me, egress, request) = (me.clone(), self.ports.egress.clone(), self.request(&delivery, now));
        tokio::spawn(async move {
            let result = match request {
                Some(request) => {
                    kill_point::pass("webhook.before");
                    let result = egress.perform(Caller::TenantWebhook, request, REQUEST_LIMIT).await;
                    kill_point::pass("webhook.after");
                    result
                }
                None => Err(EgressError::Refused("the endpoint is gone or disabled".to_owned())),
            };
            let _ = me.cast(EndpointMsg::Tried(Box::new(delivery), result)); // It stays pending in the outbox.
        });
    }

    fn request(&self, delivery: &Delivery, now: UnixMillis) -> Option<HttpRequest> {
        let entry = self.ports.endpoints.endpoint(self.endpoint).filter(|entry| !entry.endpoint.disabled)?;
        let (id, timestamp_s) = (delivery.event.to_string(), now.0 / 1_000);
        let signature = signature::sign(entry.secrets.active(now), &id, timestamp_s, &delivery.body);
        let header = |name: &str, value: String| (name.to_owned(), value);
        Some(HttpRequest {
            method: Method::Post,
            url: entry.endpoint.url.clone(),
            headers: vec![
                header("content-type", "application/json".to_owned()),
                header("webhook-id", id),
                header("webhook-timestamp", timestamp_s.to_string()),
                header("webhook-signature", signature),
            ],
            body: Bytes::from(delivery.body.clone()),
            auth: AuthScheme::None,
            effect: RequestEffect::Submits,
        })
    }

    fn tried(&self, state: &mut State, delivery: Delivery, result: &Result<HttpResponse, EgressError>) {
        state.in_flight -= 1;
        state.known.remove(&delivery.event);
        let (now, tries) = (self.ports.clock.now(), delivery.attempts.saturating_add(1));
        let status_code = result.as_ref().ok().map(|answer| answer.status);
        let done = status_code.is_some_and(|status| (200..300).contains(&status));
        let gone = status_code == Some(410);
        if gone {
            self.disable();
        }
        let retry_after = result.as_ref().ok().and_then(|answer| answer.header("retry-after")?.parse().ok());
        let next = (!done && !gone).then(|| retry::next_try(tries, now, retry_after, rand::random())).flatten();
        let (status, counted) = match (done, next) {
            (true, _) => (DeliveryStatus::Delivered, "delivered"),
            (false, Some(_)) => (DeliveryStatus::Pending, "retried"),
            (false, None) => (DeliveryStatus::Failed, "failed"),
        };
        metrics::counter!(metric::WEBHOOKS_TOTAL, label::RESULT => counted).increment(1);
        let last_error = result.as_ref().err().map(|error| error.to_string().chars().take(ERROR_CHARS_MAX).collect());
        let next_at = next.unwrap_or(now);
        state.results.push(DeliveryUpdate {
            endpoint: self.endpoint,
            event: delivery.event,
            status,
            attempts: tries,
            next_at,
            last_status: status_code,
            last_error,
        });
        if status == DeliveryStatus::Pending {
            Self::take(state, Delivery { attempts: tries, next_at, ..delivery });
        }
    }

    /// The receiver said that it is gone for good.
    fn disable(&self) {
        let (directory, endpoint) = (self.ports.endpoints.clone(), self.endpoint);
        tokio::spawn(async move {
            let disabled = directory.update_endpoint(endpoint, None, |endpoint| endpoint.disabled = true).await;
            if let Err(cause) = disabled {
                warn!(endpoint.id = %endpoint, error = error_chain(&cause), "an endpoint answered 410 but could not be disabled");
            }
        });
    }

    /// Records results, one batch at a time.
    fn record(&self, me: &ActorRef<EndpointMsg>, state: &mut State) {
        if state.recording || state.results.is_empty() {
            return;
        }
        state.recording = true;
        let updates = std::mem::take(&mut state.results);
        let (me, outbox) = (me.clone(), self.ports.outbox.clone());
        tokio::spawn(async move {
            let recorded = outbox.record(updates.clone()).await;
            let _ = me.cast(EndpointMsg::Recorded(recorded, updates)); // What was lost is sent again.
        });
    }

    fn view(&self, state: &State) -> ActorView {
        let mut view = ActorView::new(format!("endpoint/{}", self.endpoint), "endpoint", "running");
        view.parent = Some("webhooks".to_owned());
        view.started_at_ms = state.started_at_ms;
        view.detail = serde_json::json!({ "waiting": state.waiting.len(), "in_flight": state.in_flight });
        view
    }
}

fn delivery(entry: OutboxEntry) -> Delivery {
    Delivery {
        endpoint: entry.endpoint,
        event: entry.event,
        message: entry.message,
        event_type: entry.event_type.to_owned(),
        body: entry.body,
        created_at: entry.created_at,
        status: DeliveryStatus::Pending,
        attempts: 0,
        next_at: entry.created_at,
        last_status: None,
        last_error: None,
    }
}

impl Actor for EndpointActor {
    type Msg = EndpointMsg;
    type State = State;
    type Arguments = ();

    async fn pre_start(&self, me: ActorRef<EndpointMsg>, (): ()) -> Result<State, ActorProcessingErr> {
        me.send_interval(TICK, || EndpointMsg::Tick);
        Ok(State {
            waiting: BTreeMap::new(),
            known: HashSet::new(),
            in_flight: 0,
            results: Vec::new(),
            recording: false,
            loading: false,
            more: true,
            started_at_ms: unix_millis(SystemTime::now()),
        })
    }

    async fn post_start(&self, me: ActorRef<EndpointMsg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        self.load(&me, state);
        Ok(())
    }

    async fn handle(
        &self,
        me: ActorRef<EndpointMsg>,
        message: EndpointMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            EndpointMsg::Owed(entry) => Self::take(state, delivery(entry)),
            EndpointMsg::Tried(delivery, result) => self.tried(state, *delivery, &result),
            EndpointMsg::Tick => self.load(&me, state),
            EndpointMsg::Inspect(reply) => answer(reply, self.view(state)),
            EndpointMsg::Loaded(loaded) => {
                state.loading = false;
                match loaded {
                    Ok(deliveries) => {
                        state.more |= deliveries.len() >= WINDOW_MAX;
                        // Results that are not recorded yet must not be tried again.
                        let settled: HashSet<EventId> = state.results.iter().map(|update| update.event).collect();
                        let fresh = deliveries.into_iter().filter(|delivery| !settled.contains(&delivery.event));
                        fresh.for_each(|delivery| Self::take(state, delivery));
                    }
                    Err(_) => state.more = true,
                }
            }
            EndpointMsg::Recorded(recorded, updates) => {
                state.recording = false;
                if let Err(cause) = recorded {
                    warn!(endpoint.id = %self.endpoint, error = error_chain(&cause), "webhook results could not be recorded, trying again");
                    state.results.splice(0..0, updates);
                    return Ok(()); // The next tick records them.
                }
            }
        }
        self.pump(&me, state);
        self.record(&me, state);
        Ok(())
    }
}
