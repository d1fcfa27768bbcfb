//! The cascade: how one message is carried through its plan.
//!
//! [`begin`], [`step()`] and [`resume`] decide; whoever calls them persists the result and only then acts.
//! Nothing else changes a cascade.

mod attempt;
mod candidates;
mod codec;
mod conclude;
mod deadline;
pub mod invariants;
mod lookup;
mod moves;
mod outcome;
mod parts;
mod receipt;
mod redrive;
mod state;
mod step;
mod timeline;
mod version;
mod view;

#[cfg(test)]
mod tests;

pub use attempt::{Attempt, AttemptStatus, Charge};
pub use codec::{DecodeError, decode, encode};
pub use lookup::{lookup_before, receipt_of_lookup};
pub use parts::ArrivedPart;
pub use redrive::{NotRedrivable, REDRIVABLE_MS, is_given_up, redrivable};
pub use state::{Flags, Phase, State, StatusReason};
pub use step::{Cascade, Effect, Event, StepError, Transition, begin, resume, step};
pub use timeline::{TIMELINE_MAX, Timeline, TimelineEntry};
pub use version::AdapterVersion;
pub use view::{MessageStatus, WaitingFor};
