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
}

impl Webhooks {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        Self {
            allow_private: reader.boolean("webhooks.allow_private"),
            timeout: reader.seconds("webhooks.timeout_s", 1..=120),
            retry_delays: reader.seconds_list("webhooks.retry_delays_s", 1..=7 * DAY_S),
        }
    }
}
