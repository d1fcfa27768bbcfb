//! One submission of a message to one provider.

use serde::{Deserialize, Serialize};

use super::AdapterVersion;
use crate::{
    ConnectionId, UnixMillis,
    message::Envelope,
    money::Money,
    outcome::{ErrorClass, Failure, Level},
    plan::Candidate,
};

/// Where an attempt stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum AttemptStatus {
    /// On record; the provider may be processing it.
    Submitting,
    /// The provider confirmed this level.
    Reached(Level),
    /// A receipt: it did not reach the recipient.
    Undelivered,
    /// The provider could not or would not process it.
    Failed,
    /// The provider refused it.
    Rejected,
    /// Its validity ran out at the provider.
    Expired,
    /// Nobody knows whether the provider processed it.
    OutcomeUnknown,
}

impl AttemptStatus {
    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submitting => "submitting",
            Self::Reached(level) => level.as_str(),
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::OutcomeUnknown => "outcome_unknown",
        }
    }

    /// The confirmed level, if any.
    pub const fn level(self) -> Option<Level> {
        match self {
            Self::Reached(level) => Some(level),
            Self::Submitting | Self::Undelivered | Self::Failed => None,
            Self::Rejected | Self::Expired | Self::OutcomeUnknown => None,
        }
    }

    /// Whether it is known that the recipient did not get it from this attempt.
    pub const fn is_negative(self) -> bool {
        match self {
            Self::Undelivered | Self::Failed | Self::Rejected | Self::Expired => true,
            Self::Submitting | Self::Reached(_) | Self::OutcomeUnknown => false,
        }
    }
}

/// An attempt. Attempts are numbered per message from 1, in order of submission.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Attempt {
    /// Index of the step in the plan.
    pub step: u8,
    /// Index of the connection among the step's candidates.
    pub candidate: u8,
    /// Which build of the adapter carried it.
    pub adapter_version: AdapterVersion,
    /// Where it stands.
    pub status: AttemptStatus,
    /// When it was put on record.
    pub submitted_at: UnixMillis,
    /// When its status last became final, if it did.
    pub completed_at: Option<UnixMillis>,
    /// The provider's id of it.
    pub provider_message_id: Option<String>,
    /// SMS segments, once told.
    pub segments: Option<u16>,
    /// Price, once told.
    pub cost: Option<Money>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// The provider may have processed it although it did not say so.
    pub outcome_unknown: bool,
}

impl Attempt {
    /// Longest provider id kept, in bytes.
    pub const PROVIDER_ID_BYTES_MAX: usize = 200;

    /// The connection it went through; `None` only for an envelope of another message.
    pub fn connection(&self, envelope: &Envelope) -> Option<ConnectionId> {
        self.candidate_of(envelope).map(|candidate| candidate.connection)
    }

    /// What the plan says about that connection; `None` as above.
    pub fn candidate_of<'a>(&self, envelope: &'a Envelope) -> Option<&'a Candidate> {
        envelope.plan.steps.get(usize::from(self.step))?.candidates.get(usize::from(self.candidate))
    }

    /// Whether the provider would take the content's alternate instead.
    pub fn needs_alternate(&self) -> bool {
        self.error.as_ref().is_some_and(|error| error.class == ErrorClass::NeedsAlternate)
    }

    /// Whether it may yet turn out to have reached the recipient.
    pub const fn is_open(&self) -> bool {
        match self.status {
            AttemptStatus::Submitting | AttemptStatus::Reached(_) | AttemptStatus::OutcomeUnknown => true,
            AttemptStatus::Undelivered | AttemptStatus::Failed => false,
            AttemptStatus::Rejected | AttemptStatus::Expired => false,
        }
    }
}
