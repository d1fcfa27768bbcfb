//! The list of addresses that a provider itself does not write to. `Debug` never shows an address.

use std::fmt;

use hermes_domain::{outcome::Failure, suppression::SuppressionReason};

/// What to do with a provider's list.
#[derive(Clone, PartialEq, Eq)]
pub enum ListOperation {
    /// Put an address on it.
    Add {
        /// Phone number in E.164, or mail address.
        address: String,
        /// Why.
        reason: SuppressionReason,
    },
    /// Take an address off it.
    Remove {
        /// Phone number in E.164, or mail address.
        address: String,
    },
    /// Read a part of it.
    Page {
        /// Where the part before ended; `None`: from the start.
        cursor: Option<String>,
    },
}

impl ListOperation {
    /// Its name: a metric's label.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Add { .. } => "add",
            Self::Remove { .. } => "remove",
            Self::Page { .. } => "read",
        }
    }
}

impl fmt::Debug for ListOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// An address on a provider's list.
#[derive(Clone, PartialEq, Eq)]
pub struct ListEntry {
    /// As the provider writes it; at most 320 bytes.
    pub address: String,
    /// Why, if the provider tells.
    pub reason: Option<SuppressionReason>,
}

impl fmt::Debug for ListEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListEntry").field("reason", &self.reason).finish_non_exhaustive()
    }
}

/// A part of a provider's list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ListPage {
    /// At most 10,000, in any order; one may come twice.
    pub entries: Vec<ListEntry>,
    /// Where to go on, now or at the next reading; `None`: from the start.
    pub cursor: Option<String>,
    /// Whether there is another part now.
    pub more: bool,
}

/// What became of an operation on a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ListAnswer {
    /// The address is on the list, or off it, as wanted.
    Done,
    /// What was read.
    Page(ListPage),
    /// The provider will never do it.
    Refused(Failure),
    /// Not now.
    Throttled {
        /// How long to wait, in milliseconds, if the provider told.
        retry_after_ms: Option<u64>,
        /// What it said.
        failure: Failure,
    },
    /// It failed, and may work later.
    Failed(Failure),
}
