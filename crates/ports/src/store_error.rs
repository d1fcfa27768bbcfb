//! Why a store did not do what it was asked.

use std::error::Error;

/// Error of every storing port.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The expected revision is not the stored one, or the key exists already.
    #[error("somebody else changed it first")]
    Conflict,
    /// An idempotency key is taken by another message.
    #[error("the idempotency key is taken")]
    ClaimTaken,
    /// A bounded buffer is full.
    #[error("the buffer is full")]
    Full,
    /// What is stored cannot be read.
    #[error("the stored record cannot be read: {what}")]
    Damaged {
        /// Which record, without its content.
        what: String,
    },
    /// The backend is not reachable or refused; trying again may help.
    #[error("the store is unavailable while {attempted}")]
    Unavailable {
        /// What was attempted.
        attempted: &'static str,
        /// The cause.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
}

/// What a caller may do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Try again later.
    Transient,
    /// Reload, then decide anew.
    Conflict,
    /// It will not get better.
    Permanent,
}

impl StoreError {
    /// Answers "retry?".
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Conflict | Self::ClaimTaken => ErrorKind::Conflict,
            Self::Full | Self::Unavailable { .. } => ErrorKind::Transient,
            Self::Damaged { .. } => ErrorKind::Permanent,
        }
    }
}
