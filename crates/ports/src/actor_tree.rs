//! The live supervision tree, as operators see it.

use std::fmt;

use async_trait::async_trait;
use hermes_domain::{MessageId, TenantId, UnixMillis};
use serde::Serialize;

/// One actor. Holds no address, no content and no credential.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActorView {
    /// Its path in the tree, such as `cascade/msg_01J…`.
    pub id: String,
    /// What it is, such as `cascade`.
    pub kind: String,
    /// The id of its supervisor; none for the root.
    pub parent: Option<String>,
    /// Its state in one word or phrase, such as `awaiting_receipt`.
    pub state: String,
    /// How many messages wait for it, where that is counted.
    pub mailbox: usize,
    /// How often it was restarted since the process started.
    pub restarts: u32,
    /// When this incarnation started, in milliseconds since 1970 (UTC).
    pub started_at_ms: u64,
    /// Why the incarnation before ended, if it failed.
    pub last_error: Option<String>,
    /// The ids of its children; may be cut short where there are very many.
    pub children: Vec<String>,
    /// Whatever else this kind of actor has to say; null in lists.
    pub detail: serde_json::Value,
}

/// A message whose actor failed again and again: it rests until its expiry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedMessage {
    /// Which.
    pub id: MessageId,
    /// Whose.
    pub tenant: TenantId,
    /// How its actor ended the last time. Holds no address and no content.
    pub reason: String,
    /// How often it has failed.
    pub failures: u32,
    /// When it was parked.
    pub since: UnixMillis,
}

/// Looks into the tree, and ends actors to prove that they recover.
#[async_trait]
pub trait ActorTree: Send + Sync + fmt::Debug {
    /// The actors, parents before children. May leave out children where there are very many.
    async fn list(&self) -> Vec<ActorView>;

    /// One actor by its id. `None` when it does not run (a waiting cascade does not).
    async fn get(&self, id: &str) -> Option<ActorView>;

    /// Ends an actor as a failure would; its supervisor decides what follows. `false` when it does
    /// not run.
    async fn kill(&self, id: &str) -> bool;

    /// Messages that are parked in this process, in no particular order.
    async fn parked(&self) -> Vec<ParkedMessage>;

    /// Lets a parked message of `tenant` run again, its failures forgotten. `false` when it is not parked.
    async fn release(&self, tenant: TenantId, id: MessageId) -> bool;
}
