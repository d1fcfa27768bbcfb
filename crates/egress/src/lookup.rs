//! From names to addresses.

use std::{
    fmt, io,
    net::{IpAddr, ToSocketAddrs},
    sync::Arc,
};

use async_trait::async_trait;
use tokio::{sync::Semaphore, task::spawn_blocking};

/// Resolves host names. What it answers is judged by the guard, so an implementation need not be trusted.
#[async_trait]
pub trait Lookup: Send + Sync + fmt::Debug {
    /// The addresses of `host`, in order of preference; may be empty.
    ///
    /// # Errors
    /// When the name cannot be resolved.
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
///
/// `getaddrinfo` blocks a thread for as long as a name server cares to be silent. The bound keeps names
/// under one party's control, such as tenants' webhooks, from occupying every thread.
#[derive(Debug, Clone)]
pub struct SystemLookup {
    running: Arc<Semaphore>,
}

impl SystemLookup {
    /// Runs at most `concurrent_max` lookups at a time; others wait.
    pub fn new(concurrent_max: usize) -> Self {
        Self { running: Arc::new(Semaphore::new(concurrent_max)) }
    }
}

#[async_trait]
impl Lookup for SystemLookup {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let permit = Arc::clone(&self.running).acquire_owned().await.map_err(io::Error::other)?;
        let host = host.to_owned();
        let lookup = spawn_blocking(move || {
            // Held by the thread and not by the caller, who may give up long before the thread is free.
            let _permit = permit;
            (host.as_str(), 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect())
        });
        lookup.await.map_err(io::Error::other)?
    }
}
