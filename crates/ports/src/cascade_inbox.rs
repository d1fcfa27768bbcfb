//! How events reach the actor of a message, running or not.

use std::fmt;

use async_trait::async_trait;
use hermes_domain::{
    MessageId,
    cascade::{Event, StepError},
};

use crate::{receipt_inbox::ParkedId, store_error::StoreError};

/// What became of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delivered {
    /// It changed the cascade, and the change is durable.
    Applied,
    /// It changed nothing; see the reason. Also durable: offering it again would change nothing either.
    Ignored(StepError),
}

/// Why an event could not be delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// No such message.
    #[error("no message {0}")]
    Unknown(MessageId),
    /// The actor was stopping or overloaded: offer it again.
    #[error("the message could not take the event now")]
    Retry,
    /// The store failed.
    #[error("the store failed")]
    Store(#[source] StoreError),
}

/// Delivers events to cascades, waking those that are not in memory.
#[async_trait]
pub trait CascadeInbox: Send + Sync + fmt::Debug {
    /// Returns once what the event changes is durable. `consumed` is forgotten with the same commit.
    ///
    /// # Errors
    /// See [`DeliverError`]; nothing has changed, or it is unknown whether it has (`Retry`).
    async fn deliver(
        &self,
        id: MessageId,
        event: Event,
        consumed: Option<ParkedId>,
    ) -> Result<Delivered, DeliverError>;
}
