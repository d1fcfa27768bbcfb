//! Sends messages: a worker per connection, each with one request at a time.

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use hermes_domain::MessageId;
use tokio::time::timeout;

use super::{
    http1::{Answer, Connection, Error},
    ledger::Ledger,
    options::{Load, Until},
    pacing::Tickets,
    request::Template,
};

/// Longest wait for an answer; then the message counts as unanswered.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Before a closed loop, or a worker without a connection, tries again after a refusal.
const PAUSE: Duration = Duration::from_millis(20);

/// What workers and followers of completions share.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) ledger: RefCell<Ledger>,
    pub(super) tickets: Arc<Tickets>,
    load: Load,
    count: Option<u64>,
    /// Tickets of a closed loop so far.
    issued: Cell<u64>,
    /// Requests begun so far.
    sent: Cell<u64>,
    in_flight: Cell<u64>,
    /// Whether a closed loop goes on.
    sending: Cell<bool>,
}

impl Run {
    /// A run of at most `count` messages.
    pub(super) fn new(load: Load, count: Option<u64>) -> Self {
        Self {
            ledger: RefCell::default(),
            tickets: Arc::default(),
            load,
            count,
            issued: Cell::new(0),
            sent: Cell::new(0),
            in_flight: Cell::new(0),
            sending: Cell::new(true),
        }
    }

    /// Issues the first tickets of a closed loop; an open one has its pacer.
    pub(super) fn begin(&self) {
        if let Load::Closed { messages, .. } = self.load {
            (0..messages).for_each(|_| self.make_room());
        }
    }

    /// Lets a closed loop end; what is under way goes on.
    pub(super) fn stop_sending(&self) {
        self.sending.set(false);
    }

    /// Whether nothing is left to send or to be answered.
    pub(super) fn is_answered(&self) -> bool {
        self.tickets.is_empty() && self.in_flight.get() == 0
    }

    /// Whether a closed loop has begun every message of a fixed number.
    pub(super) fn is_issued(&self) -> bool {
        self.count.is_some_and(|count| self.issued.get() >= count)
    }

    /// A message ended.
    pub(super) fn ended(&self, id: MessageId, at: Instant, status: &str) {
        let news = self.ledger.borrow_mut().ended(id, at, status);
        if news && self.waits_for(Until::Terminal) {
            self.make_room();
        }
    }

    fn accepted(&self, id: MessageId, intended: Instant, now: Instant) {
        let ended = self.ledger.borrow_mut().accepted(id, intended, now);
        if self.waits_for(Until::Accepted) || (ended && self.waits_for(Until::Terminal)) {
            self.make_room();
        }
    }

    fn waits_for(&self, end: Until) -> bool {
        matches!(self.load, Load::Closed { until, .. } if until == end)
    }

    fn make_room(&self) {
        let left = self.count.is_none_or(|count| self.issued.get() < count);
        if self.sending.get() && left {
            self.issued.set(self.issued.get() + 1);
            self.tickets.issue(Instant::now());
        }
    }

    fn next_number(&self) -> u64 {
        self.sent.replace(self.sent.get() + 1)
    }
}

/// Starts `workers` on the current local set; they end when the tickets are closed.
pub(super) fn start(run: &Rc<Run>, address: SocketAddr, template: &Template, workers: usize) {
    for _ in 0..workers {
        tokio::task::spawn_local(work(Rc::clone(run), address, template.clone()));
    }
}

