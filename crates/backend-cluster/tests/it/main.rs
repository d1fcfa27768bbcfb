//! The cluster backend against a real nats-server.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod protection;
mod rest;
mod scan;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use hermes_backend_cluster::{
    ClusterOptions, CommitRest, CompanionRest, NatsCascadeStore, NatsErasure, NatsRetention,
};
use hermes_backend_embedded::{EmbeddedBackend, EmbeddedOptions};
use hermes_port_contracts::Ports;
use hermes_testkit::{
    ManualClock, START,
    nats::{self, NatsServer},
};
use tempfile::TempDir;

/// Buckets that no other test uses, even on a server that others use.
fn options() -> ClusterOptions {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let bucket_prefix = format!("test-{}-{since}-{number}", std::process::id());
    ClusterOptions { bucket_prefix, buckets: 4, ..ClusterOptions::default() }
}

/// Cascades in NATS, everything else in a companion.
struct Stores {
    cascades: Arc<NatsCascadeStore>,
    companion: Arc<EmbeddedBackend>,
    directory: TempDir,
}

impl Stores {
    /// A companion of its own.
    async fn fresh(url: &str, options: ClusterOptions) -> Self {
        Self::over(url, options, tempfile::tempdir().unwrap()).await
    }

    /// As after a restart.
    async fn again(self, url: &str, options: ClusterOptions) -> Self {
        self.companion.close().await;
        Self::over(url, options, self.directory).await
    }

    async fn over(url: &str, options: ClusterOptions, directory: TempDir) -> Self {
        let embedded =
            EmbeddedOptions { clock: options.clock.clone(), ..EmbeddedOptions::new(directory.path()) };
        let companion = EmbeddedBackend::open(embedded).await.unwrap();
        let cascades = open(url, options, rest_of(&companion), &companion).await;
        Self { cascades, companion, directory }
    }

    fn erasure(&self) -> NatsErasure {
        NatsErasure::new(Arc::clone(&self.cascades), Arc::clone(&self.companion) as _)
    }

    fn retention(&self) -> NatsRetention {
        NatsRetention::new(Arc::clone(&self.cascades), Arc::clone(&self.companion) as _)
    }
}

fn rest_of(companion: &Arc<EmbeddedBackend>) -> Arc<dyn CommitRest> {
    Arc::new(CompanionRest::new(Arc::clone(companion) as _, Arc::clone(companion) as _))
}

async fn open(
    url: &str,
    options: ClusterOptions,
    rest: Arc<dyn CommitRest>,
    vault: &Arc<EmbeddedBackend>,
) -> Arc<NatsCascadeStore> {
    let client = async_nats::connect(url).await.unwrap();
    NatsCascadeStore::open(client, options, rest, Arc::clone(vault) as _).await.unwrap()
}

async fn fresh() -> (Ports, (NatsServer, TempDir)) {
    let server = nats::server();
    // The suites' time: claims expire by the companion's clock.
    let options = ClusterOptions { clock: Arc::new(ManualClock::at(START)), ..options() };
    let stores = Stores::fresh(server.url(), options).await;
    let (cascades, erasure) = (Arc::clone(&stores.cascades) as _, Arc::new(stores.erasure()));
    let ports = Ports { cascades, erasure, ..Ports::of(&stores.companion) };
    (ports, (server, stores.directory))
}

hermes_port_contracts::erasure_contract!(crate::fresh);
hermes_port_contracts::cascade_store_contract!(crate::fresh);

// Where parts live in different servers a key is taken before the state is written, so a creation that
// loses keeps its key: that behaviour of the suite is left out. So is the one about expired keys, which
// a companion judges by its own clock.
hermes_port_contracts::behaviours!(crate::fresh, commit_parts:
    a_claim_is_found_once_its_message_is_committed,
    a_taken_claim_writes_nothing,
    a_claim_does_not_stand_in_its_own_messages_way,
    webhooks_are_owed_once_committed,
    a_conflict_owes_no_webhook,
    a_consumed_receipt_is_gone_with_the_commit,
    a_conflict_keeps_the_receipt,
);

// Log rows come from the companion, whose revisions are its own; all else about lists must hold.
hermes_port_contracts::behaviours!(crate::fresh, message_log:
    one_more_than_asked_for_tells_that_there_is_more,
    pages_follow_each_other_without_gap_or_repetition,
    tenants_and_modes_are_apart,
    messages_are_found_by_status,
    messages_are_found_by_tag,
    messages_are_found_by_address,
    an_attempt_is_found_by_the_providers_id,
);
