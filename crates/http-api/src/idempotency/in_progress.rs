//! Keys whose first request is still running in this process.

use std::collections::HashSet;

use hermes_domain::tenant::TenantScope;
use parking_lot::Mutex;

use crate::problem::{Code, Problem};

type Key = (TenantScope, String);

/// Keys in use.
#[derive(Debug, Default)]
pub(crate) struct InProgress(Mutex<HashSet<Key>>);

/// Holds a key; dropping it lets the next request with the key go on.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    all: &'a InProgress,
    key: Key,
}

impl InProgress {
    /// Holds a key.
    pub(crate) fn start(&self, scope: TenantScope, key: &str) -> Result<Running<'_>, Problem> {
        let key = (scope, key.to_owned());
        if self.0.lock().insert(key.clone()) {
            return Ok(Running { all: self, key });
        }
        Err(in_progress())
    }
}

pub(crate) fn in_progress() -> Problem {
    let detail = "The first request with this Idempotency-Key is still running; try again.";
    Problem::new(Code::IdempotencyInProgress, detail).retry_after(1)
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.all.0.lock().remove(&self.key);
    }
}
