//! The decision: from a cascade and an event to the next state and what must be done.

use std::sync::Arc;

use super::{
    AdapterVersion, Attempt, AttemptStatus, Phase, State, StatusReason, Timeline, conclude, deadline,
    moves::Move, outcome, receipt,
};
use crate::{
    ConnectionId, UnixMillis,
    event::EventKind,
    message::Envelope,
    outcome::{Outcome, Receipt},
};

/// A cascade: what never changes, and what does.
#[derive(Clone, Debug)]
pub struct Cascade {
    /// Written once at acceptance.
    pub envelope: Arc<Envelope>,
    /// Written at every transition.
    pub state: State,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A connection will take a submission now.
    Permit {
        /// Which candidate of the current step.
        candidate: u8,
        /// The adapter build that will carry it.
        adapter_version: AdapterVersion,
    },
    /// No connection of the current step can ever take it (removed, held, adapter missing).
    NoRoute,
    /// The recipient must not be written to on the current step's channel: a suppression forbids it.
    Suppressed,
    /// The call of an attempt ended.
    Outcome {
        /// Its number.
        attempt: u16,
        /// What became of it.
        outcome: Outcome,
    },
    /// A verified receipt arrived.
    Receipt {
        /// The attempt it names.
        attempt: u16,
        /// The connection it came through.
        connection: ConnectionId,
        /// What it says.
        receipt: Receipt,
    },
    /// The due time has come.
    Due,
    /// The tenant wants it stopped.
    Cancel,
    /// The recipient's app or the tenant says that it arrived.
    Acknowledge,
    /// The actor was restarted and has reloaded this state.
    Recovered,
    /// After a restart, nothing is known to be in flight for a submitting attempt.
    Interrupted {
        /// Its number.
        attempt: u16,
    },
}

impl Event {
    /// Its name in logs and traces.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Permit { .. } => "permit",
            Self::NoRoute => "no_route",
            Self::Suppressed => "suppressed",
            Self::Outcome { .. } => "outcome",
            Self::Receipt { .. } => "receipt",
            Self::Due => "due",
            Self::Cancel => "cancel",
            Self::Acknowledge => "acknowledge",
            Self::Recovered => "recovered",
            Self::Interrupted { .. } => "interrupted",
        }
    }
}

/// What must be done once the next state is durable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Ask for a permit of the first of these candidates that has one; they are indexes into the step.
    Acquire {
        /// In order of preference; never empty.
        candidates: Vec<u8>,
    },
    /// Submit this attempt with the permit that was granted.
    Dispatch {
        /// Its number.
        attempt: u16,
    },
    /// Find out whether this attempt's call is still running; if not, report `Interrupted`.
    Reconcile {
        /// Its number.
        attempt: u16,
    },
    /// Remember that the provider of this attempt has the recipient on its own list: nobody is written to again who
    /// said STOP there. Repeated by the provider's next refusal, should it be lost.
    RememberOptOut {
        /// Its number.
        attempt: u16,
    },
}

/// A decision.
#[derive(Clone, Debug)]
pub struct Transition {
    /// The state to persist.
    pub next: State,
    /// What to do afterwards, in order.
    pub effects: Vec<Effect>,
}

/// Why an event changes nothing. None of these is a failure of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// It answers something that is no longer being waited for, or repeats what is known.
    #[error("the event is stale")]
    Stale,
    /// The receipt does not belong to the attempt that it names: kept aside, never applied.
    #[error("the receipt does not belong to this attempt")]
    Quarantined,
    /// The message has ended.
    #[error("the message has ended")]
    Terminal,
}

/// The first state of an accepted message.
///
/// A message that starts now asks for a permit; one for later only waits.
pub fn begin(envelope: &Arc<Envelope>, now: UnixMillis) -> Transition {
    let state = State {
        phase: Phase::Pending,
        step: 0,
        step_started_at: now,
        attempts: Vec::new(),
        timeline: Timeline::default(),
        flags: super::Flags::default(),
        reason: StatusReason::None,
        cancel_requested: false,
        updated_at: now,
        completed_at: None,
        confirmed_at: None,
        arrived_parts: Vec::new(),
    };
    let mut moves = Move::new(envelope, state, now);
    moves.note(EventKind::MessageAccepted);
    match envelope.send_at.filter(|send_at| *send_at > now) {
        Some(until) => {
            moves.next.phase = Phase::Scheduled { until };
            moves.next.reason = StatusReason::SendAt;
            moves.note(EventKind::MessageScheduled);
        }
        None => moves.start_step(0),
    }
    moves.done()
}

/// Decides what follows from `event`. Pure: same inputs, same transition.
///
/// # Errors
/// See [`StepError`]; the cascade stays as it is.
pub fn step(cascade: &Cascade, event: Event, now: UnixMillis) -> Result<Transition, StepError> {
    let mut moves = Move::new(&cascade.envelope, cascade.state.clone(), now);
    match event {
        Event::Permit { candidate, adapter_version } => submit(&mut moves, candidate, adapter_version)?,
        Event::NoRoute => no_route(&mut moves)?,
        Event::Suppressed => suppressed(&mut moves)?,
        Event::Outcome { attempt, outcome } => outcome::apply(&mut moves, attempt, outcome)?,
        Event::Interrupted { attempt } => outcome::interrupted(&mut moves, attempt)?,
        Event::Receipt { attempt, connection, receipt } => {
            receipt::apply(&mut moves, attempt, connection, receipt)?;
        }
        Event::Acknowledge => receipt::acknowledge(&mut moves)?,
        Event::Due => deadline::due(&mut moves)?,
        Event::Cancel => cancel(&mut moves)?,
        Event::Recovered => moves.note(EventKind::ActorRecovered),
    }
    let transition = moves.done();
    debug_assert_eq!(super::invariants::violated(cascade, &transition.next), None);
    Ok(transition)
}

