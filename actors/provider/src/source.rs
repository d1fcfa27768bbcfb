//! Where connections come from.

use std::fmt;

use hermes_directory::Directory;
use hermes_domain::ConnectionId;
use hermes_ports::adapter::ConnectionAccess;
use tokio::sync::watch;

/// What this crate needs from the directory. Answers from memory; never waits.
pub trait ConnectionSource: Send + Sync + fmt::Debug {
    /// A connection with its credentials; `None` when it does not exist (any more).
    fn access(&self, id: ConnectionId) -> Option<ConnectionAccess>;
    /// Every connection, in no particular order.
    fn connections(&self) -> Vec<ConnectionId>;
    /// Changes whenever a connection may have changed.
    fn subscribe(&self) -> watch::Receiver<u64>;
}

impl ConnectionSource for Directory {
    fn access(&self, id: ConnectionId) -> Option<ConnectionAccess> {
        Self::access(self, id)
    }

    fn connections(&self) -> Vec<ConnectionId> {
        self.read(|snapshot| snapshot.connections().map(|entry| entry.access.connection.id).collect())
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        Self::subscribe(self)
    }
}
