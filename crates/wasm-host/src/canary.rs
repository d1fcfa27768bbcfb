//! A candidate that builds a share of the submissions beside the version that serves, and how they differ.
//!
//! Nothing that it builds is sent. It runs within the limits of any call; after [`FAULTS_MAX`] faults one after the
//! other it is left alone, so that a bad one costs the calls beside it ten time limits and no more.

mod differences;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
};

use hermes_domain::outcome::Outcome;
use hermes_ports::adapter::{AdapterFault, AdapterStep, CanaryReport};
use parking_lot::Mutex;

use crate::revision::Revision;
pub(crate) use differences::differences;

/// Faults in a row after which a candidate is left alone.
const FAULTS_MAX: u32 = 10;
/// Different places that are counted; further ones count as different calls only.
const PLACES_MAX: usize = 64;

/// How one submission came out.
#[derive(Clone, Copy)]
pub(crate) enum Compared {
    Same,
    Different,
    Faulted,
}

impl Compared {
    /// For metrics.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Different => "different",
            Self::Faulted => "fault",
        }
    }
}

/// A version under observation.
pub(crate) struct Canary {
    pub(crate) revision: Arc<Revision>,
    share_percent: u8,
    calls: AtomicU64,
    compared: AtomicU64,
    different: AtomicU64,
    faults: AtomicU64,
    faults_in_a_row: AtomicU32,
    places: Mutex<BTreeMap<String, u64>>,
}

impl Canary {
    pub(crate) fn new(revision: Arc<Revision>, share_percent: u8) -> Self {
        Self {
            revision,
            share_percent,
            calls: AtomicU64::default(),
            compared: AtomicU64::default(),
            different: AtomicU64::default(),
            faults: AtomicU64::default(),
            faults_in_a_row: AtomicU32::default(),
            places: Mutex::default(),
        }
    }

    /// Whether it builds the next call too: exactly its share of them, evenly spread.
    pub(crate) fn takes(&self) -> bool {
        let share = u64::from(self.share_percent);
        let before = self.calls.fetch_add(1, Relaxed);
        !self.is_stopped() && (before + 1) * share / 100 > before * share / 100
    }

    fn is_stopped(&self) -> bool {
        self.faults_in_a_row.load(Relaxed) >= FAULTS_MAX
    }

    /// Compares what it built with what is sent. `None` when it could not be asked.
    pub(crate) fn note(
        &self,
        sent: &AdapterStep<Outcome>,
        built: Result<AdapterStep<Outcome>, AdapterFault>,
    ) -> Option<Compared> {
        let built = match built {
            Ok(built) => built,
            Err(AdapterFault::Busy) => return None,
            Err(_) => {
                self.faults.fetch_add(1, Relaxed);
                self.faults_in_a_row.fetch_add(1, Relaxed);
                return Some(Compared::Faulted);
            }
        };
        self.faults_in_a_row.store(0, Relaxed);
        self.compared.fetch_add(1, Relaxed);
        let found = differences(sent, &built);
        if found.is_empty() {
            return Some(Compared::Same);
        }
        self.different.fetch_add(1, Relaxed);
        let mut places = self.places.lock();
        for place in found {
            if places.len() < PLACES_MAX || places.contains_key(&place) {
                *places.entry(place).or_default() += 1;
            }
        }
        Some(Compared::Different)
    }

    pub(crate) fn report(&self) -> CanaryReport {
        CanaryReport {
            share_percent: self.share_percent,
            compared: self.compared.load(Relaxed),
            different: self.different.load(Relaxed),
            faults: self.faults.load(Relaxed),
            stopped: self.is_stopped(),
            places: self.places.lock().clone(),
        }
    }
}
