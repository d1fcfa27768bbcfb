//! Acts out what the script says: the part of taking a message over that all providers share.

use std::{sync::Arc, time::Duration};

use axum::response::Response;

use crate::{
    answer,
    clock::{self, UnixMillis},
    log::{Entry, Outcome, Provider, recipient_tail},
    receipts::Outgoing,
    reference::Reference,
    script::{self, Behaviour, Course, ReceiptEvent, Verdict},
    world::{Scenario, World},
};

/// A submission that passed its provider's checks.
///
/// A provider implements this once; the methods say how *it* words each thing.
pub(crate) trait Submission: Send + Sync + 'static {
    const PROVIDER: Provider;

    fn reference(&self) -> Option<&Reference>;
    /// The address, to tell recipients apart; only its tail is kept.
    fn recipient(&self) -> &str;
    fn behaviour(&self) -> Behaviour;
    /// How many parts a text is billed as; `None` where messages have none.
    fn segments(&self) -> Option<usize> {
        None
    }
    /// How long after its acceptance the message is held back before anything happens to it.
    fn held_for(&self, _accepted_at: UnixMillis) -> Duration {
        Duration::ZERO
    }
    /// Remembers the message for lookups, with what will have happened to it by when.
    fn keep(&self, world: &World, accepted_at: UnixMillis, history: History);
    /// The provider's success answer.
    fn accepted(&self) -> Response;
    /// The provider's wording of a refusal.
    fn refused(&self, refusal: Refusal) -> Response;
    /// The requests that tell the caller about an event: none where the provider has no words for it or knows
    /// no address to tell. Equal arguments give byte-equal requests, so that a repeated receipt is a true
    /// repeat.
    fn receipts(&self, world: &World, event: ReceiptEvent, at: UnixMillis) -> Vec<Outgoing>;
}

/// Why a submission was refused by the script; the provider's own checks refuse by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 429; the caller adds `Retry-After: 1`, unless the provider says it with a success status.
    Throttled,
    /// 503, saying that nothing was processed.
    Unavailable,
    /// The recipient does not exist.
    InvalidRecipient,
    /// 500, silent about what was done.
    ServerError,
}

/// What happens to an accepted message, in order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct History(pub(crate) Vec<(UnixMillis, ReceiptEvent)>);

impl History {
    /// What has happened by `now`, newest first.
    pub(crate) fn until(&self, now: UnixMillis) -> impl Iterator<Item = (UnixMillis, ReceiptEvent)> {
        self.0.iter().rev().filter(move |(at, _)| *at <= now).copied()
    }
}

/// How long a hanging submission is held before its connection is closed.
const HANG_MAX: Duration = Duration::from_secs(600);

/// Takes a submission over, or refuses it, as its recipient asks.
pub(crate) async fn carry<S: Submission>(world: &Arc<World>, submission: S) -> Response {
    let scenario = world.scenario();
    if !scenario.latency.is_zero() {
        tokio::time::sleep(scenario.latency).await;
    }
    let (course, lost) = course(world, &submission, scenario);
    let verdict = course.verdict;
    let now = clock::now();
    let response = match verdict {
        Verdict::Accept => submission.accepted(),
        Verdict::Throttle => throttled(submission.refused(Refusal::Throttled)),
        Verdict::Unavailable => submission.refused(Refusal::Unavailable),
        Verdict::InvalidRecipient => submission.refused(Refusal::InvalidRecipient),
        Verdict::AcceptThenServerError => submission.refused(Refusal::ServerError),
        Verdict::Hang | Verdict::AcceptThenDrop => answer::close_connection(),
    };
    world.log.record(entry(&submission, &course, response.status().as_u16(), now));
    if verdict.processes() {
        process(world, submission, course, lost, now);
    }
    if verdict == Verdict::Hang {
        tokio::time::sleep(HANG_MAX).await;
    }
    response
}

/// A provider that refuses with 200 has no place for the header.
fn throttled(response: Response) -> Response {
    if response.status().is_success() { response } else { answer::with_retry_after(response, 1) }
}

/// Records a submission that failed its provider's checks, and passes the answer on.
pub(crate) fn refuse(
    world: &World,
    provider: Provider,
    reference: Option<Reference>,
    recipient: &str,
    response: Response,
) -> Response {
    world.log.record(Entry {
        at: clock::now(),
        provider,
        reference,
        recipient_tail: recipient_tail(recipient),
        status: Some(response.status().as_u16()),
        outcome: Outcome::Refused,
        processed: false,
        segments: None,
        reaches: false,
    });
    response
}

/// The course, and whether its receipts get lost. Chance touches only recipients without a script of their
/// own.
fn course<S: Submission>(world: &World, submission: &S, scenario: Scenario) -> (Course, bool) {
    let behaviour = submission.behaviour();
    if behaviour == Behaviour::Deliver && scenario.fails() {
        return (Course { verdict: Verdict::Unavailable, events: Vec::new(), receipts: false }, false);
    }
    let first = behaviour.remembers_the_message()
        && world.once.is_first(submission.reference(), submission.recipient());
    let lost = behaviour == Behaviour::Deliver && scenario.loses();
    (script::course(behaviour, first, scenario.timing()), lost)
}

fn entry<S: Submission>(submission: &S, course: &Course, status: u16, at: UnixMillis) -> Entry {
    let verdict = course.verdict;
    let (status, outcome) = match verdict {
        Verdict::Accept => (Some(status), Outcome::Accepted),
        Verdict::Throttle
        | Verdict::Unavailable
        | Verdict::InvalidRecipient
        | Verdict::AcceptThenServerError => (Some(status), Outcome::Refused),
        Verdict::AcceptThenDrop => (None, Outcome::Dropped),
        Verdict::Hang => (None, Outcome::Hung),
    };
    Entry {
        at,
        provider: S::PROVIDER,
        reference: submission.reference().cloned(),
        recipient_tail: recipient_tail(submission.recipient()),
        status,
        outcome,
        processed: verdict.processes(),
        segments: submission
            .segments()
            .filter(|_| verdict.processes())
            .and_then(|count| count.try_into().ok()),
        reaches: verdict.processes()
            && course.events.iter().any(|(_, event)| *event == ReceiptEvent::Delivered),
    }
}

fn process<S: Submission>(
    world: &Arc<World>,
    submission: S,
    mut course: Course,
    lost: bool,
    now: UnixMillis,
) {
    let hold = submission.held_for(now);
    course.events.iter_mut().for_each(|(delay, _)| *delay += hold);
    let happens_at =
        |delay: Duration| now.saturating_add(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX));
    let history = course.events.iter().map(|(delay, event)| (happens_at(*delay), *event)).collect();
    submission.keep(world, now, History(history));
    if !course.receipts || lost {
        return;
    }
    let submission = Arc::new(submission);
    for (delay, event) in &course.events {
        // A repeated event is the same event told twice, so it carries the time of the first.
        let first =
            course.events.iter().find(|(_, other)| other == event).map_or(*delay, |(first, _)| *first);
        let (submission, context, event, at) =
            (Arc::clone(&submission), Arc::clone(world), *event, happens_at(first));
        world.receipts.schedule(*delay, move || submission.receipts(&context, event, at));
    }
}
