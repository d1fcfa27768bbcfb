//! Which addresses may be suppressed, in memory: most are not, and need no look into the database.

use std::{
    collections::HashSet,
    hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState},
    sync::atomic::{AtomicBool, Ordering},
};

use hermes_domain::{
    TenantId,
    message::Mode,
    suppression::{Coverage, ERASED_PREFIX},
};
use hermes_ports::suppressions::SuppressedAddress;
use parking_lot::RwLock;
use rusqlite::Connection;

use crate::columns::{id_bits, mode_number};

/// Most entries, 9 to 18 bytes each. With more rules every address may be suppressed, and the database is asked.
const ENTRIES_MAX: usize = 2_000_000;

/// Hashes of what rules cover, keyed anew in every process. A rule that was deleted leaves its hash behind until the next
/// start, which costs a look into the database and nothing else; so nothing can be taken out too early.
#[derive(Debug)]
pub(crate) struct SuppressionFilter {
    keys: RandomState,
    seen: RwLock<Seen>,
    /// Some rules are about addresses that were erased.
    has_erased: AtomicBool,
}

#[derive(Debug, Default)]
struct Seen {
    hashes: HashSet<u64, BuildHasherDefault<AsItIs>>,
    is_full: bool,
}

/// The hashes are hashes already.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl SuppressionFilter {
    /// Reads every rule; about a second for two million.
    pub(crate) fn load(db: &Connection) -> rusqlite::Result<Self> {
        let filter =
            Self { keys: RandomState::new(), seen: RwLock::default(), has_erased: AtomicBool::new(false) };
        let mut select = db.prepare("SELECT tenant, mode, value FROM suppression_rule")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let tenant = id_bits(row.get_ref(0)?.as_blob()?).unwrap_or_default();
            filter.take(tenant, row.get(1)?, row.get_ref(2)?.as_str()?);
        }
        Ok(filter)
    }

    /// Notes a rule. Before its commit, so that nobody who reads after the commit misses it.
    pub(crate) fn note(&self, tenant: TenantId, mode: Mode, covers: &Coverage) {
        self.take(tenant.as_u128(), mode_number(mode), covers.value());
    }

    /// Whether there may be a rule about an address that was erased.
    pub(crate) fn has_erased(&self) -> bool {
        self.has_erased.load(Ordering::Acquire)
    }

    /// Whether there may be a rule with exactly this value.
    pub(crate) fn may_hold(&self, tenant: TenantId, mode: Mode, value: &str) -> bool {
        let seen = self.seen.read();
        seen.is_full || seen.hashes.contains(&self.hash(tenant.as_u128(), mode_number(mode), value))
    }

    fn take(&self, tenant: u128, mode: i64, value: &str) {
        self.insert(self.hash(tenant, mode, value));
        if value.starts_with(ERASED_PREFIX) {
            self.has_erased.store(true, Ordering::Release);
        }
    }

    /// Whether there may be a rule that covers an address.
    pub(crate) fn may_cover(&self, of: &SuppressedAddress) -> bool {
        let seen = self.seen.read();
        if seen.is_full {
            return true;
        }
        if seen.hashes.is_empty() {
            return false;
        }
        let (tenant, mode) = (of.tenant.as_u128(), mode_number(of.mode));
        let values = Coverage::values_covering(of.channel, &of.address);
        values.iter().any(|value| seen.hashes.contains(&self.hash(tenant, mode, value)))
    }

    fn hash(&self, tenant: u128, mode: i64, value: &str) -> u64 {
        self.keys.hash_one((tenant, mode, value))
    }

    fn insert(&self, hash: u64) {
        let mut seen = self.seen.write();
        if seen.hashes.len() < ENTRIES_MAX {
            seen.hashes.insert(hash);
        } else if !seen.hashes.contains(&hash) {
            seen.is_full = true;
        }
    }
}
