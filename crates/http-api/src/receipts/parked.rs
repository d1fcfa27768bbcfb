//! Receipts that were kept are offered again, once what they lacked may be there.

use std::{collections::HashSet, error::Error, ops::Range, sync::Arc, time::Duration};

use hermes_domain::ConnectionId;
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
    receive::{count, reference_of},
};
use crate::api::Api;

/// How often.
const EVERY: Duration = Duration::from_secs(15);
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
}

impl ParkedReceipts {
    pub(crate) const fn new(api: Arc<Api>) -> Self {
        Self { api, settled: None }
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
    async fn verify_again(&self) -> Result<(), StoreError> {
        let mut silent = HashSet::new();
        let mut after = None;
        loop {
            let page = self.api.ports.receipts.list(ParkedKind::Unverified, after, PAGE).await?;
            for (id, parked) in &page {
                // One failure says enough about a connection for this round.
                if !silent.contains(&parked.connection) && !self.verify(parked).await {
                    silent.insert(parked.connection);
                } else if !silent.contains(&parked.connection) {
                    self.api.ports.receipts.remove(*id).await?;
                }
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
            Ok(Ok(Received { entries, .. })) => {
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
