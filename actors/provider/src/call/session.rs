//! What a conversation works with: the adapter's host, the egress, and the time left.

use std::{sync::Arc, time::Duration};

use hermes_domain::{UnixMillis, cascade::AdapterVersion};
use hermes_ports::{
    adapter::{AdapterFault, AdapterHost, ConnectionAccess, Descriptor},
    egress::{Caller, EgressError},
    http::{HttpRequest, HttpResponse, RequestEffect},
};
use tokio::time::{Instant, timeout_at};

use crate::{line::Line, shared::Shared};

const UNAUTHORIZED: u16 = 401;
/// The egress keeps the limit itself and knows better what happened; this is the net below it.
const GRACE: Duration = Duration::from_millis(50);

/// One conversation, limited in time as a whole.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) shared: Arc<Shared>,
    pub(crate) line: Arc<Line>,
    access: Arc<ConnectionAccess>,
    descriptor: Arc<Descriptor>,
    version: Option<AdapterVersion>,
    deadline: Instant,
    /// A submitting request must be started by then.
    start_by: UnixMillis,
}

/// Why a request has no response.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// It was too late to start it, or the process is going down.
    Late,
    /// It was under way when the process had to go down.
    Aborted,
    /// The egress has none.
    Egress(EgressError),
}

impl Session {
    /// Begins a conversation of at most `limit`.
    ///
    /// # Errors
    /// `Missing` when the adapter is not loaded.
    pub(crate) fn open(
        shared: &Arc<Shared>,
        line: &Arc<Line>,
        limit: Duration,
    ) -> Result<Self, AdapterFault> {
        let descriptor = shared.ports.host.descriptor(&line.provider);
        Ok(Self {
            descriptor: descriptor.ok_or_else(|| AdapterFault::Missing(line.provider.clone()))?,
            version: shared.version(line),
            access: line.access(),
            shared: Arc::clone(shared),
            line: Arc::clone(line),
            deadline: Instant::now() + limit,
            start_by: UnixMillis(u64::MAX),
        })
    }

    /// Forbids submitting requests from `not_after` on.
    pub(crate) const fn start_by(mut self, not_after: UnixMillis) -> Self {
        self.start_by = not_after;
        self
    }

    /// Whether the provider has a suppression list.
    pub(crate) fn has_list(&self) -> bool {
        self.descriptor.suppression_list.is_some()
    }

    /// Runs the guest where this connection's guests run.
    ///
    /// # Errors
    /// The guest's fault.
    pub(crate) async fn guest<T: Send + 'static>(
        &self,
        call: impl FnOnce(&dyn AdapterHost, &ConnectionAccess) -> Result<T, AdapterFault> + Send + 'static,
    ) -> Result<T, AdapterFault> {
        let (host, access) = (Arc::clone(&self.shared.ports.host), Arc::clone(&self.access));
        let patience = self.deadline.saturating_duration_since(Instant::now());
        self.line.guests.run(self.version, patience, move || call(&*host, &access)).await
    }

    /// Sends a request of the adapter.
    ///
    /// # Errors
    /// Why there is no response; only the error tells whether anything was sent.
    pub(crate) async fn perform(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let submits = request.effect == RequestEffect::Submits;
        if submits && self.shared.ports.clock.now() >= self.start_by {
            return Err(NoAnswer::Late);
        }
        let limit = self.deadline.saturating_duration_since(Instant::now());
        if limit.is_zero() || self.shared.abort.is_cancelled() {
            return Err(NoAnswer::Late);
        }
        let caller = Caller::Adapter { access: &self.access, hosts: &self.descriptor.hosts };
        let sending = self.shared.ports.egress.perform(caller, request, limit);
        let answer = tokio::select! {
            biased;
            () = self.shared.abort.cancelled() => return Err(NoAnswer::Aborted),
            answer = timeout_at(self.deadline + GRACE, sending) => answer,
        };
        let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        let response = answer.unwrap_or(Err(EgressError::Timeout { limit_ms })).map_err(NoAnswer::Egress)?;
        if response.status == UNAUTHORIZED {
            self.shared.ports.egress.forget(self.line.id);
        }
        Ok(response)
    }
}
