//! `[egress]`: calls to providers.

use std::time::Duration;

use ipnet::IpNet;

use crate::byte_size::ByteSize;
use crate::reader::Reader;

/// Calls to providers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Egress {
    /// Limit of one call.
    pub timeout: Duration,
    /// Limit of its connect; not above `timeout`.
    pub connect_timeout: Duration,
    /// Questions to a provider about what became of a message, a second and connection; zero for none.
    pub lookups_per_s: u32,
    /// Calls about a provider's suppression list, a second and connection; zero for none.
    pub list_calls_per_s: u32,
    /// How often such a list is read.
    pub lists_read_every: Duration,
    /// Pages that one reading takes at most.
    pub list_pages_max: u32,
    /// Private networks that may be reached; `"loopback"` has become its two blocks.
    pub allow_private: Vec<IpNet>,
    /// Allow http:// besides https://.
    pub allow_http: bool,
    /// Limit of a response's body.
    pub response_max: ByteSize,
    /// Idle connections kept open to each host.
    pub pool_idle_per_host: usize,
}

impl Egress {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        let egress = Self {
            timeout: reader.seconds("egress.timeout_s", 1..=300),
            connect_timeout: reader.seconds("egress.connect_timeout_s", 1..=300),
            lookups_per_s: reader.integer("egress.lookups_per_s", 0..=10_000),
            list_calls_per_s: reader.integer("egress.list_calls_per_s", 0..=1_000),
            lists_read_every: reader.seconds("egress.lists_read_every_s", 60..=604_800),
            list_pages_max: reader.integer("egress.list_pages_max", 1..=1_000),
            allow_private: reader.networks("egress.allow_private"),
            allow_http: reader.boolean("egress.allow_http"),
            response_max: reader.bytes("egress.response_max_bytes", 1_024..=16 << 20),
            pool_idle_per_host: reader.integer("egress.pool_idle_per_host", 0..=10_000),
        };
        if egress.connect_timeout > egress.timeout {
            reader.problem("egress.connect_timeout_s", "must not be longer than egress.timeout_s");
        }
        egress
    }
}
