//! The fakes keep every contract that real backends keep.

use hermes_port_contracts::Ports;
use hermes_testkit::MemoryBackend;

async fn memory() -> (Ports, ()) {
    (Ports::of(&MemoryBackend::new()), ())
}

hermes_port_contracts::all_contracts!(crate::memory);
