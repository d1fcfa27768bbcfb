//! Batches: many messages that a tenant handed over together, and how far they have come.

use std::fmt;

use crate::{BatchId, MessageId, UnixMillis, tenant::TenantScope};

/// Most messages of one batch.
pub const ITEMS_MAX: u32 = 100_000;

/// Longest pause, in milliseconds (7 days): the lines that wait hold addresses and content, and nothing else would end
/// them. A week spans holidays, and is as long as webhooks are kept.
pub const PAUSE_MS_MAX: u64 = 7 * 24 * 3_600_000;

/// Where a batch stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BatchState {
    /// Its lines are being read; nothing was promised yet, and nobody sees it.
    Receiving,
    /// Its items are being taken.
    Running,
    /// No further item is taken until it is resumed.
    Paused,
    /// Items that wait are dropped, and messages that were not sent are cancelled.
    Cancelling,
    /// Nothing of it is left to cancel.
    Cancelled,
    /// Every item was taken: accepted or refused.
    Completed,
}

impl BatchState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Receiving, Self::Running, Self::Paused, Self::Cancelling, Self::Cancelled, Self::Completed];

    /// Its name in storage and API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receiving => "receiving",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
            Self::Completed => "completed",
        }
    }

    /// Whether it counts against what a tenant may have under way.
    pub const fn is_under_way(self) -> bool {
        match self {
            Self::Receiving | Self::Running | Self::Paused | Self::Cancelling => true,
            Self::Cancelled | Self::Completed => false,
        }
    }

    /// The state after a command; the same one where it was followed before.
    ///
    /// # Errors
    /// [`Pointless`] where it makes no sense.
    pub const fn after(self, command: BatchCommand) -> Result<Self, Pointless> {
        match (command, self) {
            (_, Self::Receiving) => Err(Pointless),
            (BatchCommand::Pause, Self::Running | Self::Paused) => Ok(Self::Paused),
            (BatchCommand::Resume, Self::Running | Self::Paused) => Ok(Self::Running),
            (BatchCommand::Pause | BatchCommand::Resume, Self::Cancelling | Self::Cancelled) => {
                Err(Pointless)
            }
            (BatchCommand::Pause | BatchCommand::Resume, Self::Completed) => Err(Pointless),
            // Also of a completed one: its messages may be scheduled or waiting for a provider.
            (BatchCommand::Cancel, Self::Running | Self::Paused | Self::Cancelling | Self::Completed) => {
                Ok(Self::Cancelling)
            }
            (BatchCommand::Cancel, Self::Cancelled) => Ok(Self::Cancelled),
        }
    }
}

/// What a tenant can ask of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchCommand {
    /// Take no further items.
    Pause,
    /// Go on.
    Resume,
    /// Drop what waits and cancel what was not sent.
    Cancel,
}

impl BatchCommand {
    /// Every command.
    pub const ALL: [Self; 3] = [Self::Pause, Self::Resume, Self::Cancel];
}

/// The batch is in a state in which the command makes no sense.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the batch is past that")]
pub struct Pointless;

/// How many items came to what.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BatchCounts {
    /// All.
    pub total: u32,
    /// Messages.
    pub accepted: u32,
    /// Problems.
    pub refused: u32,
    /// Dropped before they were taken.
    pub cancelled: u32,
}

impl BatchCounts {
    /// Items that were not taken yet.
    pub const fn waiting(&self) -> u32 {
        self.total.saturating_sub(self.settled())
    }

    /// Items whose outcome is known.
    pub const fn settled(&self) -> u32 {
        self.accepted.saturating_add(self.refused).saturating_add(self.cancelled)
    }

    /// Counts one more item that came to `outcome`.
    pub const fn count(&mut self, outcome: &ItemOutcome) {
        match outcome {
            ItemOutcome::Waiting => {}
            ItemOutcome::Accepted(_) => self.accepted += 1,
            ItemOutcome::Refused(_) => self.refused += 1,
            ItemOutcome::Cancelled => self.cancelled += 1,
        }
    }
}

