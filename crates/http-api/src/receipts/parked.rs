//! Receipts that were kept are offered again, once what they lacked may be there.

use std::{collections::HashMap, error::Error, ops::Range, sync::Arc, time::Duration};

use hermes_domain::{ConnectionId, UnixMillis};
use hermes_ports::{
    StoreError,
    adapter::{Received, ReceivedEntry, WebhookRefusal},
    parked_body::{decode_receipt, decode_webhook},
    provider_gateway::ReceiveError,
    receipt_inbox::{Parked, ParkedId, ParkedKind},
};
use tracing::{error, info, warn};

use super::{
    apply::{self, Applied},
    receive::{count, note_unreadable, reference_of},
};
use crate::api::Api;

/// How often.
const EVERY: Duration = Duration::from_secs(15);
/// Longest pause between two tries to verify a receipt, in milliseconds (10 minutes). Pauses grow with its age, so that
/// what nobody can read does not stand before what can be read.
const VERIFY_PAUSE_MS_MAX: u64 = 600_000;
/// Age at which a receipt that could not be verified is given up, in milliseconds (48 hours): time enough to mend an
/// adapter, and more than any provider goes on sending.
const VERIFY_FOR_MS: u64 = 48 * 3_600_000;
/// Failures of a connection that end its round.
const FAILURES_MAX: u32 = 3;
/// Receipts read at a time.
const PAGE: usize = 500;
/// Ages, in milliseconds, at which an orphan is offered again. A younger one may be on its way to its outcome. An
/// older one can be made readable by an outcome only, and every outcome asks for its orphans.
const ORPHAN_AGE_MS: Range<u64> = 2_000..120_000;

/// The receipts that are parked. Made by [`crate::router`].
#[derive(Debug)]
pub struct ParkedReceipts {
    api: Arc<Api>,
    /// The newest orphan that is too old to be looked at again.
    settled: Option<ParkedId>,
    /// When receipts were last verified.
    verified_at: UnixMillis,
}

impl ParkedReceipts {
    pub(crate) const fn new(api: Arc<Api>) -> Self {
        Self { api, settled: None, verified_at: UnixMillis(0) }
    }

    /// Offers them again every 15 seconds, for ever.
    pub async fn run(mut self) {
        loop {
            tokio::time::sleep(EVERY).await;
            if let Err(failure) = self.offer_again().await {
                warn!(error = &failure as &dyn Error, "parked receipts could not be read");
            }
        }
    }

    /// Offers each of them once.
    ///
    /// # Errors
    /// The store's. What was not reached stays parked.
    pub async fn offer_again(&mut self) -> Result<(), StoreError> {
        self.verify_again().await?;
        self.look_again().await
    }

