//! `[cascade]` and `[admission]`: how messages run, and how many at a time.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::DAY_S;
use crate::reader::Reader;

/// How messages run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cascade {
    /// A wait longer than this is spent outside memory.
    pub passivate_after: Duration,
    /// Dispatches within one step.
    pub attempts_per_step: u16,
    /// Of so many messages in a hundred another connection than the best goes first.
    pub exploration_percent: u8,
    /// When a message ends if its sender named no expiry.
    pub default_expiry: Duration,
    /// Failures in a row that park a message.
    pub poison_failures_max: u32,
    /// How long a step may take if its cascade does not say.
    pub step_timeout: StepTimeouts,
}

/// The default limit of a step, by channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepTimeouts {
    /// Of an SMS step.
    pub sms: Duration,
    /// Of an email step.
    pub email: Duration,
    /// Of a push step.
    pub push: Duration,
    /// Of a WhatsApp step.
    pub whatsapp: Duration,
}

/// Messages that one tenant may have under way, from acceptance to the first wait for a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// In the lane `otp`.
    pub otp_max: NonZeroUsize,
    /// In the lane `transactional`.
    pub transactional_max: NonZeroUsize,
    /// In the lane `bulk`.
    pub bulk_max: NonZeroUsize,
}

/// The bounds that the API sets for a step and for an expiry.
const STEP_TIMEOUT_S_MAX: u64 = 3 * DAY_S;

impl Cascade {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        Self {
            passivate_after: reader.seconds("cascade.passivate_after_s", 1..=DAY_S),
            attempts_per_step: reader.integer("cascade.attempts_per_step", 1..=100),
            exploration_percent: reader.integer("cascade.exploration_percent", 0..=50),
            default_expiry: reader.seconds("cascade.default_expiry_s", 1..=90 * DAY_S),
            poison_failures_max: reader.integer("cascade.poison_failures_max", 1..=100),
            step_timeout: StepTimeouts::read(reader),
        }
    }
}

impl StepTimeouts {
    fn read(reader: &mut Reader) -> Self {
        let mut seconds = |key| reader.seconds(key, 1..=STEP_TIMEOUT_S_MAX);
        Self {
            sms: seconds("cascade.step_timeout.sms_s"),
            email: seconds("cascade.step_timeout.email_s"),
            push: seconds("cascade.step_timeout.push_s"),
            whatsapp: seconds("cascade.step_timeout.whatsapp_s"),
        }
    }
}

impl Admission {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        let mut count = |key| reader.count(key, 10_000_000);
        Self {
            otp_max: count("admission.otp_max"),
            transactional_max: count("admission.transactional_max"),
            bulk_max: count("admission.bulk_max"),
        }
    }
}
