//! Names under which a guest counts: each makes a time series that stays until the process ends.

use std::{collections::BTreeSet, sync::Arc};

use parking_lot::Mutex;

/// Most names of one revision.
const NAMES_MAX: usize = 16;

/// Names used so far, shared by all instances of a revision: a guest that traps after each handful of
/// names gets a fresh instance, but no fresh names.
#[derive(Clone, Default)]
pub(crate) struct MetricNames(Arc<Mutex<BTreeSet<String>>>);

impl MetricNames {
    /// Whether `name` may be used: it is known, or there is room for it.
    pub(crate) fn admit(&self, name: &str) -> bool {
        let mut names = self.0.lock();
        names.contains(name) || (names.len() < NAMES_MAX && names.insert(name.to_owned()))
    }
}
