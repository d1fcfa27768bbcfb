//! The actor of one endpoint: what is due, how much at a time, and when to look into the outbox.

mod reading;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use hermes_domain::UnixMillis;
use hermes_ports::{StoreError, outbox::OutboxEntry};
use hermes_supervision::{ActorView, Mailbox, answer, unix_millis};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    delivery::deliver,
    item::Item,
    ledger::Step,
    seat::{Desk, Seat},
    shared::Shared,
    window::{Offered, Window},
};
use reading::{Loaded, Reading};

/// What is due later than this stays in the outbox, in milliseconds.
const HORIZON_MS: u64 = 60_000;
/// After a try that could not be recorded the outbox is read again, in milliseconds.
const UNRECORDED_RETRY_MS: u64 = 5_000;

/// The actor.
#[derive(Debug)]
pub(crate) struct EndpointActor;

/// What it can be told.
#[derive(Debug)]
pub(crate) enum EndpointMsg {
    /// These have become durable.
    Announced(Vec<OutboxEntry>),
    /// Some announcements were not kept.
    Overflowed,
    /// A request has an answer; the endpoint may want to rest.
    Answered { rest_until: Option<UnixMillis> },
    /// A try is on record, or never will be.
    Recorded { retry: Option<Item>, durable: bool },
    /// What was read from the outbox.
    Loaded { read: Result<Loaded, StoreError>, since: Step, limit: usize },
    /// Something may be due.
    Wake,
    /// Look for what nobody announced.
    Sweep,
    /// The directory changed.
    Changed,
    /// Asks for its view.
    Inspect(RpcReplyPort<ActorView>),
}

/// What it is started with.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) shared: Arc<Shared>,
    pub(crate) seat: Arc<Seat>,
    pub(crate) mailbox: Mailbox,
    pub(crate) restarts: u32,
    pub(crate) last_error: Option<String>,
}

/// Its state.
#[derive(Debug)]
pub(crate) struct State {
    args: Arguments,
    me: ActorRef<EndpointMsg>,
    window: Window,
    held: Arc<AtomicUsize>,
    reading: Reading,
    /// The endpoint asked to be left alone until then.
    resting: Option<UnixMillis>,
    /// Where notifications went when somebody last looked.
    url: Option<String>,
    /// Disabled or removed: everything waits in the outbox.
    stood_down: bool,
    alarm: Option<(UnixMillis, AbortOnDropHandle<()>)>,
    started_at_ms: u64,
}

impl State {
    fn now(&self) -> UnixMillis {
        self.args.shared.ports.clock.now()
    }

    fn announced(&mut self, entries: Vec<OutboxEntry>) {
        for entry in entries {
            let news = !self.stood_down && self.args.seat.ledger().is_news(entry.event);
            let offered = if news { self.window.offer(entry.into()) } else { Offered::Known };
            if offered != Offered::Added {
                self.held.fetch_sub(1, Ordering::AcqRel);
            }
            if offered == Offered::Full {
                self.more();
            }
        }
    }

    /// Takes an item from elsewhere than the mailbox into the window.
    fn hold(&mut self, item: Item) -> Offered {
        let offered = self.window.offer(item);
        if offered == Offered::Added {
            self.held.fetch_add(1, Ordering::AcqRel);
        }
        offered
    }

    fn recorded(&mut self, retry: Option<Item>, durable: bool) {
        let now = self.now();
        if !durable {
            self.reading.due_by(now.plus_ms(UNRECORDED_RETRY_MS));
        }
        let Some(item) = retry.filter(|_| !self.stood_down) else { return };
        let at = item.next_at;
        if at > now.plus_ms(HORIZON_MS) || self.hold(item) == Offered::Full {
            self.reading.due_by(at);
        }
    }

    /// Starts what is due and fits, and looks into the outbox if that may help.
    fn pump(&mut self) {
        let now = self.now();
        if self.resting.is_some_and(|until| until <= now) {
            self.resting = None;
        }
        while self.resting.is_none() && self.has_slot() {
            let Some(item) = self.window.pop_due(now) else { break };
            self.held.fetch_sub(1, Ordering::AcqRel);
            let shared = &self.args.shared;
            match shared.ports.endpoints.target(self.args.seat.id, now) {
                Some(target) if !target.disabled => {
                    if self.args.seat.ledger().begin(item.event) {
                        let seat = Arc::clone(&self.args.seat);
                        shared.tasks.spawn(deliver(Arc::clone(shared), seat, target, item));
                    }
                }
                Some(_) | None => self.stand_down(),
            }
        }
        self.read_outbox(now);
        self.set_alarm(now);
    }

