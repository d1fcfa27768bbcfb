//! The handle through which cascades and webhooks reach providers.

mod acquire;
mod dispatch;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use hermes_domain::{AttemptRef, ConnectionId, outcome::Outcome};
use hermes_ports::{
    CascadeInbox, Clock, Egress, OperationalEvents, ProviderGateway, ReceiptInbox,
    adapter::{AdapterHost, ListOperation, LookupQuery, ReceiveResult},
    http::Webhook,
    provider_gateway::{
        ConnectionHealth, Dispatch, ListReply, Permit, PermitAnswer, PermitRequest, ReceiveError,
    },
};
use hermes_supervision::{
    ActorView, Address, AskError, ChildSpec, MailboxKind, static_supervisor::RestartPolicy,
};

use crate::{
    call::{self, Session},
    meters,
    options::Options,
    orphans::WatchedReceipts,
    shared::Shared,
    source::ConnectionSource,
    supervisor::{ProvidersMsg, ProvidersSupervisor},
};

/// How long the supervisor may take to answer an operator.
const ASK_LIMIT: Duration = Duration::from_secs(2);

/// What provider connections need from the outside.
#[derive(Clone)]
pub struct Ports {
    /// Runs adapters.
    pub host: Arc<dyn AdapterHost>,
    /// Sends their requests.
    pub egress: Arc<dyn Egress>,
    /// Where receipts are parked.
    pub receipts: Arc<dyn ReceiptInbox>,
    /// Hears when a connection is degraded, and when it has recovered.
    pub events: Arc<dyn OperationalEvents>,
    /// Where connections come from.
    pub connections: Arc<dyn ConnectionSource>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// Reaches every connection. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gateway {
    shared: Arc<Shared>,
}

impl Gateway {
    /// A gateway without an inbox and without actors: [`Self::bind`] and [`Self::supervisor`] come next.
    pub fn new(ports: Ports, options: Options) -> Self {
        Self { shared: Arc::new(Shared::new(ports, options)) }
    }

    /// Names the inbox that outcomes go to. It is late because the inbox's actors hold this gateway.
    /// Only the first call has an effect; it must come before the first dispatch.
    pub fn bind(&self, inbox: Arc<dyn CascadeInbox>) {
        let _ = self.shared.inbox.set(inbox);
    }

    /// How to start the supervisor of all connections, for the root.
    pub fn supervisor(&self) -> ChildSpec {
        let shared = Arc::clone(&self.shared);
        let make = move || (ProvidersSupervisor, Arc::clone(&shared));
        ChildSpec::new("providers", RestartPolicy::Always, self.address(), make)
    }

    /// Where the supervisor lives.
    pub fn address(&self) -> Address<ProvidersMsg> {
        self.shared.supervisor.clone()
    }

    /// The receipt inbox that everybody who parks receipts must use: it lets outcomes know of them.
    pub fn receipts(&self) -> Arc<dyn ReceiptInbox> {
        let (inner, index) = (Arc::clone(&self.shared.ports.receipts), Arc::clone(&self.shared.orphans));
        Arc::new(WatchedReceipts::new(inner, index))
    }

    /// Views of the supervisor and of every connection's actor.
    ///
    /// # Errors
    /// When the supervisor is not there or busy.
    pub async fn inspect(&self) -> Result<Vec<ActorView>, AskError> {
        self.shared.supervisor.ask(ProvidersMsg::Inspect, ASK_LIMIT).await
    }

    /// Kills the actor called `id` (`provider/prv_…`); answers whether it was running.
    ///
    /// # Errors
    /// When the supervisor is not there or busy.
    pub async fn kill(&self, id: String) -> Result<bool, AskError> {
        self.shared.supervisor.ask(|reply| ProvidersMsg::Kill(id, reply), ASK_LIMIT).await
    }

    /// How many messages wait in the mailboxes of connections' actors.
    pub fn mailboxes(&self) -> MailboxKind {
        self.shared.mailboxes.clone()
    }

