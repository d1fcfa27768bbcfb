//! What is measured: the server's address and process, its simulator, its completion log.

use std::{
    net::{SocketAddr, ToSocketAddrs as _},
    path::PathBuf,
};

use anyhow::{Context as _, ensure};

use super::{options::Options, process, spawn::Spawned};
use crate::commands::client::Caller;

/// A running server.
pub(super) struct Target {
    /// Base URL of its API.
    pub(super) api: String,
    /// `host:port` of it.
    pub(super) host: String,
    pub(super) address: SocketAddr,
    /// Key of the tenant that sends.
    pub(super) key: String,
    pub(super) simulator: Option<String>,
    pub(super) completion_log: Option<PathBuf>,
    pub(super) server_pid: Option<u32>,
    pub(super) simulator_pid: Option<u32>,
    /// Name of the connection that messages name; `None` leaves it to the server.
    pub(super) connection: Option<String>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target")
            .field("api", &self.api)
            .field("server_pid", &self.server_pid)
            .finish_non_exhaustive()
    }
}

impl Target {
    /// What was just started, or what the options and a `hermes dev` file name.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub(super) fn find(options: &Options, spawned: Option<&Spawned>) -> anyhow::Result<Self> {
        match spawned {
            Some(spawned) => {
                let (host, address) = address(&spawned.dev.api)?;
                Ok(Self {
                    api: spawned.dev.api.clone(),
                    host,
                    address,
                    key: spawned.dev.tenant_key.clone(),
                    simulator: Some(spawned.dev.simulator.clone()),
                    completion_log: Some(spawned.completion_log.clone()),
                    server_pid: Some(spawned.server_pid()),
                    simulator_pid: Some(spawned.simulator_pid()),
                    connection: None,
                })
            }
            None => Self::running(options),
        }
    }

    fn running(options: &Options) -> anyhow::Result<Self> {
        let (api, key) = options.api.resolve(Caller::Tenant)?;
        let (host, address) = address(&api)?;
        // What a `hermes dev` left behind says nothing about another server.
        let dev = options.api.dev_file()?.filter(|dev| dev.api.trim_end_matches('/') == api);
        let pid = || dev.as_ref().and_then(|_| process::holder_of(&options.api.data));
        Ok(Self {
            host,
            address,
            key,
            simulator: options.simulator.clone().or_else(|| dev.as_ref().map(|dev| dev.simulator.clone())),
            completion_log: options.completion_log.clone(),
            server_pid: options.pid.or_else(pid),
            simulator_pid: None,
            connection: None,
            api,
        })
    }
}

/// `host:port` and the address behind it.
fn address(api: &str) -> anyhow::Result<(String, SocketAddr)> {
    let url = reqwest::Url::parse(api).with_context(|| format!("{api} is not a URL"))?;
    ensure!(url.scheme() == "http", "bench speaks plain HTTP: give an http:// address, behind any TLS proxy");
    let host = url.host_str().with_context(|| format!("{api} names no host"))?;
    let host = format!("{host}:{}", url.port_or_known_default().unwrap_or(80));
    let resolved = host.to_socket_addrs().with_context(|| format!("could not resolve {host}"))?.next();
    let address = resolved.with_context(|| format!("{host} has no address"))?;
    Ok((host, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_becomes_an_address() {
        let expected = ("127.0.0.1:8080".to_owned(), SocketAddr::from(([127, 0, 0, 1], 8_080)));
        assert_eq!(address("http://127.0.0.1:8080").unwrap(), expected);
        assert!(address("https://127.0.0.1:8080").is_err());
        assert!(address("127.0.0.1:8080").is_err());
    }
}
