//! What a simulator is started with.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use crate::{Accounts, demo};

/// How a simulator is started. [`SimulatorOptions::new`] gives the demo accounts and sensible defaults.
#[derive(Clone, Debug)]
pub struct SimulatorOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The URL under which callers reach the simulator, without a trailing slash. `None`: `http://<bound
    /// address>`. The SNS certificate and subscription links are built from it.
    pub public_url: Option<String>,
    /// An append-only JSON lines file with every submission, written before the answer leaves and read back
    /// at start.
    pub log: Option<PathBuf>,
    /// What is kept in memory about submissions.
    pub log_detail: LogDetail,
    /// From acceptance to the final receipt, where the script does not say otherwise. Default 50 ms.
    pub receipt_delay: Duration,
    /// The accounts that exist; more can be added while running (`POST /sim/accounts`).
    pub accounts: Accounts,
    /// Endpoints subscribed to SNS topics from the start, without the confirmation handshake. A key is a
    /// topic ARN or a configuration set name; an unknown name becomes a configuration set with a topic of its
    /// own.
    pub sns_endpoints: BTreeMap<String, Vec<String>>,
    /// How SNS messages are signed.
    pub sns_signature: SnsSignatureVersion,
}

impl SimulatorOptions {
    /// The defaults: demo accounts, full in-memory log, no file, receipts after 50 ms.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            public_url: None,
            log: None,
            log_detail: LogDetail::Full,
            receipt_delay: Duration::from_millis(50),
            accounts: demo::accounts(),
            sns_endpoints: BTreeMap::new(),
            sns_signature: SnsSignatureVersion::V2,
        }
    }
}

/// What the simulator keeps in memory about the submissions it received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogDetail {
    /// The last 200,000 submissions, counts for up to 2,000,000 references, and messages for lookups.
    Full,
    /// Only the counts per reference: enough to look for duplicates after a load run. Lookups find nothing.
    Counts,
    /// Nothing but totals. Lookups find nothing.
    Off,
}

impl LogDetail {
    /// How many accepted messages each provider remembers for its lookups.
    pub(crate) fn messages_max(self) -> usize {
        match self {
            Self::Full => 100_000,
            Self::Counts | Self::Off => 0,
        }
    }
}

/// The two ways SNS signs, over the same string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnsSignatureVersion {
    /// RSA with SHA-1: what a topic uses unless configured otherwise. Slow here: it is signed without
    /// assembly.
    V1,
    /// RSA with SHA-256.
    V2,
}
