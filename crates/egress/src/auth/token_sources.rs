//! Where the tokens of connections come from, and which are kept.

use std::{fmt, num::NonZeroUsize, sync::Arc, time::SystemTime};

use hermes_domain::ConnectionId;
use hermes_ports::{adapter::ConnectionAccess, egress::EgressError};
use lru::LruCache;
use parking_lot::Mutex;
use url::Url;

use super::{
    credential,
    service_account::{GOOGLE_TOKEN_URI, ServiceAccount},
    token::Token,
    token_cell::TokenCell,
    token_request,
};
use crate::{clients::Lane, destination, options::Clock};

/// The setting of a connection that replaces its service account's token endpoint.
const TOKEN_URI: &str = "token_uri";
/// Scopes kept per connection; adapters use one.
const PER_CONNECTION_MAX: usize = 4;

/// What a token is asked for: the name of the credential with the key file, and the scope.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) key: &'a str,
    pub(crate) scope: &'a str,
}

/// Token sources by connection; the least used is dropped when full.
pub(crate) struct TokenSources {
    by_connection: Mutex<LruCache<ConnectionId, Vec<Arc<TokenSource>>>>,
}

/// A service account with its current token.
pub(crate) struct TokenSource {
    /// The key file's text, to notice a change.
    key_file: String,
    endpoint_setting: Option<String>,
    scope: String,
    account: ServiceAccount,
    endpoint: Url,
    cell: TokenCell,
}

impl TokenSources {
    pub(crate) fn new(connections_max: usize) -> Self {
        let connections_max = NonZeroUsize::new(connections_max).unwrap_or(NonZeroUsize::MIN);
        Self { by_connection: Mutex::new(LruCache::new(connections_max)) }
    }

    /// The source for `access`, made anew when its credentials or its `token_uri` have changed.
    ///
    /// # Errors
    /// `Credentials` when the key file is missing or unusable, `Refused` for an unusable endpoint.
    pub(crate) fn source(
        &self,
        access: &ConnectionAccess,
        wanted: Wanted<'_>,
    ) -> Result<Arc<TokenSource>, EgressError> {
        let source = self.found_or_made(access, wanted)?;
        destination::admit_tokens(&access.connection, &source.endpoint)?;
        Ok(source)
    }

    fn found_or_made(
        &self,
        access: &ConnectionAccess,
        wanted: Wanted<'_>,
    ) -> Result<Arc<TokenSource>, EgressError> {
        let id = access.connection.id;
        let key_file = credential(&access.secrets, wanted.key)?;
        let endpoint_setting = access.connection.setting(TOKEN_URI);
        let fits = |source: &&Arc<TokenSource>| {
            source.scope == wanted.scope
                && source.endpoint_setting.as_deref() == endpoint_setting
                && source.key_file == key_file
        };
        let find = |sources: &Vec<Arc<TokenSource>>| sources.iter().find(fits).cloned();
        if let Some(source) = self.by_connection.lock().get(&id).and_then(find) {
            return Ok(source);
        }
        // Reading a key takes a millisecond: not under the lock. Whoever comes second takes the first one.
        let made = Arc::new(TokenSource::new(key_file, endpoint_setting, wanted.scope)?);
        let mut all = self.by_connection.lock();
        let sources = all.get_or_insert_mut(id, Vec::new);
        if let Some(source) = find(sources) {
            return Ok(source);
        }
        sources.retain(|source| source.scope != wanted.scope);
        sources.truncate(PER_CONNECTION_MAX - 1);
        sources.push(Arc::clone(&made));
        Ok(made)
    }

    /// Drops tokens and keys of `connection`.
    pub(crate) fn forget(&self, connection: ConnectionId) {
        self.by_connection.lock().pop(&connection);
    }
}

impl TokenSource {
    fn new(key_file: &str, endpoint_setting: Option<&str>, scope: &str) -> Result<Self, EgressError> {
        let account = ServiceAccount::read(key_file)?;
        let endpoint = endpoint_setting.or(account.token_uri.as_deref()).unwrap_or(GOOGLE_TOKEN_URI);
        let endpoint = destination::parse(endpoint)?;
        Ok(Self {
            key_file: key_file.to_owned(),
            endpoint_setting: endpoint_setting.map(str::to_owned),
            scope: scope.to_owned(),
            account,
            endpoint,
            cell: TokenCell::default(),
        })
    }

    /// A usable token, fetched through `lane`'s guard if there is none.
    ///
    /// # Errors
    /// As [`token_request::exchange_assertion`].
    pub(crate) async fn token(self: &Arc<Self>, lane: &Lane, now: &Clock) -> Result<Arc<Token>, EgressError> {
        // Checked here and not when the source was made: the scheme and the address are the lane's affair.
        let client = lane.client_for(&self.endpoint)?;
        self.cell
            .get(now, || {
                let (source, client, asked_at) = (Arc::clone(self), client.clone(), now());
                async move {
                    let assertion = source.account.assertion(&source.scope, asked_at)?;
                    token_request::exchange_assertion(client, source.endpoint.clone(), assertion, asked_at)
                        .await
                }
            })
            .await
    }

    /// The provider refused `token`.
    pub(crate) fn refused(&self, token: &Arc<Token>, now: SystemTime) {
        self.cell.refused(token, now);
    }
}

impl fmt::Debug for TokenSources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSources").field("connections", &self.by_connection.lock().len()).finish()
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource").field("cell", &self.cell).finish_non_exhaustive()
    }
}
