//! Firebase Cloud Messaging HTTP v1, and Google's token endpoint for service accounts.
//!
//! FCM sends no receipts, so endings that are about receipts reduce to what a caller can see: 9902–9906 and
//! 9912 are plain successes, and 9901 (accepted, then undelivered) is answered `UNREGISTERED` at once, which
//! is how FCM says that a device is gone. 9911 is a malformed token. The other endings mean what they mean
//! elsewhere.

mod bearer;
mod fault;
mod message;
mod schema;
mod send;
mod token;

use std::{collections::HashMap, sync::Arc};

use axum::{Router, response::Response, routing::post};
use parking_lot::RwLock;
use ring::signature::{KeyPair, RsaKeyPair, RsaPublicKeyComponents};

use crate::{FcmAccount, pem, world::World};

use bearer::Tokens;
use schema::Schema;

/// Service accounts, tokens, and the shape of requests.
#[derive(Debug)]
pub(crate) struct Fcm {
    /// By client email.
    accounts: RwLock<HashMap<String, Arc<ServiceAccount>>>,
    tokens: Tokens,
    schema: Schema,
}

/// What is needed to recognise a service account.
#[derive(Debug)]
struct ServiceAccount {
    project_id: String,
    private_key_id: String,
    public_key: RsaPublicKeyComponents<Vec<u8>>,
}

impl ServiceAccount {
    /// The client email, and the rest.
    fn read(account: &FcmAccount) -> Result<(String, Self), BadAccount> {
        let text =
            |name: &'static str| account.service_account[name].as_str().ok_or(BadAccount::Missing(name));
        let der = pem::body(text("private_key")?).ok_or(BadAccount::Key)?;
        let key = RsaKeyPair::from_pkcs8(&der).map_err(|_| BadAccount::Key)?;
        let known = Self {
            project_id: text("project_id")?.to_owned(),
            private_key_id: text("private_key_id")?.to_owned(),
            public_key: RsaPublicKeyComponents::from(key.public_key()),
        };
        Ok((text("client_email")?.to_owned(), known))
    }
}

/// Why a service account cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadAccount {
    #[error("the service account has no `{0}`")]
    Missing(&'static str),
    #[error("the service account's private key is not a PKCS#8 RSA key of at least 2048 bits")]
    Key,
}

impl Fcm {
    pub(crate) fn new() -> Self {
        Self { accounts: RwLock::default(), tokens: Tokens::new(), schema: Schema::published() }
    }

    /// Adds all accounts, or none if one has no usable key.
    pub(crate) fn add_accounts(&self, accounts: &[FcmAccount]) -> Result<(), BadAccount> {
        let known: Vec<_> = accounts.iter().map(ServiceAccount::read).collect::<Result<_, _>>()?;
        self.accounts.write().extend(known.into_iter().map(|(email, account)| (email, Arc::new(account))));
        Ok(())
    }

    /// Makes every access token handed out so far invalid.
    pub(crate) fn revoke_tokens(&self) {
        self.tokens.revoke();
    }
}

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/token", post(token::token).fallback(unknown_method))
        .route("/v1/projects/{project}/messages:send", post(send::send).fallback(unknown_method))
}

/// The answer to a path or method that FCM does not have.
pub(crate) async fn unknown_method() -> Response {
    fault::unknown_method().into_response()
}
