//! How cascades reach providers: permits, submissions, receipts.

use std::fmt;

use async_trait::async_trait;
use hermes_domain::{
    AttemptRef, ConnectionId, TenantId, UnixMillis, breaker::BreakerState, cascade::AdapterVersion,
    message::Lane, outcome::Outcome,
};
use serde::Serialize;

use crate::{
    adapter::{AdapterFault, ListAnswer, ListOperation, LookupQuery, ReceiveResult, SendCall},
    http::Webhook,
};

/// A wish for a permit.
#[derive(Clone, Debug)]
pub struct PermitRequest {
    /// Connections in order of preference; never empty.
    pub candidates: Vec<ConnectionId>,
    /// For whom; waiting lists are fair between tenants.
    pub tenant: TenantId,
    /// With which priority.
    pub lane: Lane,
    /// Wait until then at the latest; a time in the past means do not wait.
    pub until: UnixMillis,
}

/// The right to submit once, through one connection. Dropping it unused gives it back.
#[derive(Debug)]
pub struct Permit {
    /// Index into the request's candidates.
    pub candidate: usize,
    /// Through which connection.
    pub connection: ConnectionId,
    /// With which adapter build.
    pub adapter_version: AdapterVersion,
    /// Gives the permit back when dropped; the gateway that made it knows what is inside.
    pub guard: Box<dyn PermitGuard>,
}

/// What a permit holds on to.
pub trait PermitGuard: Send + Sync + fmt::Debug {
    /// For the gateway that made it.
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send>;
}

/// Answer to a wish.
#[derive(Debug)]
pub enum PermitAnswer {
    /// Granted.
    Granted(Permit),
    /// None is free before `retry_at`, or the waiting list is full.
    Busy {
        /// Ask again then.
        retry_at: UnixMillis,
    },
    /// None of the candidates exists any more or has an adapter.
    NoRoute,
}

/// A submission to make.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// What to send.
    pub call: SendCall,
    /// The request must have been started by then, or is not sent.
    pub not_after: UnixMillis,
    /// The call is aborted then, and its outcome is unknown.
    pub deadline: UnixMillis,
}

/// Why a webhook could not be read now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    /// No such connection.
    #[error("no such connection")]
    UnknownConnection,
    /// The adapter broke or had no free instance: keep the webhook and ask again.
    #[error("the adapter could not be asked")]
    Adapter(#[source] AdapterFault),
    /// A request that verification needs (a certificate) failed: keep the webhook and ask again.
    #[error("verification needs something that could not be fetched")]
    Fetch,
}

/// What became of an operation on a provider's suppression list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListReply {
    /// The adapter's answer.
    Answer(ListAnswer),
    /// No call was made: the connection is held, its breaker is open, or this second's allowance is used up.
    NotNow {
        /// Ask again then.
        retry_at: UnixMillis,
    },
    /// There is no such connection, or its provider has no list.
    NoList,
}

/// A connection as operators see it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ConnectionHealth {
    /// Which.
    pub connection: ConnectionId,
    /// Breaker state.
    pub breaker: BreakerState,
    /// Held by an operator.
    pub held: bool,
    /// Closed by throttling until then.
    pub throttled_until: Option<UnixMillis>,
    /// Calls running now.
    pub in_flight: u32,
    /// Wishes waiting now.
    pub waiting: u32,
    /// Calls of the last one to two minutes.
    pub calls: u64,
    /// Those that the provider processed.
    pub processed: u64,
    /// Messages accepted long enough ago that their receipts should have come.
    pub receipts_due: u64,
    /// Receipts that came, at most as many as are due.
    pub receipts_came: u64,
    /// Share of the last calls that the provider processed, 0–1; `None` without calls.
    pub success_rate: Option<f64>,
    /// Median latency of the last calls, in milliseconds.
    pub latency_p50_ms: Option<u64>,
    /// 99th percentile of the last calls, in milliseconds.
    pub latency_p99_ms: Option<u64>,
    /// Adapter build that new calls use.
    pub adapter_version: Option<AdapterVersion>,
}

/// Provider connections.
#[async_trait]
pub trait ProviderGateway: Send + Sync + fmt::Debug {
    /// Waits for a permit of the first candidate that has one, at most until `request.until`.
    async fn acquire(&self, request: PermitRequest) -> PermitAnswer;

    /// Submits with a permit. Returns at once; the outcome goes to the message's inbox.
    fn dispatch(&self, permit: Permit, dispatch: Dispatch);

    /// Whether a call for this attempt is running in this process.
    fn in_flight(&self, attempt: AttemptRef) -> bool;

    /// Verifies and reads a webhook of a connection.
    ///
    /// # Errors
    /// See [`ReceiveError`].
    async fn receive(
        &self,
        connection: ConnectionId,
        webhook: Webhook,
    ) -> Result<ReceiveResult, ReceiveError>;

    /// Proves a connection's credentials without delivering anything. `None`: no such connection.
    async fn check(&self, connection: ConnectionId) -> Option<Outcome>;

    /// Whether [`Self::lookup`] may be asked now: the adapter has one, and so does this second's allowance, of which
    /// this takes one.
    fn may_look_up(&self, _connection: ConnectionId) -> bool {
        false
    }

    /// Asks the provider what became of a submission. `None`: nothing is known.
    async fn lookup(&self, _connection: ConnectionId, _query: LookupQuery) -> Option<Outcome> {
        None
    }

    /// Runs an operation on the list of addresses that the provider itself does not write to.
    async fn suppression_list(&self, _connection: ConnectionId, _operation: ListOperation) -> ListReply {
        ListReply::NoList
    }

    /// Tells that a receipt through this connection has changed a message.
    fn receipt_came(&self, _connection: ConnectionId) {}

    /// A connection's health. `None`: no such connection.
    async fn health(&self, connection: ConnectionId) -> Option<ConnectionHealth>;
}
