//! The embedded backend: every contract, durability, and what only it does.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod batch_lines;
mod child;
mod crash;
mod durability;
mod erasing;
mod index;
mod key_sweep;
mod lock;
mod provider_lists;
mod retention;
mod suppressed;
mod tampering;
mod upkeep;
mod writer;

use std::{path::Path, sync::Arc};

use hermes_backend_embedded::{EmbeddedBackend, EmbeddedOptions};
use hermes_port_contracts::Ports;
use tempfile::TempDir;

/// Empty storage, kept as long as the guard.
async fn fresh() -> (Ports, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    (Ports::of(&open(directory.path()).await), directory)
}

async fn open(directory: &Path) -> Arc<EmbeddedBackend> {
    EmbeddedBackend::open(EmbeddedOptions::new(directory)).await.unwrap()
}

hermes_port_contracts::all_contracts!(crate::fresh);
