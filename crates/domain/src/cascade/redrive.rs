//! Whether a message that was given up may be sent once more, as a new message.

use crate::{UnixMillis, message::Envelope};

use super::{Attempt, MessageStatus, State};

/// How long after its end a message may be sent once more, in milliseconds (35 days): as long as late receipts can show
/// that it has arrived after all.
pub const REDRIVABLE_MS: u64 = 35 * 24 * 3_600_000;

/// Why a message is not sent once more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotRedrivable {
    /// It has not ended, or not as `failed` or `expired`.
    NotGivenUp,
    /// Its recipient and content are gone: nobody knows any more what was to go to whom.
    Erased,
    /// An attempt may have reached the recipient.
    MayHaveArrived,
    /// It ended longer ago than [`REDRIVABLE_MS`].
    TooOld,
}

impl NotRedrivable {
    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotGivenUp => "not_given_up",
            Self::Erased => "recipient_erased",
            Self::MayHaveArrived => "may_have_arrived",
            Self::TooOld => "too_old",
        }
    }
}

/// Whether a message may be sent once more at `now`: it was given up lately, and of each of its attempts it is known that
/// it did not reach the recipient.
///
/// # Errors
/// [`NotRedrivable`], the first reason in its order.
pub fn redrivable(envelope: &Envelope, state: &State, now: UnixMillis) -> Result<(), NotRedrivable> {
    if !is_given_up(state.status()) {
        return Err(NotRedrivable::NotGivenUp);
    }
    if envelope.erased_at.is_some() {
        return Err(NotRedrivable::Erased);
    }
    // A receipt may have come after the end: the status stays, but the attempt knows.
    if state.confirmed_at.is_some() || state.attempts.iter().any(Attempt::is_open) {
        return Err(NotRedrivable::MayHaveArrived);
    }
    if now.since(state.completed_at.unwrap_or(state.updated_at)) > REDRIVABLE_MS {
        return Err(NotRedrivable::TooOld);
    }
    Ok(())
}

/// Whether a message has ended without reaching anybody, as far as was known then.
pub const fn is_given_up(status: MessageStatus) -> bool {
    match status {
        MessageStatus::Failed | MessageStatus::Expired => true,
        MessageStatus::Accepted | MessageStatus::Scheduled | MessageStatus::InProgress => false,
        MessageStatus::Delivered | MessageStatus::SentUnconfirmed | MessageStatus::Cancelled => false,
    }
}
