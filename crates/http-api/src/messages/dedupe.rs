//! The duplicate layer: the same `dedupe.key` within its window is the same message.
//!
//! Kept in memory, per process: after a restart a window is forgotten. What must never be doubled uses an
//! idempotency key, which is durable.

use std::collections::HashMap;

use hermes_domain::{MessageId, UnixMillis, tenant::TenantScope};
use parking_lot::Mutex;

use crate::problem::{Code, Fault, Problem};

/// Most keys remembered; beyond them those that have expired are forgotten first.
const KEYS_MAX: usize = 500_000;

type Key = (TenantScope, String);

/// Keys of messages accepted lately.
#[derive(Debug, Default)]
pub(crate) struct DedupeWindow(Mutex<HashMap<Key, Seen>>);

#[derive(Debug, Clone, Copy)]
struct Seen {
    message: MessageId,
    until: UnixMillis,
}

/// A key taken for a message that is being accepted. Dropped before [`Self::keep`], it is free again.
#[derive(Debug)]
pub(crate) struct Reserved<'a> {
    window: &'a DedupeWindow,
    key: Key,
    kept: bool,
}

impl DedupeWindow {
    /// Takes a key until `until`.
    pub(crate) fn reserve(
        &self,
        scope: TenantScope,
        key: String,
        message: MessageId,
        now: UnixMillis,
        until: UnixMillis,
    ) -> Result<Reserved<'_>, Problem> {
        let key = (scope, key);
        let mut seen = self.0.lock();
        if let Some(known) = seen.get(&key).filter(|known| now < known.until) {
            return Err(duplicate(known.message));
        }
        if seen.len() >= KEYS_MAX {
            seen.retain(|_, known| now < known.until);
        }
        if seen.len() < KEYS_MAX {
            seen.insert(key.clone(), Seen { message, until });
        }
        drop(seen);
        Ok(Reserved { window: self, key, kept: false })
    }

    /// Whether a key is taken.
    pub(crate) fn check(&self, scope: TenantScope, key: &str, now: UnixMillis) -> Result<(), Problem> {
        let key = (scope, key.to_owned());
        match self.0.lock().get(&key).filter(|known| now < known.until) {
            Some(known) => Err(duplicate(known.message)),
            None => Ok(()),
        }
    }
}

impl Reserved<'_> {
    /// The message is durable: the key stays taken.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.window.0.lock().remove(&self.key);
        }
    }
}

fn duplicate(message: MessageId) -> Problem {
    let fault = Fault::new("/dedupe/key", "duplicate", format!("message {message} has this key"));
    let detail = "A message with this dedupe key was accepted within its window.";
    Problem::new(Code::DuplicateSuppressed, detail).with_faults(vec![fault])
}

#[cfg(test)]
mod tests {
    use super::*;
    use hermes_domain::{TenantId, message::Mode};

    #[test]
    fn a_key_is_taken_for_its_window_unless_its_message_was_refused() {
        let window = DedupeWindow::default();
        let scope = |mode| TenantScope::new(TenantId::new(UnixMillis(0), 1), mode);
        let (us, them) = (scope(Mode::Live), scope(Mode::Test));
        let message = MessageId::mint(UnixMillis(1_767_323_045_000), 0, 0, 0);
        let take =
            |scope, now| window.reserve(scope, "k".into(), message, UnixMillis(now), UnixMillis(now + 10));
        drop(take(us, 100).unwrap());
        take(us, 100).unwrap().keep();
        assert_eq!(take(us, 109).unwrap_err().code, Code::DuplicateSuppressed);
        assert!(
            window.check(us, "k", UnixMillis(109)).is_err() && window.check(us, "k", UnixMillis(110)).is_ok()
        );
        assert!(take(them, 105).is_ok(), "modes see nothing of each other");
        assert!(take(us, 110).is_ok());
    }
}
