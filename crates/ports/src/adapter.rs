//! Provider adapters: what they are told, what they answer, and how they are hosted.
//!
//! An adapter never does I/O. It returns requests; the host sends them and resumes it with the response.

mod listing;
mod received;
mod versions;

use std::{any::Any, collections::BTreeMap, fmt, sync::Arc};

use bytes::Bytes;
use hermes_domain::{
    AttemptRef, UnixMillis,
    address::{Channel, Destination},
    cascade::AdapterVersion,
    connection::Connection,
    content::ChannelContent,
    outcome::{Level, Outcome},
};
use serde::Serialize;

pub use listing::{ListAnswer, ListEntry, ListOperation, ListPage};
pub use received::{Inbound, InboundKind, ReceiveResult, Received, ReceivedEntry, WebhookRefusal};
pub use versions::{AdapterInfo, AdapterRejected, CanaryReport};

use crate::http::{HttpRequest, HttpResponse, Webhook};

/// Credentials by name. `Debug` shows names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(pub BTreeMap<String, String>);

impl Secrets {
    /// The credential called `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A connection together with its credentials: what host and egress need for a call.
#[derive(Clone, Debug)]
pub struct ConnectionAccess {
    /// The connection.
    pub connection: Arc<Connection>,
    /// Its credentials.
    pub secrets: Arc<Secrets>,
}

/// One submission.
#[derive(Clone, Debug)]
pub struct SendCall {
    /// Our reference: given to the provider wherever it takes one.
    pub reference: AttemptRef,
    /// To whom.
    pub to: Destination,
    /// Sender named by the message; otherwise the connection's own.
    pub sender: Option<String>,
    /// What to say.
    pub content: ChannelContent,
    /// Where the provider's receipts for this attempt go, reference included.
    pub callback_url: String,
    /// How long the message is worth delivering, in seconds from now; at least 1.
    pub valid_for_s: u32,
    /// When the message expires.
    pub expires_at: UnixMillis,
    /// Tags for the provider's own statistics.
    pub tags: Vec<String>,
    /// URL that an app may call to acknowledge the message (push).
    pub ack_url: Option<String>,
    /// Whether the content's alternate is to be sent.
    pub alternate: bool,
}

/// A submission whose fate is to be looked up.
#[derive(Clone, Debug)]
pub struct LookupQuery {
    /// The submission as it was made.
    pub call: SendCall,
    /// The provider's id of the message, if it is known.
    pub provider_message_id: Option<String>,
    /// When it was submitted.
    pub submitted_at: UnixMillis,
}

/// A call that waits for a response, pinned to the revision that began it.
#[derive(Clone)]
pub struct Pending {
    /// Revision of the adapter.
    pub version: AdapterVersion,
    /// The guest's own state.
    pub state: Bytes,
    /// Requests made so far.
    pub round: u8,
    /// Whether one of them was a submitting one.
    pub submitted: bool,
    /// Keeps the revision loaded.
    pub pin: Arc<dyn Any + Send + Sync>,
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("version", &self.version)
            .field("round", &self.round)
            .finish_non_exhaustive()
    }
}

/// What an adapter wants next.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "moved once per round; a box would cost an allocation each")]
pub enum AdapterStep<T> {
    /// Send this request, then resume with its response.
    Request(HttpRequest, Pending),
    /// Finished.
    Done(T),
}

/// An adapter broke its contract. Hurts this call only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdapterFault {
    /// No adapter has this name.
    #[error("no adapter called {0} is loaded")]
    Missing(String),
    /// All instances are busy and none became free in time.
    #[error("no adapter instance became free in time")]
    Busy,
    /// The guest trapped.
    #[error("the adapter trapped: {0}")]
    Trap(String),
    /// The guest used up its time.
    #[error("the adapter ran longer than {limit_ms} ms")]
    TimeLimit {
        /// The limit.
        limit_ms: u64,
    },
    /// The guest wanted more memory than allowed.
    #[error("the adapter asked for more than {limit_bytes} bytes of memory")]
    MemoryLimit {
        /// The limit.
        limit_bytes: usize,
    },
    /// The guest's answer breaks a rule.
    #[error("the adapter answered against the contract: {0}")]
    Contract(String),
}

impl AdapterFault {
    /// What kind of fault, from a closed set: a metric's label.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
            Self::Busy => "busy",
            Self::Trap(_) => "trap",
            Self::TimeLimit { .. } => "time_limit",
            Self::MemoryLimit { .. } => "memory_limit",
            Self::Contract(_) => "contract",
        }
    }
}

/// What an adapter says about itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Descriptor {
    /// Name, such as `twilio`.
    pub name: String,
    /// Semantic version of its code.
    pub version: String,
    /// Channels it can carry.
    pub channels: Vec<Channel>,
    /// Credentials it uses.
    pub credentials: Vec<FieldSpec>,
    /// Settings it uses.
    pub config: Vec<FieldSpec>,
    /// Hosts it calls; `*.` in front allows one label.
    pub hosts: Vec<String>,
    /// What a repeated submission does.
    pub idempotency: Idempotency,
    /// Strongest level it can confirm, per channel.
    pub confirms: BTreeMap<Channel, Level>,
    /// Requests a second for a connection that sets none.
    pub default_rate_per_s: u32,
    /// Whether `lookup` is of use.
    pub has_lookup: bool,
    /// The setting that tells connections apart which share one callback address.
    pub account_setting: Option<String>,
    /// Channel of the list of addresses that the provider itself does not write to; `None`: it has none.
    pub suppression_list: Option<Channel>,
}

