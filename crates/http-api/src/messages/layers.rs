//! What a message must pass before it is accepted: nine layers, one file each, in this order.
//!
//! | layer | asks | refuses with |
//! |---|---|---|
//! | auth | who calls, and with which scope ([`crate::gate`]) | `unauthenticated`, `forbidden` |
//! | [`tenant`] | may the tenant send at all, and on which channels | `tenant_suspended`, `quota_exceeded` |
//! | [`schema`] | is the request well formed: types, limits, addresses, the cascade that it names | `schema_invalid`, `recipient_invalid` |
//! | [`content`] | would a provider take it: length, links, placeholders, files | `content_rejected` |
//! | [`compliance`] | country, sender, consent, unsubscription, quiet hours | `compliance_blocked`, `sender_unverified`, `outside_window` |
//! | [`dnc`] | has the recipient said no | `recipient_suppressed` |
//! | [`rate`] | is there room in the tenant's windows | `rate_limited` |
//! | [`dedup`] | was it accepted already | `duplicate_suppressed`, `idempotency_mismatch` |
//! | [`enrich`] | nothing: it fills in what is known of the recipient, and defaults | |
//!
//! Routing comes before `dnc`, as a suppression may be about a sender, which may be a connection's own. The cheap
//! questions come first: up to `compliance` a refusal costs no look into a store. Nothing is stored or counted for a message
//! that is refused.

pub(super) mod compliance;
pub(super) mod content;
pub(crate) mod dedup;
pub(super) mod dnc;
pub(super) mod enrich;
mod links;
pub(crate) mod rate;
mod recipient;
pub(super) mod schema;
pub(super) mod tenant;

use hermes_domain::address::Channel;

use crate::problem::{Code, Problem};

/// A channel that a layer closes for one message: its steps leave the plan with a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blocked {
    pub(super) channel: Channel,
    /// Code of the warning.
    pub(super) code: &'static str,
    pub(super) detail: String,
    /// What the message is refused with when no step remains.
    pub(super) refusal: Code,
}

/// Refusals, in the order of the layers.
#[derive(Debug)]
pub(super) struct Findings {
    exhaustive: bool,
    problems: Vec<Problem>,
}

/// A layer has refused, and nobody wants to know what the others think.
#[derive(Debug)]
pub(super) struct Stopped;

impl Findings {
    /// Stops at the first refusal, unless every one is wanted.
    pub(super) const fn new(exhaustive: bool) -> Self {
        Self { exhaustive, problems: Vec::new() }
    }

    /// What a layer made of the message, if it did not refuse.
    pub(super) fn note<T>(&mut self, verdict: Result<T, Problem>) -> Result<Option<T>, Stopped> {
        match verdict {
            Ok(made) => Ok(Some(made)),
            Err(problem) => {
                self.problems.push(problem);
                if self.exhaustive { Ok(None) } else { Err(Stopped) }
            }
        }
    }

    pub(super) fn problems(self) -> Vec<Problem> {
        self.problems
    }

    pub(super) const fn are_none(&self) -> bool {
        self.problems.is_empty()
    }
}