async fn work(run: Rc<Run>, address: SocketAddr, mut template: Template) {
    let mut connection = None;
    while let Some(intended) = run.tickets.take().await {
        run.in_flight.set(run.in_flight.get() + 1);
        let request = template.render(run.next_number());
        let outcome = send(&mut connection, address, request).await;
        let now = Instant::now();
        let taken = matches!(outcome, Outcome::Accepted(_));
        match outcome {
            Outcome::Accepted(id) => run.accepted(id, intended, now),
            Outcome::Refused(status) => run.ledger.borrow_mut().refused(status, intended, now),
            Outcome::Unanswered => run.ledger.borrow_mut().unanswered(intended, now),
        }
        run.in_flight.set(run.in_flight.get() - 1);
        if !taken && matches!(run.load, Load::Closed { .. }) {
            // Its place is free again, but a server that refuses is not asked as fast as it can refuse.
            tokio::time::sleep(PAUSE).await;
            run.make_room();
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Accepted(MessageId),
    Refused(u16),
    Unanswered,
}

async fn send(connection: &mut Option<Connection>, address: SocketAddr, request: &[u8]) -> Outcome {
    let outcome = match timeout(ANSWER_LIMIT, exchange(connection, address, request)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) | Err(_) => Outcome::Unanswered,
    };
    if connection.as_ref().is_some_and(|connection| !connection.reusable) {
        *connection = None;
    }
    outcome
}

/// A request is never sent twice: whether the first was processed is unknown.
async fn exchange(
    connection: &mut Option<Connection>,
    address: SocketAddr,
    request: &[u8],
) -> Result<Outcome, Error> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(Connection::open(address).await?),
    };
    Ok(outcome(connection.exchange(request).await?))
}

fn outcome(answer: Answer<'_>) -> Outcome {
    match answer {
        Answer { status: 202, body } => message_id(body).map_or(Outcome::Unanswered, Outcome::Accepted),
        Answer { status, .. } => Outcome::Refused(status),
    }
}

/// The first message id in a reply. Nothing else in a reply to our requests looks like one.
fn message_id(body: &[u8]) -> Option<MessageId> {
    const START: &[u8] = b"\"msg_";
    const LEN: usize = 30;
    let at = body.windows(START.len()).position(|window| window == START)? + 1;
    std::str::from_utf8(body.get(at..at + LEN)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hermes_domain::UnixMillis;

    fn id(sequence: u16) -> MessageId {
        MessageId::mint(UnixMillis(1_767_323_045_000), 0, sequence, 0)
    }

    #[test]
    fn the_id_is_found_in_a_reply_wherever_it_stands() {
        let body = format!(r#"{{"created_at":"2026-01-02T03:04:05.678Z","id":"{}","plan":[]}}"#, id(7));
        let found = outcome(Answer { status: 202, body: body.as_bytes() });
        assert_eq!(found, Outcome::Accepted(id(7)));
        assert_eq!(outcome(Answer { status: 202, body: b"{}" }), Outcome::Unanswered);
        assert_eq!(outcome(Answer { status: 503, body: b"{}" }), Outcome::Refused(503));
    }

    #[test]
    fn a_closed_loop_makes_room_when_messages_end_and_stops_at_its_number() {
        let run = Run::new(Load::Closed { messages: 2, until: Until::Terminal }, Some(3));
        run.begin();
        let now = Instant::now();
        run.accepted(id(1), now, now);
        assert!(!run.is_issued(), "an answer makes no room");
        run.ended(id(1), now, "delivered");
        run.ended(id(1), now, "delivered");
        assert!(run.is_issued());
        run.accepted(id(2), now, now);
        run.ended(id(2), now, "delivered");
        assert_eq!(run.tickets.close().len(), 3);
    }

    #[test]
    fn a_closed_loop_over_answers_needs_no_ends() {
        let run = Run::new(Load::Closed { messages: 1, until: Until::Accepted }, None);
        run.begin();
        let now = Instant::now();
        run.accepted(id(1), now, now);
        run.stop_sending();
        run.accepted(id(2), now, now);
        assert_eq!(run.tickets.close().len(), 2);
    }

    #[tokio::test]
    async fn a_server_that_cannot_be_reached_leaves_messages_unanswered() {
        let address = {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap()
        };
        assert_eq!(send(&mut None, address, b"POST / HTTP/1.1\r\n\r\n").await, Outcome::Unanswered);
    }
}
