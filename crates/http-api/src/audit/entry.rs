//! An entry of the audit log as its tenant sees it.

use hermes_ports::audit::{AuditCounts, AuditEntry, AuditPhase};
use serde::Serialize;
use utoipa::ToSchema;

/// Something that one of the tenant's keys was about to change, or has changed. Its number in the log and its hash are
/// for operators: they tell of other tenants' entries.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Change)]
pub(super) struct ChangeView {
    /// When.
    at: String,
    /// Id of the key.
    actor: String,
    /// Id of the operation in this document.
    action: String,
    /// To what: the path below `/v1`, of what was made the path that it has now.
    target: String,
    /// Id of the request, which an intent and its outcome have in common.
    request_id: String,
    /// `intent`: about to be done. `outcome`: over. An intent without an outcome may or may not have been done.
    phase: &'static str,
    /// Of an outcome: status of the answer.
    status: Option<u16>,
    /// How much it concerned, for actions that are counted, such as an import.
    counts: AuditCounts,
}

impl ChangeView {
    pub(super) fn of(entry: AuditEntry) -> Self {
        let (phase, status) = match entry.event.phase {
            AuditPhase::Intent => ("intent", None),
            AuditPhase::Outcome { status, .. } => ("outcome", Some(status)),
        };
        Self {
            at: entry.event.at.rfc3339(),
            actor: entry.event.actor,
            action: entry.event.action,
            target: entry.event.target,
            request_id: entry.event.request_id,
            phase,
            status,
            counts: entry.event.counts,
        }
    }
}
