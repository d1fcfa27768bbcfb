//! Everything that leaves the process over HTTP: provider calls, tokens, certificates, tenant webhooks.

use std::{fmt, time::Duration};

use async_trait::async_trait;

use crate::{
    adapter::ConnectionAccess,
    http::{HttpRequest, HttpResponse},
};

/// Whose request it is; decides where it may go.
#[derive(Clone, Debug)]
pub enum Caller<'a> {
    /// An adapter's request: only the descriptor's hosts or the connection's `base_url`.
    Adapter {
        /// The connection, with the credentials to add.
        access: &'a ConnectionAccess,
        /// Hosts that the adapter declared.
        hosts: &'a [String],
    },
    /// A tenant's webhook: any public host; private ones only where the operator allows them.
    TenantWebhook,
}

/// Why no response came back. Decides what is known about the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// Policy forbids the request: nothing was sent.
    #[error("refused: {0}")]
    Refused(String),
    /// No connection was made: nothing was sent.
    #[error("could not connect: {0}")]
    Connect(String),
    /// The credentials could not be turned into an authentication: nothing was sent.
    #[error("could not authenticate: {0}")]
    Credentials(String),
    /// The token endpoint failed: nothing was sent.
    #[error("could not obtain an access token: {0}")]
    Token(String),
    /// No answer in time: the request may have been processed.
    #[error("no answer within {limit_ms} ms")]
    Timeout {
        /// The limit.
        limit_ms: u64,
    },
    /// The connection broke after the request may have left.
    #[error("connection lost: {0}")]
    Lost(String),
    /// The answer is larger than allowed; the request was processed in some way.
    #[error("the answer is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
}

impl EgressError {
    /// Whether it is certain that the other side never saw the request.
    pub const fn is_not_sent(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Connect(_) | Self::Credentials(_) | Self::Token(_) => true,
            Self::Timeout { .. } | Self::Lost(_) | Self::TooLarge { .. } => false,
        }
    }
}

/// Ports from 1,024 on that serve no HTTP but something that a forged request could talk to.
///
/// Source: the Fetch standard, "bad port".
const BAD_PORTS: [u16; 19] = [
    1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679,
    6697, 10_080,
];

/// Whether a tenant's webhook may go to this port: 80, 443, or one above 1,023 that is not known for another
/// protocol.
pub fn is_webhook_port(port: u16) -> bool {
    matches!(port, 80 | 443) || (port >= 1_024 && !BAD_PORTS.contains(&port))
}

/// The HTTP client.
#[async_trait]
pub trait Egress: Send + Sync + fmt::Debug {
    /// Sends one request, without redirects and without transparent retries.
    ///
    /// `limit` bounds the whole exchange, connecting and reading the body included.
    ///
    /// # Errors
    /// See [`EgressError`]; only those with [`EgressError::is_not_sent`] prove that nothing was sent.
    async fn perform(
        &self,
        caller: Caller<'_>,
        request: HttpRequest,
        limit: Duration,
    ) -> Result<HttpResponse, EgressError>;

    /// Forgets cached tokens and certificates of a connection whose credentials changed or were refused.
    fn forget(&self, connection: hermes_domain::ConnectionId);
}
