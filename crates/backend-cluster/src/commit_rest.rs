//! What a commit makes durable outside the cascade store.
//!
//! The order is claim, state, rest. A crash between state and rest is harmless, because the state keeps
//! its rest with it: whoever loads the cascade next records it again before anything else happens.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use hermes_domain::{
    ConnectionId, MessageId, UnixMillis,
    cascade::{State, encode},
    message::Envelope,
};
use hermes_ports::{
    CascadeStore, Idempotency, StoreError,
    cascade_store::Commit,
    idempotency::{Claim, ClaimResult},
    outbox::OutboxEntry,
    receipt_inbox::ParkedId,
};

/// How often a lost race for the log row is run again.
const TRIES: usize = 5;

/// The rest of one commit, with the state it belongs to.
#[derive(Clone, Debug)]
pub struct RestOfCommit {
    /// The message.
    pub envelope: Arc<Envelope>,
    /// Its newest state, for the log.
    pub state: State,
    /// Webhooks owed.
    pub outbox: Vec<OutboxEntry>,
    /// Receipt used up.
    pub consumed: Option<ParkedId>,
    /// Providers' ids of attempts.
    pub provider_ids: Vec<(ConnectionId, String)>,
}

/// Keeps what belongs to a commit but not into the cascade store.
#[async_trait]
pub trait CommitRest: Send + Sync + fmt::Debug {
    /// Takes an idempotency key before the message is created. Taking it again for the same message
    /// succeeds. `now` tells which claims have expired.
    ///
    /// # Errors
    /// `ClaimTaken`, `Unavailable`.
    async fn claim(&self, claim: &Claim, now: UnixMillis) -> Result<(), StoreError>;

    /// Records the rest. Idempotent; a rest that is older than what was recorded changes nothing.
    ///
    /// # Errors
    /// `Unavailable`: the state stays, and its rest is recorded when it is loaded next.
    async fn record(&self, rest: RestOfCommit) -> Result<(), StoreError>;
}

/// Keeps the rest in another backend's ports; its cascade store holds the log rows.
#[derive(Debug)]
pub struct CompanionRest {
    rows: Arc<dyn CascadeStore>,
    claims: Arc<dyn Idempotency>,
}

impl CompanionRest {
    /// Both over the same storage, so that a row, its webhooks and its receipt commit together.
    pub fn new(rows: Arc<dyn CascadeStore>, claims: Arc<dyn Idempotency>) -> Self {
        Self { rows, claims }
    }

    async fn try_record(&self, rest: &RestOfCommit) -> Result<(), StoreError> {
        let stored = self.rows.load(rest.envelope.id).await?;
        if let Some(stored) = &stored
            && (stored.state == rest.state || stored.state.updated_at > rest.state.updated_at)
        {
            return Ok(()); // Its webhooks and receipt were committed with it.
        }
        let expected = stored.as_ref().map(|stored| stored.revision);
        let commit = Commit {
            state: Bytes::from(encode(&rest.state)),
            outbox: rest.outbox.clone(),
            consumed: rest.consumed,
            provider_ids: rest.provider_ids.clone(),
            ..Commit::of(&rest.envelope, &rest.state, expected)
        };
        // What is counted follows from the rows, so that a rest that is recorded again counts once.
        let commit = match &stored {
            Some(stored) => commit.counting_from(&rest.envelope, &stored.state, &rest.state),
            None => commit,
        };
        self.rows.commit(commit).await.map(drop)
    }
}

#[async_trait]
impl CommitRest for CompanionRest {
    async fn claim(&self, claim: &Claim, now: UnixMillis) -> Result<(), StoreError> {
        match self.claims.save(claim.clone()).await {
            Err(StoreError::ClaimTaken) => {}
            saved => return saved,
        }
        let held = self.claims.find(claim.tenant, claim.mode, &claim.key, now).await?;
        let own = |held: &Claim| match (&held.result, &claim.result) {
            (ClaimResult::Message(held), ClaimResult::Message(own)) => held == own,
            (ClaimResult::Message(_) | ClaimResult::Reply(_), _) => false,
        };
        if held.as_ref().is_some_and(own) { Ok(()) } else { Err(StoreError::ClaimTaken) }
    }

    async fn record(&self, rest: RestOfCommit) -> Result<(), StoreError> {
        for _ in 1..TRIES {
            match self.try_record(&rest).await {
                Err(StoreError::Conflict) => {}
                recorded => return recorded,
            }
        }
        self.try_record(&rest).await
    }
}

impl RestOfCommit {
    /// The message's id.
    pub fn id(&self) -> MessageId {
        self.envelope.id
    }
}
