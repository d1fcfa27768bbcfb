//! `[webhooks]`: notifications to tenants.

use std::time::Duration;

use super::DAY_S;
use crate::reader::Reader;

/// Notifications to tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhooks {
    /// Let tenants register private and loopback addresses.
    pub allow_private: bool,
    /// Limit of one delivery.
    pub timeout: Duration,
    /// The delay before each retry, first to last; empty means no retry.
    pub retry_delays: Vec<Duration>,
    /// An endpoint that has been failing for so long, without one success, is disabled.
    pub disable_after: Duration,
}

impl Webhooks {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        Self {
            allow_private: reader.boolean("webhooks.allow_private"),
            timeout: reader.seconds("webhooks.timeout_s", 1..=120),
            retry_delays: reader.seconds_list("webhooks.retry_delays_s", 1..=7 * DAY_S),
            disable_after: reader.seconds("webhooks.disable_after_s", 1..=30 * DAY_S),
        }
    }
}
