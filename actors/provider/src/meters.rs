//! Metrics of one connection, registered once: a call then costs an atomic addition.

use std::time::Duration;

use hermes_domain::{breaker::BreakerState, outcome::Outcome};
use hermes_ports::adapter::ListAnswer;
use hermes_telemetry::names::{
    label::{CONNECTION, OPERATION, OUTCOME, PROVIDER, RESULT},
    metric::{
        ATTEMPT_SECONDS, ATTEMPTS_TOTAL, BREAKER_STATE, CALLS_IN_FLIGHT, LIST_CALLS_TOTAL,
        LIST_GIVEN_UP_TOTAL, LOOKUPS_TOTAL,
    },
};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// Handles into the recorder that was installed when the connection was first used.
pub(crate) struct Meters {
    attempts: [Counter; 7],
    seconds: Histogram,
    breaker: Gauge,
    in_flight: Gauge,
}

/// Values of the label `outcome`, in the order of `attempts`.
const OUTCOMES: [&str; 7] =
    ["accepted", "rejected", "throttled", "not_sent", "server_error", "unknown", "adapter_fault"];

/// The label's value for an outcome.
pub(crate) const fn label(outcome: &Outcome) -> &'static str {
    OUTCOMES[index(outcome)]
}

const fn index(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Accepted(_) => 0,
        Outcome::Rejected(_) => 1,
        Outcome::Throttled { .. } => 2,
        Outcome::NotSent(_) => 3,
        Outcome::ServerError(_) => 4,
        Outcome::Unknown(_) => 5,
        Outcome::AdapterFault(_) => 6,
    }
}

/// A lookup was answered; `None`: the adapter cannot tell.
pub(crate) fn looked_up(provider: &str, found: Option<&Outcome>) {
    let outcome = found.map_or("unknown", label);
    counter!(LOOKUPS_TOTAL, PROVIDER => provider.to_owned(), OUTCOME => outcome).increment(1);
}

/// A call about a provider's list was answered.
pub(crate) fn listed(provider: &str, operation: &'static str, answer: &ListAnswer) {
    let result = match answer {
        ListAnswer::Done | ListAnswer::Page(_) => "done",
        ListAnswer::Refused(_) => "refused",
        ListAnswer::Throttled { .. } => "throttled",
        ListAnswer::Failed(_) => "failed",
    };
    let provider = provider.to_owned();
    counter!(LIST_CALLS_TOTAL, PROVIDER => provider, OPERATION => operation, RESULT => result).increment(1);
}

/// A change of a provider's list was given up.
pub(crate) fn list_change_given_up(provider: &str) {
    counter!(LIST_GIVEN_UP_TOTAL, PROVIDER => provider.to_owned()).increment(1);
}

impl Meters {
    pub(crate) fn new(provider: &str, connection: &str) -> Self {
        let (provider, connection) = (provider.to_owned(), connection.to_owned());
        let attempt = |outcome| counter!(ATTEMPTS_TOTAL, PROVIDER => provider.clone(), OUTCOME => outcome);
        Self {
            attempts: OUTCOMES.map(attempt),
            seconds: histogram!(ATTEMPT_SECONDS, PROVIDER => provider.clone()),
            breaker: gauge!(BREAKER_STATE, CONNECTION => connection.clone()),
            in_flight: gauge!(CALLS_IN_FLIGHT, CONNECTION => connection),
        }
    }

    pub(crate) fn ended(&self, outcome: &Outcome, took: Duration) {
        self.attempts[index(outcome)].increment(1);
        self.seconds.record(took);
    }

    pub(crate) fn started(&self) {
        self.in_flight.increment(1.0);
    }

    pub(crate) fn stopped(&self) {
        self.in_flight.decrement(1.0);
    }

    /// 0 closed, 1 half-open, 2 open, 3 held.
    pub(crate) fn breaker(&self, state: BreakerState, held: bool) {
        self.breaker.set(match state {
            _ if held => 3.0,
            BreakerState::Closed => 0.0,
            BreakerState::HalfOpen => 1.0,
            BreakerState::Open => 2.0,
        });
    }
}

impl std::fmt::Debug for Meters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meters")
    }
}
