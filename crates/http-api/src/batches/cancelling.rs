//! Cancelling a batch: what waits is dropped, what was not sent is cancelled as any message is.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use hermes_domain::{
    MessageId,
    batch::{Batch, BatchItem, BatchState, ItemOutcome},
    cascade::Event,
};
use hermes_ports::{StoreError, batches::WaitingLine, cascade_inbox::DeliverError};

use super::{
    line::message_of,
    runner::{AT_ONCE, Turn},
    settling::{enter, settle},
};
use crate::{api::Api, messages::deliver};

/// Items looked at in one turn.
const PAGE: usize = 250;

/// One turn; `from` is the item that it begins at, and moves on.
pub(super) async fn cancel_some(api: &Api, batch: &Batch, from: &mut u32) -> Result<Turn, StoreError> {
    if drop_some(api, batch).await? {
        return Ok(Turn::More);
    }
    let items = api.ports.batches.items(batch.scope, batch.id, *from, PAGE).await?;
    let Some(last) = items.last().map(|item| item.index) else {
        return enter(api, batch, BatchState::Cancelled).await;
    };
    let mut messages = Vec::with_capacity(items.len());
    for item in items {
        match item.outcome {
            ItemOutcome::Accepted(message) => messages.push(message),
            ItemOutcome::Waiting | ItemOutcome::Refused(_) | ItemOutcome::Cancelled => {}
        }
    }
    let mut cancelled =
        stream::iter(messages).map(|message| cancel(api, batch, message)).buffer_unordered(AT_ONCE);
    while let Some(done) = cancelled.next().await {
        match done {
            Ok(()) => {}
            Err(DeliverError::Store(failure)) => return Err(failure),
            Err(DeliverError::Retry | DeliverError::Unknown(_)) => return Ok(Turn::Later(1)),
        }
    }
    *from = last.saturating_add(1);
    Ok(Turn::More)
}

/// Drops some of the lines that wait; whether there were any.
pub(super) async fn drop_some(api: &Api, batch: &Batch) -> Result<bool, StoreError> {
    let waiting = api.ports.batches.waiting(batch.scope, batch.id, 0, PAGE).await?;
    if waiting.is_empty() {
        return Ok(false);
    }
    let dropped = stream::iter(waiting).map(|line| dropped(api, batch, line)).buffer_unordered(AT_ONCE);
    settle(api, batch, dropped.try_collect().await?).await?;
    Ok(true)
}

/// What becomes of a line that waits: nothing, unless it is a message already.
async fn dropped(api: &Api, batch: &Batch, line: WaitingLine) -> Result<BatchItem, StoreError> {
    let message = message_of(api, batch, &line).await?;
    let outcome = message.map_or(ItemOutcome::Cancelled, ItemOutcome::Accepted);
    Ok(BatchItem { index: line.index, outcome })
}

/// Cancels a message; one that has ended or is kept no more stays as it is.
async fn cancel(api: &Api, batch: &Batch, id: MessageId) -> Result<(), DeliverError> {
    let Some(stored) = api.ports.store.load(batch.scope, id).await.map_err(DeliverError::Store)? else {
        return Ok(());
    };
    match deliver(api, &stored, Event::Cancel).await {
        Ok(_) | Err(DeliverError::Unknown(_)) => Ok(()),
        Err(failure) => Err(failure),
    }
}
