//! Takes outcomes to their messages, and orphaned receipts after them.

use std::{sync::Arc, time::Duration};

use hermes_domain::{
    AttemptRef, ConnectionId, MessageId,
    cascade::Event,
    outcome::{Acceptance, Outcome},
};
use hermes_ports::{
    cascade_inbox::{CascadeInbox, DeliverError},
    parked_body::decode_receipt,
    receipt_inbox::{Parked, ParkedId},
};
use tokio::time::{Instant, sleep};

use crate::shared::Shared;

const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Offers an outcome to its message until it is durable. Returns whether it is.
///
/// Given up, the message still is `Submitting` on record, and recovery treats the attempt as unknown.
pub(crate) async fn outcome(shared: &Shared, of: AttemptRef, outcome: Outcome) -> bool {
    let Some(inbox) = shared.inbox.get() else {
        tracing::error!(message.id = %of.message, "no inbox is bound: the outcome is lost");
        return false;
    };
    let event = Event::Outcome { attempt: of.attempt, outcome };
    deliver(&**inbox, of.message, &event, None, shared.options.deliver_for).await
}

async fn deliver(
    inbox: &dyn CascadeInbox,
    message: MessageId,
    event: &Event,
    consumed: Option<ParkedId>,
    patience: Duration,
) -> bool {
    let (give_up_at, mut pause) = (Instant::now() + patience, PAUSE_MIN);
    loop {
        let error = match inbox.deliver(message, event.clone(), consumed).await {
            Ok(_) => return true,
            Err(error) => error,
        };
        let lost = matches!(error, DeliverError::Unknown(_));
        if lost || Instant::now() + pause >= give_up_at {
            tracing::error!(message.id = %message, error = &error as &dyn std::error::Error, "could not deliver an event");
            return false;
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Applies receipts that came before the outcome that makes them readable.
pub(crate) async fn orphans(shared: &Shared, from: ConnectionId, of: AttemptRef, accepted: &Acceptance) {
    let Some(inbox) = shared.inbox.get() else { return };
    let reference = of.to_string();
    for key in accepted.provider_message_id.as_deref().into_iter().chain([reference.as_str()]) {
        if !shared.orphans.may_wait(from, key) {
            continue;
        }
        match shared.ports.receipts.waiting_for(from, key).await {
            Ok(parked) => apply(shared, inbox, of, parked).await,
            Err(error) => {
                // They stay parked; whoever sweeps orphans meets them again.
                tracing::warn!(provider.connection = %from, error = &error as &dyn std::error::Error, "could not look for parked receipts");
            }
        }
    }
}

async fn apply(
    shared: &Shared,
    inbox: &Arc<dyn CascadeInbox>,
    of: AttemptRef,
    parked: Vec<(ParkedId, Parked)>,
) {
    for (id, parked) in parked {
        let Some(receipt) = decode_receipt(&parked.body) else {
            tracing::error!(provider.connection = %parked.connection, "a parked receipt cannot be read");
            continue;
        };
        let event = Event::Receipt { attempt: of.attempt, connection: parked.connection, receipt };
        deliver(&**inbox, of.message, &event, Some(id), shared.options.deliver_for).await;
    }
}
