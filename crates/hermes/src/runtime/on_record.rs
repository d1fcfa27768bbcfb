//! The audit log for what is done to the store without the HTTP API.

use anyhow::Context as _;
use hermes_domain::access::Role;
use hermes_ports::{
    AuditLog, Clock as _,
    audit::{AuditCounts, AuditEvent, AuditPhase},
    clock::SystemClock,
};

/// Who acts without a key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Actor {
    /// Whoever runs a command on the store.
    CommandLine,
    /// The configuration, at a start.
    Bootstrap,
    /// `hermes dev`.
    Dev,
}

impl Actor {
    const fn as_str(self) -> &'static str {
        match self {
            Self::CommandLine => "command_line",
            Self::Bootstrap => "bootstrap",
            Self::Dev => "dev",
        }
    }
}

/// Does `work` between two entries: what is about to be done, and whether it was.
///
/// # Errors
/// Those of `work`, and when the log cannot be written.
pub(crate) async fn on_record<T>(
    log: &dyn AuditLog,
    clock: SystemClock,
    actor: Actor,
    (action, target): (&str, String),
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let event = AuditEvent {
        at: clock.now(),
        actor: actor.as_str().to_owned(),
        role: Role::Admin.as_str().to_owned(),
        owner: None,
        action: action.to_owned(),
        target,
        request_id: String::new(),
        counts: AuditCounts::new(),
        phase: AuditPhase::Intent,
    };
    let intent = log.append(event.clone()).await.context("could not write the audit log")?.sequence;
    let done = work.await;
    let status = if done.is_ok() { 200 } else { 500 };
    let phase = AuditPhase::Outcome { intent: Some(intent), status };
    let outcome = AuditEvent { at: clock.now(), phase, ..event };
    log.append(outcome).await.context("could not write the audit log")?;
    done
}