/// A credential or a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldSpec {
    /// Its name.
    pub name: String,
    /// Whether a connection must have it.
    pub required: bool,
    /// Credentials only: readable by the guest because it is an identifier, such as an account id.
    pub public: bool,
    /// For people.
    pub description: String,
}

/// What protects from sending twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Idempotency {
    /// The provider refuses a repeated reference.
    Native,
    /// A lookup tells whether it was processed.
    Lookup,
    /// Nothing.
    None,
}

/// Hosts adapters. Calls are synchronous and bounded by the guest's time limit (some milliseconds).
pub trait AdapterHost: Send + Sync {
    /// The active revision's descriptor.
    fn descriptor(&self, adapter: &str) -> Option<Arc<Descriptor>>;
    /// The active revision.
    fn active_version(&self, adapter: &str) -> Option<AdapterVersion>;

    /// Begins a submission on the active revision.
    ///
    /// # Errors
    /// Any fault; nothing has been sent.
    fn send(&self, access: &ConnectionAccess, call: &SendCall) -> Result<AdapterStep<Outcome>, AdapterFault>;
    /// Goes on with the response to a request of [`Self::send`] or [`Self::lookup`].
    ///
    /// # Errors
    /// Any fault; whether something was sent is known from `pending.submitted`.
    fn resume_send(
        &self,
        access: &ConnectionAccess,
        pending: Pending,
        response: &HttpResponse,
    ) -> Result<AdapterStep<Outcome>, AdapterFault>;

    /// Verifies and reads a webhook.
    ///
    /// # Errors
    /// Any fault; the webhook is kept unverified and tried again.
    fn receive(
        &self,
        access: &ConnectionAccess,
        webhook: &Webhook,
    ) -> Result<AdapterStep<ReceiveResult>, AdapterFault>;
    /// Goes on with the response to a request of [`Self::receive`].
    ///
    /// # Errors
    /// Any fault.
    fn resume_receive(
        &self,
        access: &ConnectionAccess,
        webhook: &Webhook,
        pending: Pending,
        response: &HttpResponse,
    ) -> Result<AdapterStep<ReceiveResult>, AdapterFault>;

    /// Begins to find out whether a submission was processed. `Accepted` (with the level it has reached) or
    /// another outcome when the provider knows; `Unknown` when it does not, which never means "not processed".
    /// `None`: this adapter cannot tell. Goes on with [`Self::resume_send`].
    ///
    /// # Errors
    /// Any fault.
    fn lookup(
        &self,
        _access: &ConnectionAccess,
        _query: &LookupQuery,
    ) -> Result<Option<AdapterStep<Outcome>>, AdapterFault> {
        Ok(None)
    }

    /// Begins an operation on the provider's suppression list. `None`: it has none.
    ///
    /// # Errors
    /// Any fault.
    fn suppression_list(
        &self,
        _access: &ConnectionAccess,
        _operation: &ListOperation,
    ) -> Result<Option<AdapterStep<ListAnswer>>, AdapterFault> {
        Ok(None)
    }
    /// Goes on with the response to a request of [`Self::suppression_list`].
    ///
    /// # Errors
    /// Any fault.
    fn resume_suppression_list(
        &self,
        _access: &ConnectionAccess,
        _pending: Pending,
        _response: &HttpResponse,
    ) -> Result<AdapterStep<ListAnswer>, AdapterFault> {
        Err(AdapterFault::Contract("there is no list".to_owned()))
    }

    /// Begins a proof of the credentials that delivers nothing. `Done(Accepted)` means they work.
    ///
    /// # Errors
    /// Any fault.
    fn check(&self, access: &ConnectionAccess) -> Result<AdapterStep<Outcome>, AdapterFault>;

    /// Validates a component and keeps it as a version of `name`, inactive. Idempotent by content.
    ///
    /// # Errors
    /// The reason it was refused; the active version stays.
    fn install(&self, name: &str, component: &[u8]) -> Result<AdapterInfo, AdapterRejected>;
    /// Makes `version` serve new calls; running calls finish on theirs.
    ///
    /// # Errors
    /// `UnknownVersion`.
    fn activate(&self, name: &str, version: AdapterVersion) -> Result<AdapterInfo, AdapterRejected>;
    /// Lets `version` build a share of the submissions too, beside the active version and without sending
    /// them, and counts where they differ. A share of 0 ends it, and so does any activation. Not kept over a
    /// restart.
    ///
    /// # Errors
    /// `UnknownVersion`; `IsActive`.
    fn canary(
        &self,
        name: &str,
        version: AdapterVersion,
        share_percent: u8,
    ) -> Result<AdapterInfo, AdapterRejected>;
    /// Every version of every adapter, by name, then newest first.
    fn list(&self) -> Vec<AdapterInfo>;
}
