//! Limits of webhook endpoints.

use std::time::Duration;

/// Limits that hold for every endpoint.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long one request may take.
    pub post_limit: Duration,
    /// Requests that one endpoint may have under way.
    pub posts_max: usize,
    /// Tries of one endpoint that are under way or not yet recorded.
    pub unrecorded_max: usize,
    /// Notifications of one endpoint held in memory; further ones are read from the outbox later.
    pub window_max: usize,
    /// Notifications read from the outbox at a time.
    pub load_max: usize,
    /// Updates recorded together.
    pub batch_max: usize,
    /// How long an update waits for others.
    pub batch_wait: Duration,
    /// How often the outbox is looked at for what nobody announced, such as redeliveries.
    pub sweep_every: Duration,
    /// Delays before each retry; after the last one the notification has failed.
    pub retry_delays: Vec<Duration>,
    /// An endpoint that has been failing for so long, without a success, is disabled.
    pub disable_after: Duration,
}

impl Default for Options {
    fn default() -> Self {
        const HOUR: u64 = 3_600;
        let seconds = [5, 300, 1_800, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];
        Self {
            post_limit: Duration::from_secs(15),
            posts_max: 64,
            unrecorded_max: 1_024,
            window_max: 10_000,
            load_max: 2_000,
            batch_max: 512,
            batch_wait: Duration::from_millis(5),
            sweep_every: Duration::from_secs(15),
            retry_delays: seconds.map(Duration::from_secs).into(),
            disable_after: Duration::from_secs(5 * 24 * HOUR),
        }
    }
}
