//! What the handle, the actors and the tries share.

use std::{fmt, sync::Arc};

use dashmap::DashMap;
use hermes_domain::EndpointId;
use hermes_supervision::{Address, MailboxKind};
use hermes_telemetry::names::{label::RESULT, metric::WEBHOOKS_TOTAL};
use metrics::{Counter, counter};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::{
    endpoint_actor::EndpointMsg,
    options::Options,
    recorder::{Batching, Recorder},
    seat::Seat,
    supervisor::WebhooksMsg,
    webhooks::Ports,
};

/// Readings of the outbox at one time, over all endpoints.
const READINGS_MAX: usize = 4;

type Work = futures::future::BoxFuture<'static, ()>;

/// Everything behind the handle.
pub(crate) struct Shared {
    pub(crate) ports: Ports,
    pub(crate) options: Options,
    pub(crate) supervisor: Address<WebhooksMsg>,
    pub(crate) mailboxes: MailboxKind,
    pub(crate) recorder: Recorder,
    pub(crate) readings: Arc<Semaphore>,
    pub(crate) tasks: TaskTracker,
    pub(crate) results: Results,
    seats: DashMap<EndpointId, Arc<Seat>>,
    /// The recorder's work until somebody runs it.
    recording: Mutex<Option<Work>>,
}

/// Deliveries by result.
pub(crate) struct Results {
    pub(crate) delivered: Counter,
    pub(crate) retrying: Counter,
    pub(crate) failed: Counter,
    pub(crate) gone: Counter,
}

impl Shared {
    pub(crate) fn new(ports: Ports, options: Options) -> Self {
        let batching = Batching { max: options.batch_max, wait: options.batch_wait };
        let (recorder, work) = Recorder::new(Arc::clone(&ports.outbox), batching);
        let result = |result| counter!(WEBHOOKS_TOTAL, RESULT => result);
        Self {
            ports,
            options,
            supervisor: Address::vacant(),
            mailboxes: MailboxKind::new("endpoint"),
            recorder,
            readings: Arc::new(Semaphore::new(READINGS_MAX)),
            tasks: TaskTracker::new(),
            results: Results {
                delivered: result("delivered"),
                retrying: result("retrying"),
                failed: result("failed"),
                gone: result("gone"),
            },
            seats: DashMap::new(),
            recording: Mutex::new(Some(Box::pin(work))),
        }
    }

    /// Runs the recorder, once; it lives as long as the process.
    pub(crate) fn start_recording(&self) {
        if let Some(work) = self.recording.lock().take() {
            tokio::spawn(work);
        }
    }

    /// The seat of an endpoint that has had an actor.
    pub(crate) fn seat(&self, id: EndpointId) -> Option<Arc<Seat>> {
        self.seats.get(&id).map(|seat| Arc::clone(&seat))
    }

    /// The seat of an endpoint, made when there is none.
    pub(crate) fn take_seat(&self, id: EndpointId) -> Arc<Seat> {
        let make = || Arc::new(Seat::new(id, self.options.window_max));
        Arc::clone(&self.seats.entry(id).or_insert_with(make))
    }

    /// Has an endpoint's actor read the outbox, which holds something that was not announced.
    pub(crate) fn look(&self, id: EndpointId) {
        match self.seat(id) {
            Some(seat) => seat.tell(EndpointMsg::Sweep),
            None => {
                let _ = self.supervisor.cast(WebhooksMsg::Ensure(id)); // It reads when it starts.
            }
        }
    }

    /// Forgets an endpoint. Tries under way go on.
    pub(crate) fn close_seat(&self, id: EndpointId) {
        self.seats.remove(&id);
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("seats", &self.seats.len()).finish_non_exhaustive()
    }
}
