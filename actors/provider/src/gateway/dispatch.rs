//! Submissions run in tasks of their own, from the permit to the durable outcome.

use std::{sync::Arc, time::Duration};

use hermes_domain::{
    AttemptRef,
    outcome::{ErrorClass, Failure, Outcome},
};
use hermes_ports::{
    adapter::AdapterFault,
    kill_point,
    provider_gateway::{Dispatch, Permit},
};
use tokio::time::Instant;
use tracing::{Instrument, info_span};

use crate::{
    admission::Verdict,
    call::{self, Ended, Session},
    line::CallPermit,
    meters, report,
    shared::Shared,
};

/// Marks an attempt as in flight, until its outcome is durable or given up.
struct InFlight {
    shared: Arc<Shared>,
    attempt: AttemptRef,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.shared.running.remove(&self.attempt);
    }
}

pub(super) fn dispatch(shared: &Arc<Shared>, permit: Permit, dispatch: Dispatch) {
    let attempt = dispatch.call.reference;
    if shared.running.insert(attempt, ()).is_some() {
        // The caller persisted this attempt once; whatever asks again must not send again.
        tracing::error!(message.id = %attempt.message, attempt.number = attempt.attempt, "dispatched twice");
        return;
    }
    let span = info_span!(
        "dispatch",
        provider.connection = %permit.connection,
        message.id = %attempt.message,
        attempt.number = attempt.attempt,
        outcome = tracing::field::Empty,
    );
    let running = InFlight { shared: Arc::clone(shared), attempt };
    shared.tasks.spawn(run(running, permit, dispatch).instrument(span));
}

async fn run(running: InFlight, permit: Permit, dispatch: Dispatch) {
    let (shared, attempt, connection) = (&running.shared, running.attempt, permit.connection);
    let outcome = match permit.guard.into_any().downcast::<CallPermit>() {
        Ok(permit) => Box::pin(call(shared, *permit, dispatch)).await,
        Err(_) => not_sent("the permit is not ours"),
    };
    tracing::Span::current().record("outcome", meters::label(&outcome));
    kill_point::pass("outcome.before");
    let accepted = if let Outcome::Accepted(accepted) = &outcome { Some(accepted.clone()) } else { None };
    let durable = report::outcome(shared, attempt, outcome).await;
    if let Some(accepted) = accepted.filter(|_| durable) {
        report::orphans(shared, connection, attempt, &accepted).await;
    }
}

async fn call(shared: &Arc<Shared>, mut permit: CallPermit, dispatch: Dispatch) -> Outcome {
    let Dispatch { call, not_after, deadline } = dispatch;
    let now = shared.ports.clock.now();
    if now >= not_after || now >= deadline {
        // The permit goes back unused.
        return not_sent("too late to start the call");
    }
    let started = Instant::now();
    permit.start();
    let line = Arc::clone(permit.line());
    let limit = shared.call_limit(&line.access().connection);
    let limit = limit.min(Duration::from_millis(deadline.since(now)));
    let ended = match Session::open(shared, &line, limit) {
        Ok(session) => call::submit(&session.start_by(not_after), call).await,
        Err(fault) => Ended { outcome: adapter_fault(&fault), verdict: Verdict::Neutral },
    };
    permit.finish(&ended.outcome, ended.verdict, started.elapsed());
    ended.outcome
}

fn not_sent(why: &str) -> Outcome {
    Outcome::NotSent(Failure::new(ErrorClass::Unknown, why))
}

/// The outcome of a call that its adapter could not begin.
pub(super) fn adapter_fault(fault: &AdapterFault) -> Outcome {
    Outcome::AdapterFault(Failure::new(ErrorClass::Unknown, &fault.to_string()))
}
