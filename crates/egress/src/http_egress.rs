//! The port's implementation: what happens to a request, step by step.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use hermes_domain::ConnectionId;
use hermes_ports::{
    adapter::ConnectionAccess,
    egress::{Caller, Egress, EgressError},
    http::{AuthScheme, HttpRequest, HttpResponse, Method},
};
use reqwest::header::{AUTHORIZATION, HeaderMap};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::{
    auth::{self, Claims, Jwts, SigningNames, Token, TokenSource, TokenSources, Wanted},
    clients::{Lane, SetupError, tls_config},
    destination, exchange, headers,
    options::{Clock, EgressOptions},
    watched_body::Progress,
};

/// Longest exchange that can be asked for.
const LIMIT_MAX: Duration = Duration::from_hours(1);
/// The provider's word for "I do not accept these credentials".
const UNAUTHORIZED: u16 = 401;

/// Sends requests over HTTP/1.1 with keep-alive. Cheap to share in an `Arc`; it must live in a tokio runtime.
pub struct HttpEgress {
    providers: Lane,
    webhooks: Lane,
    tokens: TokenSources,
    jwts: Jwts,
    response_max_bytes: usize,
    now: Clock,
}

/// A token that was used, to be dropped if the provider refuses it.
struct UsedToken {
    source: Arc<TokenSource>,
    token: Arc<Token>,
}

impl HttpEgress {
    /// Sets the clients up and loads the trusted certificate authorities. Blocks for some milliseconds.
    ///
    /// # Errors
    /// See [`SetupError`]; a machine without certificate authorities is one.
    pub fn new(options: EgressOptions) -> Result<Self, SetupError> {
        let tls = tls_config(&options)?;
        Ok(Self {
            providers: Lane::providers(&options, &tls)?,
            webhooks: Lane::webhooks(&options, &tls)?,
            tokens: TokenSources::new(options.token_sources_max),
            jwts: Jwts::new(options.token_sources_max),
            response_max_bytes: options.response_max_bytes,
            now: options.now,
        })
    }

    const fn lane(&self, caller: &Caller<'_>) -> &Lane {
        match caller {
            Caller::Adapter { .. } => &self.providers,
            Caller::TenantWebhook => &self.webhooks,
        }
    }

    /// Adds the authentication that `request` asks for to `headers`.
    async fn authenticate(
        &self,
        access: &ConnectionAccess,
        request: &Unauthenticated<'_>,
        headers: &mut HeaderMap,
        deadline: Instant,
    ) -> Result<Option<UsedToken>, EgressError> {
        let secrets = &access.secrets;
        match request.auth {
            AuthScheme::None => {}
            AuthScheme::Basic { user, password } => auth::basic(headers, secrets, user, password)?,
            AuthScheme::Bearer { token } => auth::bearer(headers, secrets, token)?,
            AuthScheme::Header { name, value } => auth::header(headers, secrets, name, value)?,
            AuthScheme::AwsSigV4 { access_key_id, secret_access_key, session_token, region, service } => {
                let names = SigningNames { access_key_id, secret_access_key, session_token, region, service };
                let signed = (request.method, request.url, request.body);
                auth::sign(headers, secrets, names, signed, (self.now)())?;
            }
            AuthScheme::GoogleServiceAccount { key, scope } => {
                let source = self.tokens.source(access, Wanted { key, scope })?;
                let token = timeout_at(deadline, source.token(&self.providers, &self.now))
                    .await
                    .map_err(|_| EgressError::Token("no token arrived in time".into()))??;
                headers.insert(AUTHORIZATION, token.authorization().clone());
                return Ok(Some(UsedToken { source, token }));
            }
            AuthScheme::Jwt { key, claims, valid_for_s } => {
                let valid_for = Duration::from_secs(u64::from(*valid_for_s));
                let claims = Claims { key, claims, valid_for };
                headers.insert(AUTHORIZATION, self.jwts.authorization(access, claims, (self.now)())?);
            }
        }
        Ok(None)
    }
}

/// What a time-out means, by how far the request had come.
fn timed_out(limit: Duration, progress: &Progress) -> EgressError {
    let limit_ms = limit.as_millis() as u64;
    if progress.is_untouched() {
        EgressError::Connect(format!("no connection within {limit_ms} ms"))
    } else {
        EgressError::Timeout { limit_ms }
    }
}

/// The parts of a request that authentication looks at.
struct Unauthenticated<'a> {
    auth: &'a AuthScheme,
    method: Method,
    url: &'a Url,
    body: &'a [u8],
}

#[async_trait]
impl Egress for HttpEgress {
    async fn perform(
        &self,
        caller: Caller<'_>,
        request: HttpRequest,
        limit: Duration,
    ) -> Result<HttpResponse, EgressError> {
        let deadline = Instant::now() + limit.min(LIMIT_MAX);
        let HttpRequest { method, url, headers, body, auth, effect: _ } = request;
        let url = destination::admit(&caller, &url)?;
        let client = self.lane(&caller).client_for(&url)?;
        let mut headers = headers::read_request(headers)?;
        let used = match (&caller, &auth) {
            (Caller::Adapter { access, .. }, auth) => {
                let unauthenticated = Unauthenticated { auth, method, url: &url, body: &body };
                self.authenticate(access, &unauthenticated, &mut headers, deadline).await?
            }
            (Caller::TenantWebhook, AuthScheme::None) => None,
            (Caller::TenantWebhook, _) => {
                return Err(EgressError::Refused("a webhook has no credentials to add".into()));
            }
        };
        let outgoing = exchange::request(method, url, headers, body);
        let progress = outgoing.progress.clone();
        let response = timeout_at(deadline, exchange::run(client, outgoing, self.response_max_bytes))
            .await
            .map_err(|_| timed_out(limit, &progress))??;
        if let (UNAUTHORIZED, Some(used)) = (response.status, used) {
            used.source.refused(&used.token, (self.now)());
        }
        Ok(response)
    }

    fn forget(&self, connection: ConnectionId) {
        self.tokens.forget(connection);
        self.jwts.forget(connection);
    }
}

impl fmt::Debug for HttpEgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpEgress")
            .field("tokens", &self.tokens)
            .field("response_max_bytes", &self.response_max_bytes)
            .finish_non_exhaustive()
    }
}
