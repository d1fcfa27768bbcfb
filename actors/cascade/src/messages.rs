//! What a cascade's actor is started with and told.

use std::sync::Arc;

use hermes_domain::{cascade::Event, message::Envelope, outcome::Outcome};
use hermes_ports::{
    cascade_inbox::Delivered, cascade_store::StoredCascade, idempotency::Claim, message_intake::SubmitError,
    receipt_inbox::ParkedId,
};
use hermes_supervision::ActorView;
use ractor::RpcReplyPort;
use tokio::sync::oneshot;

use crate::{admission::Slot, consent::Wished};

/// An event for a cascade, and who waits for what it leads to.
#[derive(Debug)]
pub struct Delivery {
    /// What happened.
    pub event: Event,
    /// Parked receipt that the event came from.
    pub consumed: Option<ParkedId>,
    /// Answered once the change is durable. Dropped without an answer: offer it again.
    pub reply: oneshot::Sender<Delivered>,
}

/// A message that is to become durable.
#[derive(Debug)]
pub struct NewCascade {
    /// The message.
    pub envelope: Arc<Envelope>,
    /// Idempotency key to take with it.
    pub claim: Option<Claim>,
    /// Its place among those on their way.
    pub slot: Slot,
    /// Answered once it is durable.
    pub reply: oneshot::Sender<Result<(), SubmitError>>,
}

/// How an actor comes to life.
#[derive(Debug)]
pub enum Start {
    /// With a message nobody has seen before.
    New(NewCascade),
    /// From the store.
    Loaded {
        /// What was stored.
        stored: StoredCascade,
        /// Its place, if it is on its way to a provider.
        slot: Option<Slot>,
        /// Whether it replaces an actor that failed, which belongs on the timeline.
        recovered: bool,
    },
}

/// What a cascade actor can be told.
#[derive(Debug)]
pub enum CascadeMsg {
    /// Something happened.
    Deliver(Delivery),
    /// What became of wish number `ticket` for a permit.
    Wished {
        /// Which wish; older ones are stale.
        ticket: u32,
        /// What became of it.
        wished: Wished,
    },
    /// The provider's answer to a question about an attempt.
    LookedUp {
        /// Its number.
        attempt: u16,
        /// What it knows.
        found: Option<Outcome>,
    },
    /// The due time has come.
    Wake,
    /// Ask for a permit again.
    AskAgain {
        /// The wish that was put off.
        ticket: u32,
    },
    /// Asks for the actor's view.
    Inspect(RpcReplyPort<ActorView>),
    /// Panics, to prove recovery.
    Panic,
}
