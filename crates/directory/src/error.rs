//! Why the directory did not do what it was asked.

use hermes_domain::pricing::Refusal;
use hermes_ports::StoreError;

use hermes_sealing::SealError;

/// Error of every change to the directory.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// No such record.
    #[error("no such record")]
    NotFound,
    /// The record is at another version than expected, or exists already.
    #[error("somebody else changed the record first")]
    Conflict,
    /// Another record has this name.
    #[error("the name is taken")]
    NameTaken,
    /// Nobody could administer anything without this key.
    #[error("it is the last key of an admin that works")]
    LastAdmin,
    /// The tenant has as many records of this kind as it may.
    #[error("there are {most} {what} already, which is the most")]
    Full {
        /// What there are too many of.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// A rate card would change what was charged, or begins with another one.
    #[error("the rate card is refused: {0:?}")]
    RateCard(Refusal),
    /// A stored record cannot be read: it was written by a later build, or is damaged.
    #[error("the stored {kind} {id} cannot be read")]
    Damaged {
        /// Kind of the record.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// A secret cannot be sealed or opened.
    #[error("the secret of {id} cannot be read or written")]
    Secret {
        /// Whose.
        id: String,
        /// Why.
        #[source]
        cause: SealError,
    },
    /// The registry failed.
    #[error("the registry failed")]
    Store(#[source] StoreError),
}

impl From<StoreError> for DirectoryError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::Conflict,
            other => Self::Store(other),
        }
    }
}
