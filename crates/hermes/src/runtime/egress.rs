//! Two ways out: one to the world, and one that reaches nothing but this machine's simulator.

use std::{fmt, sync::Arc, time::Duration};

use anyhow::Context as _;
use async_trait::async_trait;
use hermes_config::Config;
use hermes_domain::{ConnectionId, message::Mode};
use hermes_egress::{EgressOptions, HttpEgress, PrivateAccess};
use hermes_ports::{
    Egress,
    egress::{Caller, EgressError},
    http::{HttpRequest, HttpResponse},
};

/// Sends a connection's requests by its mode: test connections cannot reach what live ones reach.
pub(crate) struct ModalEgress {
    live: HttpEgress,
    test: HttpEgress,
}

impl fmt::Debug for ModalEgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModalEgress").finish_non_exhaustive()
    }
}

impl ModalEgress {
    /// Live by configuration; test for plain HTTP on this machine, and for tenants' webhooks only if
    /// `webhooks_local` or the configuration says so.
    ///
    /// # Errors
    /// When the machine has no certificate authorities.
    pub(crate) fn start(config: &Config, webhooks_local: bool) -> anyhow::Result<Arc<Self>> {
        let networks = config.egress.allow_private.clone();
        let allow_private =
            if networks.is_empty() { PrivateAccess::None } else { PrivateAccess::Networks(networks) };
        let webhook_allow_private = match (webhooks_local, config.webhooks.allow_private) {
            (_, true) => PrivateAccess::All,
            (true, false) => PrivateAccess::Loopback,
            (false, false) => PrivateAccess::None,
        };
        let live = EgressOptions {
            connect_timeout: config.egress.connect_timeout,
            response_max_bytes: usize::try_from(config.egress.response_max.bytes()).unwrap_or(usize::MAX),
            allow_private,
            webhook_allow_private,
            allow_http: config.egress.allow_http || webhooks_local,
            pool_idle_per_host: config.egress.pool_idle_per_host,
            ..EgressOptions::default()
        };
        let test = EgressOptions {
            allow_private: PrivateAccess::Loopback,
            webhook_allow_private: PrivateAccess::None,
            allow_http: true,
            pool_idle_per_host: 512,
            ..live.clone()
        };
        let start = |options| HttpEgress::new(options).context("could not set up the HTTP client");
        Ok(Arc::new(Self { live: start(live)?, test: start(test)? }))
    }
}

#[async_trait]
impl Egress for ModalEgress {
    async fn perform(
        &self,
        caller: Caller<'_>,
        request: HttpRequest,
        limit: Duration,
    ) -> Result<HttpResponse, EgressError> {
        let test = matches!(caller, Caller::Adapter { access, .. } if access.connection.mode == Mode::Test);
        let way = if test { &self.test } else { &self.live };
        way.perform(caller, request, limit).await
    }

    fn forget(&self, connection: ConnectionId) {
        self.live.forget(connection);
        self.test.forget(connection);
    }
}