    fn has_slot(&self) -> bool {
        let (ledger, options) = (self.args.seat.ledger(), &self.args.shared.options);
        ledger.posting() < options.posts_max && ledger.open() < options.unrecorded_max
    }

    /// Everything in memory is in the outbox too.
    fn stand_down(&mut self) {
        self.stood_down = true;
        let dropped = self.window.clear();
        self.held.fetch_sub(dropped, Ordering::AcqRel);
        self.alarm = None;
    }

    /// An endpoint that is wanted again, or is elsewhere now, starts afresh with what waits in the outbox.
    fn changed(&mut self) {
        let target = self.args.shared.ports.endpoints.target(self.args.seat.id, self.now());
        match target {
            Some(target) if !target.disabled => {
                let moved = self.url.as_ref().is_some_and(|url| *url != target.url);
                if self.stood_down || moved {
                    self.args.seat.health().start_afresh();
                    self.reading.wanted();
                }
                (self.stood_down, self.url) = (false, Some(target.url));
            }
            Some(_) | None => self.stand_down(),
        }
    }

    /// Wakes up for the next item or reading. A full house needs no alarm: answers wake it.
    fn set_alarm(&mut self, now: UnixMillis) {
        let item = self.window.next_due().filter(|_| self.has_slot());
        let item = item.map(|at| self.resting.map_or(at, |until| at.max(until)));
        let reading = self.reading.due_at().filter(|_| self.may_read());
        let Some(at) = item.into_iter().chain(reading).min() else {
            self.alarm = None;
            return;
        };
        if self.alarm.as_ref().is_some_and(|(set, alarm)| *set == at && !alarm.is_finished()) {
            return;
        }
        let wait = Duration::from_millis(at.since(now).max(1));
        let (me, mailbox) = (self.me.clone(), self.args.mailbox.clone());
        let alarm = tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let _ = mailbox.cast(&me, EndpointMsg::Wake); // It may have ended meanwhile.
        });
        self.alarm = Some((at, AbortOnDropHandle::new(alarm)));
    }

    fn view(&self) -> ActorView {
        let state = match (self.stood_down, self.resting) {
            (true, _) => "disabled",
            (false, Some(_)) => "resting",
            (false, None) => "delivering",
        };
        let mut view = ActorView::new(format!("endpoint/{}", self.args.seat.id), "endpoint", state);
        view.parent = Some("webhooks".to_owned());
        view.mailbox = self.args.mailbox.depth();
        view.restarts = self.args.restarts;
        view.last_error.clone_from(&self.args.last_error);
        view.started_at_ms = self.started_at_ms;
        let ledger = self.args.seat.ledger();
        view.detail = serde_json::json!({
            "posting": ledger.posting(),
            "unrecorded": ledger.open(),
            "waiting": self.window.len(),
            "more_in_outbox": self.reading.is_wanted(),
            "failing_since": self.args.seat.health().failing_since().map(UnixMillis::rfc3339),
            "resting_until": self.resting.map(UnixMillis::rfc3339),
        });
        view
    }
}

impl Actor for EndpointActor {
    type Msg = EndpointMsg;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        me: ActorRef<EndpointMsg>,
        args: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let held = Arc::new(AtomicUsize::new(0));
        let (actor, mailbox) = (me.clone(), args.mailbox.clone());
        // Before the first reading: whatever is announced from now on comes to us, the rest is read.
        args.seat.sit(Desk { actor, mailbox, held: Arc::clone(&held) });
        Ok(State {
            window: Window::new(args.shared.options.window_max),
            args,
            me,
            held,
            reading: Reading::new(),
            resting: None,
            url: None,
            stood_down: false,
            alarm: None,
            started_at_ms: unix_millis(SystemTime::now()),
        })
    }

    async fn post_start(
        &self,
        _: ActorRef<EndpointMsg>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.reading.wanted();
        state.changed();
        state.pump();
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<EndpointMsg>,
        message: EndpointMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        if let EndpointMsg::Inspect(reply) = message {
            answer(reply, state.view());
            return Ok(());
        }
        state.args.mailbox.received();
        match message {
            EndpointMsg::Announced(entries) => state.announced(entries),
            EndpointMsg::Overflowed => state.reading.wanted(),
            EndpointMsg::Answered { rest_until } => state.resting = state.resting.max(rest_until),
            EndpointMsg::Recorded { retry, durable } => state.recorded(retry, durable),
            EndpointMsg::Loaded { read, since, limit } => state.loaded(read, since, limit),
            EndpointMsg::Wake | EndpointMsg::Inspect(_) => {}
            EndpointMsg::Sweep => state.reading.look(),
            EndpointMsg::Changed => state.changed(),
        }
        state.pump();
        Ok(())
    }
}
