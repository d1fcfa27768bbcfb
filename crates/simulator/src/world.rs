//! Everything that requests share.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
use rand::Rng;

use crate::{
    Accounts,
    fcm::{self, Fcm},
    log::RequestLog,
    messente::Messente,
    receipts::Receipts,
    reference::Reference,
    script::Timing,
    ses::Ses,
    twilio::Twilio,
    vonage::{self, Vonage},
    whatsapp::{self, WhatsApp},
};

/// The simulator's state.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) log: RequestLog,
    pub(crate) receipts: Receipts,
    pub(crate) once: Once,
    pub(crate) twilio: Twilio,
    pub(crate) ses: Ses,
    pub(crate) fcm: Fcm,
    pub(crate) messente: Messente,
    pub(crate) vonage: Vonage,
    pub(crate) whatsapp: WhatsApp,
    /// The simulator's own URL, without a trailing slash.
    pub(crate) base_url: String,
    pub(crate) scenario: RwLock<Scenario>,
}

impl World {
    pub(crate) fn scenario(&self) -> Scenario {
        *self.scenario.read()
    }

    /// Adds accounts, replacing those with the same keys; none if a service account or application has no
    /// usable key.
    pub(crate) fn add_accounts(self: &Arc<Self>, accounts: Accounts) -> Result<(), BadAccount> {
        let vonage = vonage::read_accounts(accounts.vonage)?;
        self.fcm.add_accounts(&accounts.fcm)?;
        vonage.into_iter().for_each(|account| self.vonage.add_account(account));
        accounts.twilio.into_iter().for_each(|account| self.twilio.add_account(account));
        accounts.ses.into_iter().for_each(|account| self.ses.add_account(account));
        accounts.messente.into_iter().for_each(|account| self.messente.add_account(account));
        whatsapp::add_accounts(self, accounts.whatsapp);
        Ok(())
    }
}

/// Why an account cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadAccount {
    #[error(transparent)]
    Fcm(#[from] fcm::BadAccount),
    #[error(transparent)]
    Vonage(#[from] vonage::BadAccount),
}

/// Defaults for recipients without a script of their own; `latency` holds for every submission.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    pub(crate) receipt_delay: Duration,
    /// Whether `sent` receipts come before `delivered` ones.
    pub(crate) intermediate_receipts: bool,
    /// Share of accepted messages whose receipts are never sent, 0 to 1.
    pub(crate) loss_rate: f64,
    /// Share of submissions answered 503 and not processed, 0 to 1.
    pub(crate) failure_rate: f64,
    /// Before each submission is processed.
    pub(crate) latency: Duration,
    /// How much WhatsApp tells in one webhook, if there is that much to tell. One: nothing is shared.
    pub(crate) statuses_per_webhook: usize,
}

impl Scenario {
    pub(crate) fn new(receipt_delay: Duration) -> Self {
        Self {
            receipt_delay,
            intermediate_receipts: false,
            loss_rate: 0.0,
            failure_rate: 0.0,
            latency: Duration::ZERO,
            statuses_per_webhook: 1,
        }
    }

    pub(crate) fn timing(&self) -> Timing {
        Timing { receipt_delay: self.receipt_delay, intermediate: self.intermediate_receipts }
    }

    pub(crate) fn fails(&self) -> bool {
        happens(self.failure_rate)
    }

    pub(crate) fn loses(&self) -> bool {
        happens(self.loss_rate)
    }
}

fn happens(rate: f64) -> bool {
    rate > 0.0 && rand::rng().random_bool(rate.min(1.0))
}

/// Remembers which messages were already refused once, for recipients that refuse once.
///
/// The attempt number does not count: a retry with a new number is the same message. Without a reference the
/// recipient alone is remembered.
#[derive(Debug, Default)]
pub(crate) struct Once(Mutex<HashSet<u64>>);

impl Once {
    /// Most messages remembered; then all are forgotten, and the next ones are refused once more.
    const MESSAGES_MAX: usize = 1_000_000;

    /// Whether this is the first call for the message and recipient.
    pub(crate) fn is_first(&self, reference: Option<&Reference>, recipient: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        reference.map(Reference::message_id).hash(&mut hasher);
        recipient.hash(&mut hasher);
        let mut seen = self.0.lock();
        if seen.len() == Self::MESSAGES_MAX {
            seen.clear();
        }
        seen.insert(hasher.finish())
    }

    pub(crate) fn clear(&self) {
        self.0.lock().clear();
    }
}
