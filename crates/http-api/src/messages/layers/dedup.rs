//! The duplicate layer: the same `dedupe.key` within its window is the same message, and so is the same content to the same
//! recipient within the tenant's window. Idempotency keys are looked up before anything else, as a repetition must get
//! its reply whatever has changed since.
//!
//! Kept in memory, per process: after a restart a window is forgotten. What must never be doubled uses an
//! idempotency key, which is durable.

use std::collections::HashMap;

use hermes_domain::{
    MessageId, UnixMillis, address::Recipient, content::Content, policy::TenantPolicy, tenant::TenantScope,
};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};

use super::schema::Submission;
use crate::problem::{Code, Fault, Problem};

/// Most keys remembered; beyond them those that have expired are forgotten first.
const KEYS_MAX: usize = 500_000;

type Key = (TenantScope, Same);

/// What makes two messages the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Same {
    /// The tenant's own key.
    Key(String),
    /// SHA-256 of recipient and content.
    Content([u8; 32]),
}

impl Same {
    /// By what is said to whom. Locale and time zone do not count.
    pub(crate) fn content(to: &Recipient, content: &Content) -> Self {
        let addresses = (&to.phone, &to.email, &to.whatsapp, &to.push);
        // Maps keep their order, so equal contents are written alike.
        let written = serde_json::to_vec(&(addresses, content)).unwrap_or_default();
        Self::Content(Sha256::digest(&written).into())
    }
}

/// What a message must not repeat, with the windows in seconds.
pub(crate) fn windows(policy: &TenantPolicy, submission: &Submission) -> Vec<(Same, u32)> {
    let key = submission.dedupe.as_ref().map(|dedupe| (Same::Key(dedupe.key.clone()), dedupe.window_s));
    let content = policy
        .duplicate_window_s
        .map(|window_s| (Same::content(&submission.to, &submission.content), window_s));
    [key, content].into_iter().flatten().collect()
}

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
        same: Same,
        message: MessageId,
        now: UnixMillis,
        until: UnixMillis,
    ) -> Result<Reserved<'_>, Problem> {
        let key = (scope, same);
        let mut seen = self.0.lock();
        if let Some(known) = seen.get(&key).filter(|known| now < known.until) {
            return Err(duplicate(&key.1, known.message));
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
    pub(crate) fn check(&self, scope: TenantScope, same: &Same, now: UnixMillis) -> Result<(), Problem> {
        let key = (scope, same.clone());
        match self.0.lock().get(&key).filter(|known| now < known.until) {
            Some(known) => Err(duplicate(&key.1, known.message)),
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

fn duplicate(same: &Same, message: MessageId) -> Problem {
    let (pointer, detail) = match same {
        Same::Key(_) => ("/dedupe/key", "A message with this dedupe key was accepted within its window."),
        Same::Content(_) => {
            ("/content", "The same content went to the same recipient within the tenant's window.")
        }
    };
    let fault = Fault::new(pointer, "duplicate", format!("it repeats message {message}"));
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
        let take = |scope, now| {
            window.reserve(scope, Same::Key("k".into()), message, UnixMillis(now), UnixMillis(now + 10))
        };
        drop(take(us, 100).unwrap());
        take(us, 100).unwrap().keep();
        assert_eq!(take(us, 109).unwrap_err().code, Code::DuplicateSuppressed);
        assert!(
            window.check(us, &Same::Key("k".into()), UnixMillis(109)).is_err()
                && window.check(us, &Same::Key("k".into()), UnixMillis(110)).is_ok()
        );
        assert!(take(them, 105).is_ok(), "modes see nothing of each other");
        assert!(take(us, 110).is_ok());
    }
}
