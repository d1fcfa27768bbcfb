//! The actor of one connection: who waits for it, and who is next.

use std::{sync::Arc, time::Duration, time::SystemTime};

use hermes_domain::{TenantId, UnixMillis, message::Lane};
use hermes_ports::Clock;
use hermes_supervision::{ActorView, Mailbox, answer, unix_millis};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    admission::Refused,
    line::Line,
    waiting::{Bounds, WaitingList},
    wish::Entry,
};

/// Grants in one turn; further ones come after whatever else is in the mailbox.
const GRANTS_PER_TURN: usize = 256;
/// Below this many entries the list is not compacted.
const COMPACT_FROM: usize = 1_024;

/// The actor.
#[derive(Debug)]
pub(crate) struct ProviderActor;

/// What it can be told.
#[derive(Debug)]
pub(crate) enum ProviderMsg {
    /// A wish that could not be granted at once.
    Enlist { entry: Entry, tenant: TenantId, lane: Lane },
    /// A permit may be free.
    Wake,
    /// Asks for its view.
    Inspect(RpcReplyPort<ActorView>),
}

/// What it is started with.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) line: Arc<Line>,
    pub(crate) bounds: Bounds,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) mailbox: Mailbox,
    pub(crate) restarts: u32,
    pub(crate) last_error: Option<String>,
}

/// Its state.
#[derive(Debug)]
pub(crate) struct State {
    args: Arguments,
    waiting: WaitingList<Entry>,
    alarm: Option<(UnixMillis, AbortOnDropHandle<()>)>,
    started_at_ms: u64,
}

impl State {
    fn enlist(&mut self, entry: Entry, tenant: TenantId, lane: Lane) {
        if self.waiting.len() >= COMPACT_FROM && self.waiting.len() > 2 * self.args.line.waiting() {
            self.waiting.retain(Entry::is_open);
        }
        if let Err(entry) = self.waiting.push(tenant, lane, entry) {
            entry.refuse();
        }
    }

    /// Hands permits out as long as there are any and somebody waits.
    fn serve(&mut self, me: &ActorRef<ProviderMsg>) {
        for _ in 0..GRANTS_PER_TURN {
            if self.args.line.waiting() == 0 {
                self.alarm = None;
                return;
            }
            match self.args.line.admit() {
                Ok(permit) => match self.waiting.pop(Entry::is_open) {
                    Some(entry) => entry.grant(permit),
                    // Those who wait are still in the mailbox; each of them makes us look again.
                    None => return permit.give_back_quietly(),
                },
                Err(refused) => return self.set_alarm(me, refused),
            }
        }
        let _ = self.args.mailbox.cast(me, ProviderMsg::Wake); // We run, so our mailbox is open.
    }

    /// Wakes up when a refusal may be over. Slots and holds end with a wake-up from the line.
    fn set_alarm(&mut self, me: &ActorRef<ProviderMsg>, refused: Refused) {
        let Refused::Until(at) = refused else {
            self.alarm = None;
            return;
        };
        if self.alarm.as_ref().is_some_and(|(set, alarm)| *set == at && !alarm.is_finished()) {
            return;
        }
        let wait = Duration::from_millis(at.since(self.args.clock.now()).max(1));
        let (me, mailbox) = (me.clone(), self.args.mailbox.clone());
        let alarm = tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let _ = mailbox.cast(&me, ProviderMsg::Wake); // It may have ended meanwhile.
        });
        self.alarm = Some((at, AbortOnDropHandle::new(alarm)));
    }

    fn view(&self) -> ActorView {
        let line = &self.args.line;
        let health = line.health();
        let state = if health.held { "held" } else { "serving" };
        let mut view = ActorView::new(format!("provider/{}", line.id), "provider", state);
        view.parent = Some("providers".to_owned());
        view.mailbox = self.args.mailbox.depth();
        view.restarts = self.args.restarts;
        view.started_at_ms = self.started_at_ms;
        view.last_error.clone_from(&self.args.last_error);
        view.detail = serde_json::json!({
            "provider": line.provider,
            "rate_per_s": line.rate_per_s(),
            "waiting_list": self.waiting.len(),
            "wakes_at": self.alarm.as_ref().map(|(at, _)| at.rfc3339()),
            "health": health,
        });
        view
    }
}

impl Actor for ProviderActor {
    type Msg = ProviderMsg;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        me: ActorRef<ProviderMsg>,
        args: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        args.line.seat(me, args.mailbox.clone());
        let started_at_ms = unix_millis(SystemTime::now());
        Ok(State { waiting: WaitingList::new(args.bounds), args, alarm: None, started_at_ms })
    }

    async fn handle(
        &self,
        me: ActorRef<ProviderMsg>,
        message: ProviderMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ProviderMsg::Enlist { entry, tenant, lane } => {
                state.args.mailbox.received();
                state.enlist(entry, tenant, lane);
                state.serve(&me);
            }
            ProviderMsg::Wake => {
                state.args.mailbox.received();
                state.args.line.woken();
                state.serve(&me);
            }
            ProviderMsg::Inspect(reply) => answer(reply, state.view()),
        }
        Ok(())
    }
}
