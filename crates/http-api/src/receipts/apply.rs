//! One verified entry of a callback: applied, or kept until it can be.

use std::error::Error;

use hermes_domain::{
    AttemptRef, ConnectionId,
    cascade::{Event, StepError},
    outcome::Receipt,
};
use hermes_ports::{
    StoreError,
    adapter::ReceivedEntry,
    cascade_inbox::{DeliverError, Delivered},
    kill_point,
    parked_body::encode_receipt,
    receipt_inbox::{Parked, ParkedKind},
};
use tracing::{debug, error, warn};

use super::{account, inbound, refusal::Refusal};
use crate::{api::Api, messages::deliver_receipt};

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Applied {
    /// It changed its message.
    Changed,
    /// It said nothing new.
    Stale,
    /// Its message or provider id is not known yet.
    Orphan,
    /// It does not belong to the attempt that it names.
    Quarantined,
    /// It says nothing about a message.
    Inbound,
}

impl Applied {
    /// Label of the metric.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Changed => "applied",
            Self::Stale => "stale",
            Self::Orphan => "orphan",
            Self::Quarantined => "quarantined",
            Self::Inbound => "inbound",
        }
    }
}

/// Applies an entry that came through `connection`. `from_url` is the reference in the callback's address,
/// `callback` its body.
pub(super) async fn apply(
    api: &Api,
    connection: ConnectionId,
    from_url: Option<AttemptRef>,
    callback: &[u8],
    entry: ReceivedEntry,
) -> Result<Applied, Refusal> {
    let (reference, account, receipt) = match entry {
        ReceivedEntry::Receipt { reference, account, receipt } => (reference, account, receipt),
        ReceivedEntry::Inbound(inbound) => {
            debug!(provider.connection = %connection, kind = ?inbound.kind, "a recipient wrote");
            let owner = account::connection_of(api, connection, inbound.account.as_deref());
            let access = owner.and_then(|owner| api.directory().access(owner));
            if let Some(access) = access {
                let kept = inbound::take(api, &access.connection, &inbound, callback).await;
                kept.map_err(|failure| later(&failure))?;
            }
            return Ok(Applied::Inbound);
        }
    };
    let Some(connection) = account::connection_of(api, connection, account.as_deref()) else {
        warn!(provider.connection = %connection, "a receipt belongs to no connection of this owner");
        return Ok(Applied::Quarantined);
    };
    // An entry's own reference is signed with it; the address speaks for entries that have none.
    let named = reference.as_deref().and_then(|text| text.parse().ok()).or(from_url);
    let attempt = match named {
        Some(attempt) => Some(attempt),
        None => by_provider_id(api, connection, &receipt).await?,
    };
    let Some(attempt) = attempt else {
        return park(api, connection, None, &receipt, ParkedKind::Orphan).await;
    };
    kill_point::pass("receipt.before");
    let event = Event::Receipt { attempt: attempt.attempt, connection, receipt: receipt.clone() };
    match deliver_receipt(api, attempt, event).await {
        Ok(Delivered::Applied) => {
            api.ports.gateway.receipt_came(connection);
            Ok(Applied::Changed)
        }
        Ok(Delivered::Ignored(StepError::Stale | StepError::Terminal)) => Ok(Applied::Stale),
        Ok(Delivered::Ignored(StepError::Quarantined)) => {
            warn!(provider.connection = %connection, message.id = %attempt.message, "a receipt is quarantined");
            park(api, connection, Some(attempt), &receipt, ParkedKind::Quarantined).await
        }
        Err(DeliverError::Unknown(_)) => {
            park(api, connection, Some(attempt), &receipt, ParkedKind::Orphan).await
        }
        Err(DeliverError::Retry) => Err(Refusal::Later),
        Err(DeliverError::Store(failure)) => Err(later(&failure)),
    }
}

async fn by_provider_id(
    api: &Api,
    connection: ConnectionId,
    receipt: &Receipt,
) -> Result<Option<AttemptRef>, Refusal> {
    let Some(id) = &receipt.provider_message_id else { return Ok(None) };
    api.ports.log.find_by_provider_id(connection, id).await.map_err(|failure| later(&failure))
}

async fn park(
    api: &Api,
    connection: ConnectionId,
    attempt: Option<AttemptRef>,
    receipt: &Receipt,
    kind: ParkedKind,
) -> Result<Applied, Refusal> {
    let key = attempt.map(|attempt| attempt.to_string()).or_else(|| receipt.provider_message_id.clone());
    // Without reference and id there is nothing that could ever make it applicable.
    let Some(key) = key else { return Ok(Applied::Stale) };
    let parked = Parked { kind, connection, key, body: encode_receipt(receipt), received_at: api.now() };
    let applied = if kind == ParkedKind::Quarantined { Applied::Quarantined } else { Applied::Orphan };
    match api.ports.receipts.park(parked).await {
        Ok(_) => Ok(applied),
        Err(failure) => Err(later(&failure)),
    }
}

fn later(failure: &StoreError) -> Refusal {
    error!(error = failure as &dyn Error, "a receipt could not be kept");
    Refusal::Later
}
