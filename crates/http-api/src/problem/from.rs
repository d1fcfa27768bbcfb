//! How failures below the API look to a client: never with internal detail.

use std::error::Error;

use hermes_directory::DirectoryError;
use hermes_ports::{StoreError, cascade_inbox::DeliverError, store_error::ErrorKind};
use tracing::error;

use super::{Code, Problem};

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
            DirectoryError::Store(cause) => cause.into(),
            DirectoryError::Damaged { .. } | DirectoryError::Secret { .. } => {
                error!(error = &failure as &dyn Error, "a record could not be read or written");
                Self::new(Code::Internal, "A record could not be read or written.")
            }
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
