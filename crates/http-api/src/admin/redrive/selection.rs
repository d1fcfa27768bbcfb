//! Which messages a redrive is about.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hermes_domain::{
    MessageId, TenantId, UnixMillis, address::Channel, cascade::StatusReason, message::Mode,
    tenant::TenantScope,
};
use serde_json::{Value, json};

use crate::{
    messages::cascade::CHANNELS,
    schema::{Faults, Object, boolean, choice, id, instant, integer, token},
};

/// Messages of one call unless it says otherwise, and at most.
const LIMIT_DEFAULT: u32 = 1_000;
const LIMIT_MAX: u32 = 10_000;

const WHAT: &[(&str, What)] = &[("parked", What::Parked), ("failed", What::Failed)];
const MODES: &[(&str, Mode)] = &[("live", Mode::Live), ("test", Mode::Test)];
/// Reasons for which messages end as `failed` or `expired`.
const REASONS: &[(&str, StatusReason)] = &[
    ("steps_exhausted", StatusReason::StepsExhausted),
    ("recipient_suppressed", StatusReason::RecipientSuppressed),
    ("expired", StatusReason::Expired),
];
/// Bytes of a cursor: tenant, mode, message.
const CURSOR_BYTES: usize = 33;

/// What was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// Actors that failed again and again.
    Parked,
    /// Messages that ended without reaching anybody.
    Failed,
}

impl What {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Parked => "parked",
            Self::Failed => "failed",
        }
    }
}

/// Where a redrive of failed messages stopped: behind this message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) scope: TenantScope,
    pub(super) message: MessageId,
}

/// Which messages, and what to do with them.
#[derive(Debug)]
pub(super) struct Selection {
    pub(super) what: What,
    pub(super) tenant: Option<TenantId>,
    pub(super) mode: Option<Mode>,
    pub(super) channel: Option<Channel>,
    pub(super) reason: Option<StatusReason>,
    pub(super) created_after: Option<UnixMillis>,
    pub(super) created_before: Option<UnixMillis>,
    /// At most so many, 1–10,000.
    pub(super) limit: usize,
    pub(super) cursor: Option<Cursor>,
    /// Only count.
    pub(super) dry_run: bool,
}

/// Reads a request.
pub(super) fn selection(fields: &mut Object, faults: &mut Faults) -> Option<Selection> {
    let what = fields.required("what", faults, choice(WHAT));
    let tenant = fields.optional("tenant_id", faults, id);
    let mode = fields.optional("mode", faults, choice(MODES));
    let channel = fields.optional("channel", faults, choice(CHANNELS));
    let reason = fields.optional("status_reason", faults, choice(REASONS));
    let created_after = fields.optional("created_after", faults, instant);
    let created_before = fields.optional("created_before", faults, instant);
    let limit = fields.optional("limit", faults, integer(1..=LIMIT_MAX)).unwrap_or(LIMIT_DEFAULT);
    let cursor = fields.optional("cursor", faults, cursor);
    let dry_run = fields.optional("dry_run", faults, boolean).unwrap_or(false);
    let what = what?;
    for (name, is_given) in [("status_reason", reason.is_some()), ("cursor", cursor.is_some())] {
        if what == What::Parked && is_given {
            let detail = "parked messages have not ended: this is for failed ones";
            faults.at_key(name, |faults| faults.note::<()>("not_applicable", detail));
        }
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    Some(Selection {
        what,
        tenant,
        mode,
        channel,
        reason,
        created_after,
        created_before,
        limit,
        cursor,
        dry_run,
    })
}

fn cursor(value: Value, faults: &mut Faults) -> Option<Cursor> {
    let text = token(1..=64)(value, faults)?;
    Cursor::parse(&text).or_else(|| faults.note("cursor", "expected next_cursor of an earlier redrive"))
}

impl Cursor {
    fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; CURSOR_BYTES] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (tenant, rest) = bytes.split_first_chunk::<16>()?;
        let (mode, message) = rest.split_first()?;
        let mode = match mode {
            0 => Mode::Live,
            1 => Mode::Test,
            _ => return None,
        };
        let tenant = TenantId::from_u128(u128::from_be_bytes(*tenant));
        let message = MessageId::from_u128(u128::from_be_bytes(message.try_into().ok()?));
        Some(Self { scope: TenantScope::new(tenant, mode), message })
    }

    pub(super) fn text(self) -> String {
        let mode: u8 = match self.scope.mode {
            Mode::Live => 0,
            Mode::Test => 1,
        };
        let (tenant, message) = (self.scope.tenant.as_u128(), self.message.as_u128());
        let bytes = [&tenant.to_be_bytes()[..], &[mode], &message.to_be_bytes()].concat();
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// The schema of a request.
pub(super) fn schema() -> Value {
    let words = |names: Vec<&str>| json!({ "type": ["string", "null"], "enum": names.into_iter().map(Value::from).chain([Value::Null]).collect::<Vec<_>>() });
    let instant =
        |what: &str| json!({ "type": ["string", "null"], "format": "date-time", "description": what });
    json!({
        "type": "object", "additionalProperties": false, "required": ["what"],
        "properties": {
            "what": { "type": "string", "enum": WHAT.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
                "description": "`parked`: whose actor failed again and again. `failed`: that ended as `failed` or `expired` without reaching anybody." },
            "tenant_id": { "type": ["string", "null"], "description": "Only this tenant's; without it every tenant's." },
            "mode": words(MODES.iter().map(|(name, _)| *name).collect()),
            "channel": words(CHANNELS.iter().map(|(name, _)| *name).collect()),
            "status_reason": words(REASONS.iter().map(|(name, _)| *name).collect()),
            "created_after": instant("Accepted at or after."),
            "created_before": instant("Accepted before."),
            "limit": { "type": ["integer", "null"], "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT,
                "description": "At most so many messages." },
            "cursor": { "type": ["string", "null"], "description": "`next_cursor` of an earlier redrive of failed messages: the older ones." },
            "dry_run": { "type": ["boolean", "null"], "default": false, "description": "`true`: only say what would become of them." },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_as_it_was_written_and_nothing_else_does() {
        for mode in [Mode::Live, Mode::Test] {
            let scope = TenantScope::new(TenantId::from_u128(7), mode);
            let cursor = Cursor { scope, message: MessageId::from_u128(9) };
            assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        }
        let unknown_mode = URL_SAFE_NO_PAD.encode([9; CURSOR_BYTES]);
        for wrong in ["", "AAAA", "?", unknown_mode.as_str()] {
            assert_eq!(Cursor::parse(wrong), None, "{wrong}");
        }
    }
}