    /// Waits at most `limit` for running calls, aborts the rest, whose outcome then is unknown, and gives
    /// these at most `limit` again to be reported. Returns how many are left.
    ///
    /// Call it when nothing dispatches any more but the inbox still works.
    pub async fn shut_down(&self, limit: Duration) -> usize {
        let tasks = &self.shared.tasks;
        tasks.close();
        if tokio::time::timeout(limit, tasks.wait()).await.is_err() {
            self.shared.abort.cancel();
            let _ = tokio::time::timeout(limit, tasks.wait()).await; // The number below tells.
        }
        tasks.len()
    }
}

#[async_trait]
impl ProviderGateway for Gateway {
    async fn acquire(&self, request: PermitRequest) -> PermitAnswer {
        acquire::acquire(&self.shared, request).await
    }

    fn dispatch(&self, permit: Permit, dispatch: Dispatch) {
        dispatch::dispatch(&self.shared, permit, dispatch);
    }

    fn in_flight(&self, attempt: AttemptRef) -> bool {
        self.shared.running.contains_key(&attempt)
    }

    async fn receive(
        &self,
        connection: ConnectionId,
        webhook: Webhook,
    ) -> Result<ReceiveResult, ReceiveError> {
        let line = self.shared.line(connection).ok_or(ReceiveError::UnknownConnection)?;
        let session = Session::open(&self.shared, &line, self.shared.options.receive_limit);
        call::receive(&session.map_err(ReceiveError::Adapter)?, webhook).await
    }

    async fn check(&self, connection: ConnectionId) -> Option<Outcome> {
        let line = self.shared.line(connection)?;
        let limit = self.shared.call_limit(&line.access().connection);
        Some(match Session::open(&self.shared, &line, limit) {
            Ok(session) => call::check(&session).await.outcome,
            Err(fault) => dispatch::adapter_fault(&fault),
        })
    }

    fn may_look_up(&self, connection: ConnectionId) -> bool {
        let Some(line) = self.shared.line(connection) else { return false };
        let descriptor = self.shared.ports.host.descriptor(&line.provider);
        descriptor.is_some_and(|descriptor| descriptor.has_lookup) && line.take_lookup()
    }

    async fn lookup(&self, connection: ConnectionId, query: LookupQuery) -> Option<Outcome> {
        let line = self.shared.line(connection)?;
        let limit = self.shared.call_limit(&line.access().connection).min(self.shared.options.lookup_limit);
        let session = Session::open(&self.shared, &line, limit).ok()?;
        let found = call::lookup(&session, query).await.map(|ended| ended.outcome);
        meters::looked_up(&line.provider, found.as_ref());
        found
    }

    async fn suppression_list(&self, connection: ConnectionId, operation: ListOperation) -> ListReply {
        let Some(line) = self.shared.line(connection) else { return ListReply::NoList };
        let limit = self.shared.call_limit(&line.access().connection);
        let session = match Session::open(&self.shared, &line, limit) {
            Ok(session) if session.has_list() => session,
            Ok(_) | Err(_) => return ListReply::NoList,
        };
        if let Err(retry_at) = line.take_list_call() {
            return ListReply::NotNow { retry_at };
        }
        let label = operation.label();
        let Some(answer) = call::list(&session, operation).await else { return ListReply::NoList };
        meters::listed(&line.provider, label, &answer);
        ListReply::Answer(answer)
    }

    fn receipt_came(&self, connection: ConnectionId) {
        if let Some(line) = self.shared.line(connection) {
            line.receipt_came();
        }
    }

    async fn health(&self, connection: ConnectionId) -> Option<ConnectionHealth> {
        let line = self.shared.line(connection)?;
        let adapter_version = self.shared.version(&line);
        Some(ConnectionHealth { adapter_version, ..line.health() })
    }
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ports")
    }
}

#[cfg(test)]
mod tests;
