//! Writes when keys were used last, beside the requests that use them.

use std::{error::Error, sync::Arc, time::Duration};

use hermes_directory::Directory;
use hermes_ports::{Clock as _, clock::SystemClock};
use tracing::warn;

/// How often it looks; the directory sees to it that no key is written about twice within a minute.
const EVERY: Duration = Duration::from_secs(15);

/// Runs until it is dropped.
pub(super) async fn keep(directory: Arc<Directory>, clock: SystemClock) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        record(&directory, clock).await;
    }
}

/// Writes what is due now.
pub(super) async fn record(directory: &Directory, clock: SystemClock) {
    if let Err(failure) = directory.record_key_uses(clock.now()).await {
        // Nothing depends on it, and the next round tries again.
        warn!(error = &failure as &dyn Error, "could not write when keys were used last");
    }
}
