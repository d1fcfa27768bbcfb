//! How failures below the API look to a client: never with internal detail.

use std::error::Error;

use hermes_directory::DirectoryError;
use hermes_domain::pricing::Refusal;
use hermes_ports::{StoreError, cascade_inbox::DeliverError, store_error::ErrorKind};
use tracing::error;

use super::{Code, Fault, Problem};

impl From<StoreError> for Problem {
    fn from(failure: StoreError) -> Self {
        error!(error = &failure as &dyn Error, "the store did not serve a request");
        match failure.kind() {
            ErrorKind::Transient | ErrorKind::Conflict => {
                Self::new(Code::Overloaded, "The store is away for a moment; try again.")
            }
            ErrorKind::Permanent => Self::new(Code::Internal, "A stored record cannot be read."),
        }
    }
}

impl From<DirectoryError> for Problem {
    fn from(failure: DirectoryError) -> Self {
        match failure {
            DirectoryError::NotFound => Self::not_found(),
            DirectoryError::Conflict => {
                Self::new(Code::VersionConflict, "Somebody else changed it; read it again.")
            }
            DirectoryError::Full { what, most } => {
                Self::new(Code::Conflict, format!("There are {most} {what} already, the most there may be."))
            }
            DirectoryError::LastAdmin => {
                let detail =
                    "It is the last operator key with the role admin that works: make another one first.";
                Self::new(Code::Conflict, detail)
            }
            DirectoryError::NameTaken => Self::new(Code::Conflict, "The name is taken."),
            DirectoryError::RateCard(refusal) => rate_card(refusal),
            DirectoryError::Store(cause) => cause.into(),
            DirectoryError::Damaged { .. } | DirectoryError::Secret { .. } => {
                error!(error = &failure as &dyn Error, "a record could not be read or written");
                Self::new(Code::Internal, "A record could not be read or written.")
            }
        }
    }
}

fn rate_card(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Settled => {
            let detail = "It has counted for a day that is over and stays as it is. Make one with a later `valid_from`.";
            Problem::new(Code::Conflict, detail)
        }
        Refusal::DayTaken => {
            Problem::new(Code::Conflict, "Another rate card of the tenant begins on that day.")
        }
        Refusal::RewritesHistory => {
            let detail = "expected today or a later day: for that day there was a rate card already";
            let fault = Fault::new("/valid_from", "over", detail);
            let detail = "The rate card would change what was charged.";
            Problem::new(Code::SchemaInvalid, detail).with_faults(vec![fault])
        }
    }
}

impl From<DeliverError> for Problem {
    fn from(failure: DeliverError) -> Self {
        match failure {
            DeliverError::Unknown(_) => Self::not_found(),
            DeliverError::Retry => Self::new(Code::Overloaded, "The message is busy; try again."),
            DeliverError::Store(cause) => cause.into(),
        }
    }
}
