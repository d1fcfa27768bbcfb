//! The line of one connection: what its actor and the gateway share.

use std::{
    fmt,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use hermes_domain::{
    ConnectionId, TenantId, UnixMillis,
    breaker::BreakerState,
    message::Lane,
    outcome::Outcome,
    rate_window::{self, RateWindow},
};
use hermes_ports::{
    Clock,
    adapter::ConnectionAccess,
    provider_gateway::{ConnectionHealth, PermitGuard},
};
use hermes_supervision::Mailbox;
use parking_lot::{Mutex, RwLock};
use ractor::ActorRef;

use crate::{
    admission::{Admission, Refused, Verdict},
    guests::Guests,
    health::{Counts, Figures, Health},
    herald::Herald,
    meters::Meters,
    options::Options,
    outage::{News, Outage},
    provider_actor::ProviderMsg,
    wish::Entry,
};

/// How long a list has to wait while nothing may be sent, in milliseconds.
const LIST_PAUSE_MS: u64 = 30_000;

/// State of one connection, alive as long as the connection is.
pub(crate) struct Line {
    pub(crate) id: ConnectionId,
    /// Name of the adapter; a connection never changes it.
    pub(crate) provider: String,
    pub(crate) guests: Guests,
    access: ArcSwap<ConnectionAccess>,
    gate: Mutex<Gate>,
    /// `None`: no lookups.
    lookups: Option<Mutex<RateWindow>>,
    /// `None`: no calls about the provider's suppression list.
    list_calls: Option<Mutex<RateWindow>>,
    clock: Arc<dyn Clock>,
    herald: Herald,
    meters: Meters,
    /// Wishes that wait for this line and are still open.
    waiting: AtomicUsize,
    /// A wake-up is on its way to the actor: one is enough.
    waking: AtomicBool,
    seat: RwLock<Option<Seat>>,
}

struct Gate {
    admission: Admission,
    health: Health,
    outage: Outage,
}

/// The present incarnation of the line's actor.
#[derive(Clone)]
struct Seat {
    actor: ActorRef<ProviderMsg>,
    mailbox: Mailbox,
}

/// The right to make one call. Dropped unused, it goes back.
pub(crate) struct CallPermit {
    line: Arc<Line>,
    state: PermitState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PermitState {
    Unused,
    Calling,
    Done,
}

impl Line {
    pub(crate) fn new(
        access: ConnectionAccess,
        default_rate_per_s: u32,
        options: &Options,
        clock: Arc<dyn Clock>,
        herald: Herald,
    ) -> Self {
        let connection = &access.connection;
        let rate_per_s = connection.rate_per_s.unwrap_or(default_rate_per_s);
        let mut admission = Admission::new(rate_per_s, options.slots_max, options.breaker);
        admission.configure(connection.held, rate_per_s, clock.now());
        Self {
            id: connection.id,
            provider: connection.provider.clone(),
            guests: Guests::new(),
            lookups: allowance(options.lookups_per_s),
            list_calls: allowance(options.list_calls_per_s),
            gate: Mutex::new(Gate { admission, health: Health::new(), outage: Outage::default() }),
            meters: Meters::new(&connection.provider, &connection.id.to_string()),
            access: ArcSwap::from_pointee(access),
            clock,
            herald,
            waiting: AtomicUsize::new(0),
            waking: AtomicBool::new(false),
            seat: RwLock::new(None),
        }
    }

    /// The connection with its credentials, as of the last change.
    pub(crate) fn access(&self) -> Arc<ConnectionAccess> {
        self.access.load_full()
    }

    /// Takes over a changed connection; a hold that ended wakes whoever waits.
    pub(crate) fn configure(&self, access: ConnectionAccess, default_rate_per_s: u32) {
        let rate_per_s = access.connection.rate_per_s.unwrap_or(default_rate_per_s);
        let (held, now) = (access.connection.held, self.clock.now());
        self.access.store(Arc::new(access));
        {
            let mut gate = self.gate.lock();
            gate.admission.configure(held, rate_per_s, now);
            self.meters.breaker(gate.admission.breaker(now), held);
        }
        self.wake();
    }

    /// A permit, if one is free. Does not look at who waits.
    pub(crate) fn admit(self: &Arc<Self>) -> Result<CallPermit, Refused> {
        self.gate.lock().admission.admit(self.clock.now())?;
        Ok(CallPermit { line: Arc::clone(self), state: PermitState::Unused })
    }

    /// Takes one of this second's lookups, if there is one left.
    pub(crate) fn take_lookup(&self) -> bool {
        let Some(lookups) = &self.lookups else { return false };
        lookups.lock().admit(self.clock.now()) == rate_window::Admission::Granted
    }

    /// Takes one of this second's calls about the provider's suppression list.
    ///
    /// # Errors
    /// When to ask again, if there is none left, the connection is held or its breaker is open.
    pub(crate) fn take_list_call(&self) -> Result<(), UnixMillis> {
        let now = self.clock.now();
        let later = now.plus_ms(LIST_PAUSE_MS);
        {
            let gate = self.gate.lock();
            if gate.admission.is_held() || gate.admission.breaker(now) == BreakerState::Open {
                return Err(later);
            }
        }
        let Some(calls) = &self.list_calls else { return Err(later) };
        match calls.lock().admit(now) {
            rate_window::Admission::Granted => Ok(()),
            rate_window::Admission::Denied { retry_at } => Err(retry_at),
        }
    }

    /// Open wishes that wait for this line.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    pub(crate) fn waiting_more(&self) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn waiting_less(&self) {
        self.waiting.fetch_sub(1, Ordering::AcqRel);
    }

    /// Calls running, and permits that may become calls.
    #[cfg(test)]
    pub(crate) fn running(&self) -> u32 {
        self.gate.lock().admission.running()
    }

    /// Puts a wish's entry into the actor's list. Without an actor the entry is lost, which its wish hears.
    pub(crate) fn enlist(&self, entry: Entry, tenant: TenantId, lane: Lane) {
        let seat = self.seat.read().clone();
        if let Some(seat) = seat {
            let _ = seat.mailbox.cast(&seat.actor, ProviderMsg::Enlist { entry, tenant, lane });
        }
    }

    /// Wakes the actor if somebody waits.
    pub(crate) fn wake(&self) {
        if self.waiting() == 0 || self.waking.swap(true, Ordering::AcqRel) {
            return;
        }
        let seat = self.seat.read().clone();
        let woken = seat.is_some_and(|seat| seat.mailbox.cast(&seat.actor, ProviderMsg::Wake).is_ok());
        if !woken {
            // The next incarnation looks for itself when it is asked.
            self.waking.store(false, Ordering::Release);
        }
    }

    /// The actor has heard: later changes need a wake-up of their own.
    pub(crate) fn woken(&self) {
        self.waking.store(false, Ordering::Release);
    }

    /// Moves an incarnation of the actor in.
    pub(crate) fn seat(&self, actor: ActorRef<ProviderMsg>, mailbox: Mailbox) {
        *self.seat.write() = Some(Seat { actor, mailbox });
        self.woken();
    }

    /// Whether an actor was ever started for it.
    pub(crate) fn has_seat(&self) -> bool {
        self.seat.read().is_some()
    }

    /// Ends the present incarnation as a fault of its own would.
    #[cfg(test)]
    pub(crate) fn crash(&self) {
        self.seat.read().iter().for_each(|seat| seat.actor.kill());
    }

    /// Looks at what changes by time alone: the breaker's gauge, and an outage that has become old enough to be told.
    pub(crate) fn tick(&self) {
        let now = self.clock.now();
        let news = {
            let mut gate = self.gate.lock();
            let breaker = gate.admission.breaker(now);
            self.meters.breaker(breaker, gate.admission.is_held());
            gate.outage.note(breaker, now)
        };
        self.tell(news, now);
    }

    fn tell(&self, news: Option<News>, now: UnixMillis) {
        if let Some(news) = news {
            self.herald.tell(&self.access().connection, news, now);
        }
    }

    /// The connection as operators see it; `adapter_version` is added by who knows it.
    pub(crate) fn health(&self) -> ConnectionHealth {
        let now = self.clock.now();
        let mut gate = self.gate.lock();
        let Figures { success_rate, p50_ms, p99_ms } = gate.health.figures(now);
        let Counts { calls, processed, receipts_due, receipts_came } = gate.health.counts(now);
        ConnectionHealth {
            connection: self.id,
            breaker: gate.admission.breaker(now),
            held: gate.admission.is_held(),
            throttled_until: gate.admission.throttled_until(now),
            in_flight: gate.admission.running(),
            waiting: u32::try_from(self.waiting()).unwrap_or(u32::MAX),
            calls,
            processed,
            receipts_due,
            receipts_came,
            success_rate,
            latency_p50_ms: p50_ms,
            latency_p99_ms: p99_ms,
            adapter_version: None,
        }
    }

    /// A receipt of one of its messages came.
    pub(crate) fn receipt_came(&self) {
        let now = self.clock.now();
        self.gate.lock().health.receipt(now);
    }

    /// Calls a second that the connection allows.
    pub(crate) fn rate_per_s(&self) -> u32 {
        self.gate.lock().admission.rate_per_s()
    }

    fn ended(&self, verdict: Verdict, took_ms: u64) {
        let now = self.clock.now();
        let news = {
            let mut gate = self.gate.lock();
            let before = gate.admission.breaker(now);
            gate.admission.finish(verdict, now);
            let after = gate.admission.breaker(now);
            if before != after {
                tracing::warn!(provider.connection = %self.id, from = ?before, to = ?after, "breaker changed state");
                self.meters.breaker(after, gate.admission.is_held());
            }
            match verdict {
                Verdict::Worked => gate.health.record(true, took_ms, now),
                Verdict::Faulted | Verdict::Throttled(_) => gate.health.record(false, took_ms, now),
                Verdict::Neutral => {}
            }
            gate.outage.note(after, now)
        };
        self.tell(news, now);
        self.wake();
    }

    fn given_back(&self) {
        self.gate.lock().admission.give_back();
    }

    #[cfg(test)]
    pub(crate) fn test_permit(self: &Arc<Self>) -> CallPermit {
        self.admit().expect("a fresh line has permits")
    }
}

/// So many calls a second, all at once if need be; none for zero.
fn allowance(per_s: u32) -> Option<Mutex<RateWindow>> {
    NonZeroU32::new(per_s).map(|rate| Mutex::new(RateWindow::new(rate.get(), 1_000, rate.get())))
}

impl CallPermit {
    /// The connection.
    pub(crate) const fn line(&self) -> &Arc<Line> {
        &self.line
    }

    /// The call begins: from now on the permit is used up, whatever becomes of the call.
    pub(crate) fn start(&mut self) {
        if self.state == PermitState::Unused {
            self.state = PermitState::Calling;
            self.line.meters.started();
        }
    }

    /// The call has ended after `took`.
    pub(crate) fn finish(mut self, outcome: &Outcome, verdict: Verdict, took: Duration) {
        self.start();
        self.state = PermitState::Done;
        self.line.meters.stopped();
        self.line.meters.ended(outcome, took);
        if matches!(outcome, Outcome::Accepted(_)) {
            let now = self.line.clock.now();
            self.line.gate.lock().health.accepted(now);
        }
        self.line.ended(verdict, u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    }

    /// Gives the permit back without waking the actor, which is the caller.
    pub(crate) fn give_back_quietly(mut self) {
        self.state = PermitState::Done;
        self.line.given_back();
    }
}

impl Drop for CallPermit {
    fn drop(&mut self) {
        match self.state {
            PermitState::Unused => {
                self.line.given_back();
                self.line.wake();
            }
            // The task was aborted or panicked: the call says nothing about the provider.
            PermitState::Calling => {
                self.line.meters.stopped();
                self.line.ended(Verdict::Neutral, 0);
            }
            PermitState::Done => {}
        }
    }
}

impl PermitGuard for CallPermit {
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send> {
        self
    }
}

impl fmt::Debug for CallPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallPermit").field("connection", &self.line.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("id", &self.id).field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}
