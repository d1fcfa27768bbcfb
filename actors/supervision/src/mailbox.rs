//! Makes the depth of a mailbox visible.
//!
//! ractor's mailboxes are unbounded and do not say how full they are, so senders and receiver
//! count: the handle adds one for each message it leaves, the actor takes one off as it starts to
//! handle it. Depths add up per kind of actor, which is what the gauge `hermes_mailbox_depth`
//! shows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ractor::{ActorRef, Message, MessagingErr};

/// The counters that all mailboxes of one kind of actor share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MailboxKind {
    name: &'static str,
    depth: Arc<AtomicUsize>,
}

/// The counter of one mailbox, shared by its handles and its actor. Cheap to clone.
///
/// A restarted actor gets a new one: the messages of its predecessor are lost, and leave the
/// kind's total with the last clone of the old counter.
#[derive(Debug, Clone)]
pub struct Mailbox(Arc<Counter>);

#[derive(Debug)]
struct Counter {
    depth: AtomicUsize,
    kind: MailboxKind,
}

// === impl MailboxKind ===

impl MailboxKind {
    /// Counters for actors of this kind, such as `cascade`.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, depth: Arc::default() }
    }

    /// The kind's name: the metric's label.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How many messages wait for actors of this kind.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }

    /// The counter of one new mailbox.
    #[must_use]
    pub fn open(&self) -> Mailbox {
        Mailbox(Arc::new(Counter { depth: AtomicUsize::new(0), kind: self.clone() }))
    }
}

// === impl Mailbox ===

impl Mailbox {
    /// Leaves a message with the actor and counts it.
    ///
    /// # Errors
    /// The message comes back when the actor has ended; it is not counted then.
    pub fn cast<M: Message>(&self, actor: &ActorRef<M>, message: M) -> Result<(), MessagingErr<M>> {
        // Counted before, so that the actor can never take off what was not yet added.
        self.left();
        actor.cast(message).inspect_err(|_| self.received())
    }

    /// Counts a message that is about to be sent.
    pub fn left(&self) {
        self.0.depth.fetch_add(1, Ordering::Relaxed);
        self.0.kind.depth.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes off a message; the actor calls it first thing in `handle`.
    ///
    /// A message that nobody counted, such as a timer's, does not make the depth negative.
    pub fn received(&self) {
        let one_less = |depth: usize| depth.checked_sub(1);
        let order = Ordering::Relaxed;
        if self.0.depth.fetch_update(order, order, one_less).is_ok() {
            self.0.kind.depth.fetch_sub(1, order);
        }
    }

    /// How many messages wait.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.depth.load(Ordering::Relaxed)
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        let lost = *self.depth.get_mut();
        self.kind.depth.fetch_sub(lost, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_what_was_left_and_not_received() {
        let kind = MailboxKind::new("cascade");
        let (one, two) = (kind.open(), kind.open());
        for mailbox in [&one, &one, &two] {
            mailbox.left();
        }
        one.received();
        assert_eq!((one.depth(), two.depth(), kind.depth()), (1, 1, 2));
    }

    #[test]
    fn messages_lost_with_an_actor_leave_the_total() {
        let kind = MailboxKind::new("cascade");
        let mailbox = kind.open();
        mailbox.left();
        mailbox.left();
        let [handle, actors_own] = [mailbox.clone(), mailbox];
        drop(actors_own);
        assert_eq!(kind.depth(), 2);
        drop(handle);
        assert_eq!(kind.depth(), 0);
    }

    #[test]
    fn an_uncounted_message_is_not_taken_off() {
        let kind = MailboxKind::new("cascade");
        let mailbox = kind.open();
        mailbox.received();
        mailbox.left();
        assert_eq!((mailbox.depth(), kind.depth()), (1, 1));
    }
}