    /// Asks adapters again about receipts that could not be verified.
    async fn verify_again(&mut self) -> Result<(), StoreError> {
        let now = self.api.now();
        let last = std::mem::replace(&mut self.verified_at, now);
        let mut failures: HashMap<ConnectionId, u32> = HashMap::new();
        let mut after = None;
        loop {
            let page = self.api.ports.receipts.list(ParkedKind::Unverified, after, PAGE).await?;
            for (id, parked) in &page {
                let failed = failures.entry(parked.connection).or_default();
                if now.since(parked.received_at) >= VERIFY_FOR_MS {
                    error!(provider.connection = %parked.connection, "a receipt that nobody could verify is given up");
                    self.count(parked.connection, "given_up");
                } else if *failed >= FAILURES_MAX || !is_due(parked.received_at, last, now) {
                    continue;
                } else if !self.verify(parked).await {
                    *failed += 1;
                    continue;
                }
                self.api.ports.receipts.remove(*id).await?;
            }
            after = page.last().map(|(id, _)| *id);
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }

    /// Whether the receipt is settled: applied, kept in another way, or worthless.
    async fn verify(&self, parked: &Parked) -> bool {
        let Some(webhook) = decode_webhook(&parked.body) else {
            error!(provider.connection = %parked.connection, "an unverified receipt cannot be read");
            return true;
        };
        let reference = webhook.url.parse().ok().and_then(|url| reference_of(&url));
        let body = webhook.body.clone();
        match self.api.ports.gateway.receive(parked.connection, webhook).await {
            Ok(Ok(Received { entries, unreadable, .. })) => {
                note_unreadable(parked.connection, unreadable, |label| self.count(parked.connection, label));
                for entry in entries {
                    match apply::apply(&self.api, parked.connection, reference, &body, entry).await {
                        Ok(applied) => self.count(parked.connection, applied.label()),
                        Err(_) => return false,
                    }
                }
                true
            }
            Ok(Err(WebhookRefusal::SendAgain)) => false,
            Ok(Err(refusal)) => {
                warn!(provider.connection = %parked.connection, ?refusal, "a kept receipt is refused");
                true
            }
            Err(ReceiveError::UnknownConnection) => true,
            Err(ReceiveError::Adapter(_) | ReceiveError::Fetch) => false,
        }
    }

    /// Looks again for the messages of recent orphans: an outcome may have missed one that was parked at the same
    /// moment.
    async fn look_again(&mut self) -> Result<(), StoreError> {
        let mut after = self.settled;
        loop {
            let page = self.api.ports.receipts.list(ParkedKind::Orphan, after, PAGE).await?;
            for (id, parked) in &page {
                let age_ms = self.api.now().since(parked.received_at);
                if age_ms >= ORPHAN_AGE_MS.end {
                    self.settled = Some(*id);
                } else if ORPHAN_AGE_MS.contains(&age_ms) && self.look(parked).await {
                    self.api.ports.receipts.remove(*id).await?;
                }
            }
            after = page.last().map(|(id, _)| *id);
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }

    /// Whether the orphan has found its message.
    async fn look(&self, parked: &Parked) -> bool {
        let Some(receipt) = decode_receipt(&parked.body) else { return false };
        let entry = ReceivedEntry::Receipt { reference: Some(parked.key.clone()), account: None, receipt };
        let applied = apply::apply(&self.api, parked.connection, None, &[], entry).await;
        let found = applied.is_ok_and(|applied| applied != Applied::Orphan);
        if found {
            info!(provider.connection = %parked.connection, "an orphaned receipt has found its message");
        }
        found
    }

    fn count(&self, connection: ConnectionId, result: &'static str) {
        if let Some(access) = self.api.directory().access(connection) {
            count(&access.connection.provider, result);
        }
    }
}

/// Whether a try falls between the last round and this one. They are made at multiples of a pause that is about an
/// eighth of the receipt's age.
fn is_due(received_at: UnixMillis, last: UnixMillis, now: UnixMillis) -> bool {
    let age_ms = now.since(received_at);
    let pause_ms = (age_ms / 8).checked_next_power_of_two().unwrap_or(u64::MAX).clamp(1, VERIFY_PAUSE_MS_MAX);
    received_at >= last || age_ms / pause_ms != last.since(received_at) / pause_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_tried_at_once_then_less_and_less_often_but_every_ten_minutes_at_least() {
        let arrived = UnixMillis(1_000_000);
        let tries: Vec<u64> = (1..=4 * 3_600 / 15)
            .map(|round| arrived.plus_s(round * 15))
            .filter(|now| is_due(arrived, UnixMillis(now.0 - 15_000), *now))
            .map(|now| now.since(arrived) / 1_000)
            .collect();
        assert_eq!(tries[..4], [15, 30, 45, 60]);
        let pauses: Vec<u64> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(pauses.iter().all(|pause| *pause <= 615), "{pauses:?}");
        assert!(tries.len() < 80, "{} tries in four hours", tries.len());
        assert!(is_due(arrived, UnixMillis(0), arrived.plus_s(1)), "after a restart");
    }
}
