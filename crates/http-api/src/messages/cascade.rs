//! Cascades as tenants write them.

use hermes_domain::{
    address::Channel,
    outcome::Level,
    plan::{OnLateReceipt, OnServerError, OnUnknownOutcome, STEPS_MAX},
};
use serde_json::Value;

use crate::schema::{Faults, Object, choice, integer, list, object, text};

/// Longest `timeout_s` (three days).
pub(crate) const TIMEOUT_S_MAX: u32 = 259_200;
/// Most connections that a step may name.
const PROVIDERS_MAX: usize = 20;
/// Longest name of a connection, in characters.
pub(crate) const NAME_CHARS_MAX: usize = 100;

pub(crate) const CHANNELS: &[(&str, Channel)] = &[
    ("sms", Channel::Sms),
    ("email", Channel::Email),
    ("push", Channel::Push),
    ("whatsapp", Channel::Whatsapp),
];
const LEVELS: &[(&str, Level)] = &[
    ("accepted", Level::Accepted),
    ("sent", Level::Sent),
    ("delivered", Level::Delivered),
    ("read", Level::Read),
    ("acknowledged", Level::Acknowledged),
];
const LATE: &[(&str, OnLateReceipt)] =
    &[("stop_remaining", OnLateReceipt::StopRemaining), ("record", OnLateReceipt::Record)];
const UNKNOWN: &[(&str, OnUnknownOutcome)] = &[
    ("wait", OnUnknownOutcome::Wait),
    ("resend", OnUnknownOutcome::Resend),
    ("next_provider", OnUnknownOutcome::NextProvider),
    ("next_channel", OnUnknownOutcome::NextChannel),
];
const SERVER_ERROR: &[(&str, OnServerError)] = &[
    ("next_provider", OnServerError::NextProvider),
    ("resend", OnServerError::Resend),
    ("next_channel", OnServerError::NextChannel),
    ("wait", OnServerError::Wait),
];

/// Steps and policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CascadeSpec {
    pub(crate) steps: Vec<StepSpec>,
    pub(crate) on_late_receipt: OnLateReceipt,
    pub(crate) on_unknown_outcome: OnUnknownOutcome,
    pub(crate) on_server_error: OnServerError,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepSpec {
    pub(crate) channel: Channel,
    /// Names of connections; empty: whichever there are.
    pub(crate) providers: Vec<String>,
    pub(crate) success_on: Option<Level>,
    pub(crate) timeout_s: Option<u32>,
}

/// Reads an inline or a stored cascade.
pub(crate) fn cascade(value: Value, faults: &mut Faults) -> Option<CascadeSpec> {
    object(fields)(value, faults)
}

fn fields(object: &mut Object, faults: &mut Faults) -> Option<CascadeSpec> {
    let steps = object.required("steps", faults, list(1..=STEPS_MAX, step));
    let on_late_receipt = object.optional("on_late_receipt", faults, choice(LATE)).unwrap_or_default();
    let on_unknown_outcome =
        object.optional("on_unknown_outcome", faults, choice(UNKNOWN)).unwrap_or_default();
    let on_server_error =
        object.optional("on_server_error", faults, choice(SERVER_ERROR)).unwrap_or_default();
    Some(CascadeSpec { steps: steps?, on_late_receipt, on_unknown_outcome, on_server_error })
}

fn step(value: Value, faults: &mut Faults) -> Option<StepSpec> {
    object(|object, faults| {
        let channel = object.required("channel", faults, choice(CHANNELS));
        let providers =
            object.optional("providers", faults, list(1..=PROVIDERS_MAX, text(1..=NAME_CHARS_MAX)));
        let success_on = object.optional("success_on", faults, choice(LEVELS));
        let timeout_s = object.optional("timeout_s", faults, integer(1..=TIMEOUT_S_MAX));
        Some(StepSpec { channel: channel?, providers: providers.unwrap_or_default(), success_on, timeout_s })
    })(value, faults)
}
