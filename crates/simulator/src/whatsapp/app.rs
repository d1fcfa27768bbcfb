//! A Meta app: one callback URL, its handshake, and the webhooks that wait to share a body.

use std::{fmt, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tracing::warn;
use url::Url;

use super::{envelope::Change, webhook};
use crate::{WhatsAppAccount, receipts::Outgoing, world::World};

/// Most webhooks that wait for a handshake; later ones are lost.
const HELD_MAX: usize = 10_000;
/// How long a webhook waits for others to share its body.
const BATCH_WAIT: Duration = Duration::from_millis(500);

/// Where the webhooks of an app's numbers go.
pub(super) struct App {
    pub(super) callback_url: Url,
    pub(super) verify_token: String,
    app_secret: String,
    trust: Mutex<Trust>,
    batch: Mutex<Vec<Change>>,
}

/// What the handshake found.
enum Trust {
    /// Not yet known: webhooks wait.
    Asked(Vec<Outgoing>),
    Confirmed,
    /// Webhooks are not sent.
    Refused,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("host", &self.callback_url.host_str()).finish_non_exhaustive()
    }
}

impl App {
    pub(super) fn new(account: &WhatsAppAccount, callback_url: Url) -> Self {
        Self {
            callback_url,
            verify_token: account.verify_token.clone(),
            app_secret: account.app_secret.clone(),
            trust: Mutex::new(Trust::Asked(Vec::new())),
            batch: Mutex::default(),
        }
    }

    /// Whether an account with this callback URL belongs to the app.
    pub(super) fn is_of(&self, account: &WhatsAppAccount, url: &Url) -> bool {
        self.callback_url == *url
            && self.app_secret == account.app_secret
            && self.verify_token == account.verify_token
    }

    /// Whether the handshake still has to tell.
    pub(super) fn is_unsettled(&self) -> bool {
        matches!(*self.trust.lock(), Trust::Asked(_))
    }

    /// The callback URL passed its handshake; returns the webhooks that waited for it.
    pub(super) fn confirm(&self) -> Vec<Outgoing> {
        match std::mem::replace(&mut *self.trust.lock(), Trust::Confirmed) {
            Trust::Asked(held) => held,
            Trust::Confirmed | Trust::Refused => Vec::new(),
        }
    }

    /// It did not. One that passed before keeps its webhooks, as saving it again failed.
    pub(super) fn refuse(&self) {
        let mut trust = self.trust.lock();
        if let Trust::Asked(held) = &*trust {
            if !held.is_empty() {
                warn!(webhooks = held.len(), "webhooks lost: the callback URL did not pass its handshake");
            }
            *trust = Trust::Refused;
        }
    }

    /// The requests that tell of `changes` now; others follow by themselves, where bodies are shared.
    pub(super) fn tell(self: &Arc<Self>, world: &World, changes: Vec<Change>) -> Vec<Outgoing> {
        let room = world.scenario().statuses_per_webhook;
        if room <= 1 {
            return changes.into_iter().filter_map(|change| self.send(vec![change])).collect();
        }
        let mut full = Vec::new();
        let mut batch = self.batch.lock();
        for change in changes {
            if batch.is_empty() {
                let app = Arc::clone(self);
                world.receipts.schedule(BATCH_WAIT, move || app.flush().into_iter().collect());
            }
            batch.push(change);
            if batch.len() >= room {
                full.push(std::mem::take(&mut *batch));
            }
        }
        drop(batch);
        full.into_iter().filter_map(|changes| self.send(changes)).collect()
    }

    /// What waited long enough.
    fn flush(&self) -> Option<Outgoing> {
        let changes = std::mem::take(&mut *self.batch.lock());
        if changes.is_empty() { None } else { self.send(changes) }
    }

    fn send(&self, changes: Vec<Change>) -> Option<Outgoing> {
        let outgoing = webhook::outgoing(&self.callback_url, &self.app_secret, changes)?;
        match &mut *self.trust.lock() {
            Trust::Confirmed => Some(outgoing),
            Trust::Asked(held) => {
                if held.len() < HELD_MAX {
                    held.push(outgoing);
                }
                None
            }
            Trust::Refused => None,
        }
    }
}
