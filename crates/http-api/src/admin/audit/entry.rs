//! An entry of the audit log as operators see it.

use hermes_ports::audit::{AuditCounts, AuditEntry, AuditPhase, hex};
use serde::Serialize;
use utoipa::ToSchema;

/// Something that somebody was about to do, or has done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(super) struct EntryView {
    /// Its number, from 1 without gaps.
    sequence: u64,
    /// When.
    at: String,
    /// `operator`, or `tenant` for a tenant's key.
    actor_kind: &'static str,
    /// Id of the key, or `command_line`, `bootstrap`, `dev` for what was done to the store directly.
    actor: String,
    /// What the actor may do: an operator's role, or the scope that a tenant's key used.
    role: String,
    /// Whose key it is; null for operators.
    tenant_id: Option<String>,
    /// The mode of a tenant's key; null for operators.
    mode: Option<&'static str>,
    /// Id of the operation in this document, or of the command.
    action: String,
    /// To what: the path below `/admin/v1` or, of a tenant's key, below `/v1`.
    target: String,
    /// Id of the request; null where there was none.
    request_id: Option<String>,
    /// `intent`: about to be done. `outcome`: over. An intent without an outcome may or may not have been done.
    phase: &'static str,
    /// Of an outcome: the entry that announced it; null when it was refused for want of a role.
    intent: Option<u64>,
    /// Of an outcome: status of the answer.
    status: Option<u16>,
    /// How much it concerned, for actions that are counted, such as an import.
    counts: AuditCounts,
    /// SHA-256 over the hash before it and the entry, in hexadecimal.
    hash: String,
}

impl EntryView {
    pub(super) fn of(entry: AuditEntry) -> Self {
        let (phase, intent, status) = match entry.event.phase {
            AuditPhase::Intent => ("intent", None, None),
            AuditPhase::Outcome { intent, status } => ("outcome", intent, Some(status)),
        };
        Self {
            sequence: entry.sequence,
            at: entry.event.at.rfc3339(),
            actor_kind: entry.event.actor_kind().as_str(),
            actor: entry.event.actor,
            role: entry.event.role,
            tenant_id: entry.event.owner.map(|owner| owner.tenant.to_string()),
            mode: entry.event.owner.map(|owner| owner.mode.as_str()),
            action: entry.event.action,
            target: entry.event.target,
            request_id: Some(entry.event.request_id).filter(|id| !id.is_empty()),
            phase,
            intent,
            status,
            counts: entry.event.counts,
            hash: hex(&entry.hash),
        }
    }
}
