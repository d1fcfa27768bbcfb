//! A wish for a permit that waits in the lists of several connections at once.
//!
//! It is answered exactly once: by the first connection with a free permit, or because a list was lost
//! with its actor, or because every list was full. From then on, and from the moment its waiter has
//! gone, its entries are dead and skipped.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::line::{CallPermit, Line};

/// What a waiter is told.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A permit of the line at this position.
    Granted { position: usize, permit: CallPermit },
    /// A list it stood in is gone: ask again.
    Lost,
    /// No list had room.
    Full,
}

/// One wish, shared by its entries and its waiter.
#[derive(Debug)]
pub(crate) struct Wish {
    lines: Vec<Arc<Line>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Empty once the wish is settled.
    reply: Option<oneshot::Sender<Answer>>,
    /// Whether it stands in the list of the line at this position.
    standing: Vec<bool>,
}

/// A wish's place in the list of one line. Dropped unanswered, it tells its wish that it is lost.
#[derive(Debug)]
pub(crate) struct Entry {
    wish: Arc<Wish>,
    position: usize,
}

/// The waiting side. Dropping it withdraws the wish everywhere.
#[derive(Debug)]
pub(crate) struct Waiter {
    wish: Arc<Wish>,
    pub(crate) answer: oneshot::Receiver<Answer>,
}

impl Wish {
    /// A wish with one entry for each of `lines`, which count it as waiting from now on.
    pub(crate) fn enter(lines: Vec<Arc<Line>>) -> (Waiter, Vec<Entry>) {
        let (reply, answer) = oneshot::channel();
        for line in &lines {
            line.waiting_more();
        }
        let state = State { reply: Some(reply), standing: vec![true; lines.len()] };
        let wish = Arc::new(Self { lines, state: Mutex::new(state) });
        let entries =
            (0..wish.lines.len()).map(|position| Entry { wish: Arc::clone(&wish), position }).collect();
        (Waiter { wish, answer }, entries)
    }

    fn is_open(&self) -> bool {
        self.state.lock().reply.is_some()
    }

    /// Ends the wish; `None` when it has ended before.
    fn settle(&self) -> Option<oneshot::Sender<Answer>> {
        let mut state = self.state.lock();
        let reply = state.reply.take()?;
        self.leave_all(&mut state);
        Some(reply)
    }

    fn leave_all(&self, state: &mut State) {
        for (line, standing) in self.lines.iter().zip(&mut state.standing) {
            if std::mem::take(standing) {
                line.waiting_less();
            }
        }
    }

    /// Leaves one list for want of room; the last one ends the wish.
    fn refused_at(&self, position: usize) {
        let mut state = self.state.lock();
        if state.reply.is_none() || !std::mem::take(&mut state.standing[position]) {
            return;
        }
        self.lines[position].waiting_less();
        if !state.standing.contains(&true)
            && let Some(reply) = state.reply.take()
        {
            let _ = reply.send(Answer::Full); // The waiter may have gone.
        }
    }

    fn stands_at(&self, position: usize) -> bool {
        let state = self.state.lock();
        state.reply.is_some() && state.standing[position]
    }
}

impl Entry {
    /// Whether somebody still waits for it.
    pub(crate) fn is_open(&self) -> bool {
        self.wish.is_open()
    }

    /// Hands a permit over; it goes back to its line when nobody waits any more.
    pub(crate) fn grant(self, permit: CallPermit) {
        if let Some(reply) = self.wish.settle() {
            let _ = reply.send(Answer::Granted { position: self.position, permit });
        }
    }

    /// There is no room in this list.
    pub(crate) fn refuse(self) {
        self.wish.refused_at(self.position);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if self.wish.stands_at(self.position)
            && let Some(reply) = self.wish.settle()
        {
            let _ = reply.send(Answer::Lost); // The waiter may have gone.
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        drop(self.wish.settle());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::lines;

    fn waiting(lines: &[Arc<Line>]) -> Vec<usize> {
        lines.iter().map(|line| line.waiting()).collect()
    }

    #[tokio::test]
    async fn the_first_grant_wins_and_the_other_entry_is_dead() {
        let lines = lines(2);
        let (mut waiter, mut entries) = Wish::enter(lines.clone());
        assert_eq!(waiting(&lines), [1, 1]);
        let (second, first) = (entries.pop().unwrap(), entries.pop().unwrap());
        second.grant(lines[1].test_permit());
        assert_eq!((first.is_open(), waiting(&lines)), (false, vec![0, 0]));
        first.grant(lines[0].test_permit());
        assert!(matches!(waiter.answer.try_recv(), Ok(Answer::Granted { position: 1, .. })));
        assert_eq!(lines[0].running(), 0, "the permit that nobody took went back");
    }

    #[tokio::test]
    async fn a_lost_list_makes_the_waiter_ask_again() {
        let lines = lines(2);
        let (mut waiter, mut entries) = Wish::enter(lines.clone());
        drop(entries.pop());
        assert!(matches!(waiter.answer.try_recv(), Ok(Answer::Lost)));
        assert_eq!(waiting(&lines), [0, 0]);
    }

    #[tokio::test]
    async fn a_full_list_is_left_and_the_last_one_ends_the_wish() {
        let lines = lines(2);
        let (mut waiter, mut entries) = Wish::enter(lines.clone());
        entries.pop().unwrap().refuse();
        assert_eq!(waiting(&lines), [1, 0]);
        assert!(waiter.answer.try_recv().is_err(), "it still waits for the other");
        entries.pop().unwrap().refuse();
        assert!(matches!(waiter.answer.try_recv(), Ok(Answer::Full)));
        assert_eq!(waiting(&lines), [0, 0]);
    }

    #[tokio::test]
    async fn a_waiter_that_leaves_takes_its_wish_along() {
        let lines = lines(1);
        let (waiter, entries) = Wish::enter(lines.clone());
        drop(waiter);
        assert_eq!((entries[0].is_open(), waiting(&lines)), (false, vec![0]));
    }
}