/// What a reloaded cascade still owes. Called once after a restart; never dispatches a `Submitting`.
pub fn resume(cascade: &Cascade, now: UnixMillis) -> Transition {
    let mut moves = Move::new(&cascade.envelope, cascade.state.clone(), now);
    match cascade.state.phase {
        Phase::Pending => moves.acquire(),
        Phase::Submitting { attempt, .. } => moves.effects.push(Effect::Reconcile { attempt }),
        Phase::Backoff { .. } => moves.acquire_meanwhile(),
        Phase::Scheduled { .. } | Phase::AwaitingReceipt { .. } => {}
        Phase::Delivered | Phase::SentUnconfirmed | Phase::Failed | Phase::Expired | Phase::Cancelled => {}
    }
    Transition { next: cascade.state.clone(), effects: moves.effects }
}

fn submit(moves: &mut Move<'_>, candidate: u8, adapter_version: AdapterVersion) -> Result<(), StepError> {
    let ready = match moves.next.phase {
        Phase::Pending => true,
        Phase::Backoff { until, .. } => {
            moves.now >= until || moves.next.wanted_meanwhile(moves.envelope).contains(&candidate)
        }
        Phase::Scheduled { .. } | Phase::Submitting { .. } | Phase::AwaitingReceipt { .. } => false,
        Phase::Delivered | Phase::SentUnconfirmed | Phase::Failed | Phase::Expired | Phase::Cancelled => {
            false
        }
    };
    let known = usize::from(candidate) < moves.step().candidates.len();
    // A call that is cut off a moment after its start tells nobody anything: the step ends without it.
    let too_late = moves.now.plus_ms(State::CALL_AT_LEAST_MS) >= moves.step_deadline();
    if !ready || !known || too_late {
        return Err(StepError::Stale);
    }
    moves.next.attempts.push(Attempt {
        step: moves.next.step,
        candidate,
        adapter_version,
        status: AttemptStatus::Submitting,
        submitted_at: moves.now,
        completed_at: None,
        provider_message_id: None,
        segments: None,
        cost: None,
        error: None,
        outcome_unknown: false,
    });
    let attempt = moves.next.last_attempt();
    moves.next.phase = Phase::Submitting { attempt, not_after: moves.now.plus_ms(State::SUBMIT_WITHIN_MS) };
    moves.note_attempt(EventKind::AttemptSubmitted, attempt);
    moves.effects.push(Effect::Dispatch { attempt });
    Ok(())
}

fn no_route(moves: &mut Move<'_>) -> Result<(), StepError> {
    match moves.next.phase {
        // Those that were tried are asked again after the pause.
        Phase::Backoff { until, .. } if until < moves.step_deadline() => Err(StepError::Stale),
        Phase::Pending | Phase::Backoff { .. } => {
            moves.give_up();
            Ok(())
        }
        Phase::Scheduled { .. } | Phase::Submitting { .. } | Phase::AwaitingReceipt { .. } => {
            Err(StepError::Stale)
        }
        Phase::Delivered | Phase::SentUnconfirmed | Phase::Failed | Phase::Expired | Phase::Cancelled => {
            Err(StepError::Terminal)
        }
    }
}

/// The step ends without an attempt, as if the provider had told that the recipient opted out. What is with a provider
/// already cannot be called back.
fn suppressed(moves: &mut Move<'_>) -> Result<(), StepError> {
    match moves.next.phase {
        // Only connections that were not tried were asked for: another sender's may be clear.
        Phase::Backoff { until, .. } if until < moves.step_deadline() => Err(StepError::Stale),
        Phase::Pending | Phase::Backoff { .. } => {
            moves.note(EventKind::StepSuppressed);
            moves.advance();
            if moves.next.phase == Phase::Failed {
                moves.next.reason = StatusReason::RecipientSuppressed;
            }
            Ok(())
        }
        Phase::Scheduled { .. } | Phase::Submitting { .. } | Phase::AwaitingReceipt { .. } => {
            Err(StepError::Stale)
        }
        Phase::Delivered | Phase::SentUnconfirmed | Phase::Failed | Phase::Expired | Phase::Cancelled => {
            Err(StepError::Terminal)
        }
    }
}

/// Immediate while nothing is with a provider; otherwise no further attempt starts.
fn cancel(moves: &mut Move<'_>) -> Result<(), StepError> {
    match moves.next.phase {
        Phase::Scheduled { .. } | Phase::Pending | Phase::Backoff { .. } => {
            conclude::conclude(moves, conclude::Ending::Cancelled);
            Ok(())
        }
        Phase::Submitting { .. } | Phase::AwaitingReceipt { .. } => {
            if moves.next.cancel_requested {
                return Err(StepError::Stale);
            }
            moves.next.cancel_requested = true;
            moves.note(EventKind::CancelRequested);
            Ok(())
        }
        Phase::Delivered | Phase::SentUnconfirmed | Phase::Failed | Phase::Expired | Phase::Cancelled => {
            Err(StepError::Terminal)
        }
    }
}