/// A batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// Its id.
    pub id: BatchId,
    /// Whose it is.
    pub scope: TenantScope,
    /// Where it stands.
    pub state: BatchState,
    /// Item `i` is taken under the idempotency key `<key>#<i>`.
    pub key: String,
    /// The request that handed it over.
    pub request_id: String,
    /// How many items came to what.
    pub counts: BatchCounts,
    /// When it was handed over.
    pub created_at: UnixMillis,
    /// When its state or counts changed last.
    pub updated_at: UnixMillis,
}

impl Batch {
    /// When its pause ends and the items that wait are dropped; `None` unless it is paused.
    pub const fn paused_until(&self) -> Option<UnixMillis> {
        match self.state {
            // Neither its state nor its counts change during a pause.
            BatchState::Paused => Some(self.updated_at.plus_ms(PAUSE_MS_MAX)),
            BatchState::Receiving
            | BatchState::Running
            | BatchState::Cancelling
            | BatchState::Cancelled
            | BatchState::Completed => None,
        }
    }

    /// Whether it has been paused for too long.
    pub fn is_abandoned(&self, now: UnixMillis) -> bool {
        self.paused_until().is_some_and(|until| until <= now)
    }

    /// Whether there is something to do for it.
    pub fn owes_work(&self, now: UnixMillis) -> bool {
        match self.state {
            BatchState::Running | BatchState::Cancelling => true,
            BatchState::Paused => self.is_abandoned(now),
            BatchState::Receiving | BatchState::Cancelled | BatchState::Completed => false,
        }
    }
}

/// What became of one item.
#[derive(Clone, PartialEq, Eq)]
pub enum ItemOutcome {
    /// It was not taken yet.
    Waiting,
    /// It became a message.
    Accepted(MessageId),
    /// It was refused; the problem document, as JSON.
    Refused(String),
    /// It was dropped before it was taken.
    Cancelled,
}

impl ItemOutcome {
    /// Its name in the API.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Accepted(_) => "accepted",
            Self::Refused(_) => "refused",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Debug for ItemOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted(id) => f.debug_tuple("Accepted").field(id).finish(),
            Self::Waiting | Self::Refused(_) | Self::Cancelled => f.write_str(self.as_str()),
        }
    }
}

/// One item of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BatchItem {
    /// Its place in the batch, from 0.
    pub index: u32,
    /// What became of it.
    pub outcome: ItemOutcome,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_was_followed_may_be_repeated() {
        for state in BatchState::ALL {
            for command in BatchCommand::ALL {
                let Ok(next) = state.after(command) else { continue };
                assert_eq!(next.after(command), Ok(next), "{command:?} of {state:?}");
                assert_ne!(next, BatchState::Completed, "only the last item completes a batch");
            }
        }
    }

    #[test]
    fn what_has_ended_neither_pauses_nor_resumes() {
        for state in [BatchState::Completed, BatchState::Cancelling, BatchState::Cancelled] {
            for command in [BatchCommand::Pause, BatchCommand::Resume] {
                assert_eq!(state.after(command), Err(Pointless), "{command:?} of {state:?}");
            }
        }
        assert_eq!(BatchState::Paused.after(BatchCommand::Resume), Ok(BatchState::Running));
        assert_eq!(BatchState::Running.after(BatchCommand::Pause), Ok(BatchState::Paused));
        assert_eq!(BatchState::Completed.after(BatchCommand::Cancel), Ok(BatchState::Cancelling));
    }

    #[test]
    fn every_item_is_counted_once() {
        let mut counts = BatchCounts { total: 4, ..BatchCounts::default() };
        for outcome in [ItemOutcome::Waiting, ItemOutcome::Refused(String::new()), ItemOutcome::Cancelled] {
            counts.count(&outcome);
        }
        counts.count(&ItemOutcome::Accepted(MessageId::from_u128(1)));
        assert_eq!(counts, BatchCounts { total: 4, accepted: 1, refused: 1, cancelled: 1 });
        assert_eq!((counts.settled(), counts.waiting()), (3, 1));
    }
}
