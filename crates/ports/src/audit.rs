//! Who did what: an append-only log whose entries are chained by their hashes.

mod chain;

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use hermes_domain::{TenantId, UnixMillis, message::Mode, tenant::TenantScope};

pub use chain::{AuditHash, Broken, Flaw, GENESIS, Verdict, hex, link, verify};

use crate::store_error::StoreError;

/// Something that somebody does or has done. Never holds a secret, a body or a query.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditEvent {
    /// When.
    pub at: UnixMillis,
    /// Id of the key, or which part of the program acts for whoever runs it.
    pub actor: String,
    /// What that key may do: an operator's role, or the scope that a tenant's key used.
    pub role: String,
    /// Whose key it is, and in which mode; `None` for operators and parts of the program.
    pub owner: Option<TenantScope>,
    /// Id of the operation.
    pub action: String,
    /// To what: a path such as `tenants/tnt_…/keys`.
    pub target: String,
    /// Id of the request; empty when there was none.
    pub request_id: String,
    /// How many things it concerned, by what was counted; empty where nothing is. Numbers under names that the program
    /// chose: nothing personal can get in.
    pub counts: AuditCounts,
    /// Whether it is about to happen or over.
    pub phase: AuditPhase,
}

/// Numbers by what they count.
pub type AuditCounts = BTreeMap<String, u64>;

/// Who acts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ActorKind {
    /// An operator's key, or a part of the program.
    Operator,
    /// A tenant's key.
    Tenant,
}

impl ActorKind {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Tenant => "tenant",
        }
    }

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Operator, Self::Tenant].into_iter().find(|kind| kind.as_str() == name)
    }
}

impl AuditEvent {
    /// Who acts.
    pub const fn actor_kind(&self) -> ActorKind {
        match self.owner {
            None => ActorKind::Operator,
            Some(_) => ActorKind::Tenant,
        }
    }
}

/// How far an action is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AuditPhase {
    /// It is about to be done. Without an outcome after it, nobody knows whether it was.
    Intent,
    /// It is over.
    Outcome {
        /// Number of the entry that announced it; `None` when it was refused before that.
        intent: Option<u64>,
        /// Status code of the answer.
        status: u16,
    },
}

/// An entry of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditEntry {
    /// From 1, without gaps.
    pub sequence: u64,
    /// What it says.
    pub event: AuditEvent,
    /// Over the hash before it and what it says, see [`link`].
    pub hash: AuditHash,
}

/// The newest entry, as it is known apart from the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AuditHead {
    /// Its number.
    pub sequence: u64,
    /// Its hash.
    pub hash: AuditHash,
}

/// Which entries are wanted. Every condition given must hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuditQuery {
    /// By this actor.
    pub actor: Option<String>,
    /// By an actor of this kind.
    pub actor_kind: Option<ActorKind>,
    /// By a key of this tenant.
    pub tenant: Option<TenantId>,
    /// By a tenant's key of this mode.
    pub mode: Option<Mode>,
    /// With this action.
    pub action: Option<String>,
    /// To this target, or to one that has this text as whole segments of its path.
    pub target: Option<String>,
    /// At or after.
    pub since: Option<UnixMillis>,
    /// Older than the entry with this number (the cursor).
    pub before: Option<u64>,
    /// At most so many, 1–250.
    pub limit: usize,
}

impl AuditQuery {
    /// Whether an entry is wanted. Ignores the limit.
    pub fn matches(&self, entry: &AuditEntry) -> bool {
        let event = &entry.event;
        let within = |wanted: &String| format!("/{}/", event.target).contains(&format!("/{wanted}/"));
        self.actor.as_ref().is_none_or(|wanted| *wanted == event.actor)
            && self.actor_kind.is_none_or(|wanted| wanted == event.actor_kind())
            && self.tenant.is_none_or(|wanted| event.owner.is_some_and(|owner| owner.tenant == wanted))
            && self.mode.is_none_or(|wanted| event.owner.is_some_and(|owner| owner.mode == wanted))
            && self.action.as_ref().is_none_or(|wanted| *wanted == event.action)
            && self.target.as_ref().is_none_or(within)
            && self.since.is_none_or(|since| event.at >= since)
            && self.before.is_none_or(|before| entry.sequence < before)
    }
}

/// Reads the log.
#[async_trait]
pub trait AuditRead: Send + Sync + fmt::Debug {
    /// At most `limit + 1` entries, newest first, so that the caller sees whether there are more.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn list(&self, query: AuditQuery) -> Result<Vec<AuditEntry>, StoreError>;

    /// Entries with a number above `after` in order, at most `limit`, whether or not their chain holds.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn after(&self, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError>;

    /// The newest entry, from where it is kept beside the log; `None` before the first.
    ///
    /// # Errors
    /// `Damaged`, `Unavailable`.
    async fn head(&self) -> Result<Option<AuditHead>, StoreError>;
}

/// Keeps the log.
#[async_trait]
pub trait AuditLog: AuditRead {
    /// Appends an entry durably, together with the head that is kept beside the log. A chain that has been cut goes on
    /// from that head, so that the gap stays visible.
    ///
    /// # Errors
    /// `Damaged` when the head cannot be read; `Unavailable`: whether it was appended is unknown.
    async fn append(&self, event: AuditEvent) -> Result<AuditEntry, StoreError>;
}
