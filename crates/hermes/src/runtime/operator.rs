//! What an operator does to the store itself, while no server runs on it.

use std::path::Path;

use anyhow::{Context as _, ensure};
use hermes_config::{Config, environment};
use hermes_directory::{Directory, Mint, Rotation};
use hermes_domain::{
    UnixMillis,
    access::{Role, Scopes},
    tenant::{ApiKey, KeyOwner},
};
use hermes_ports::{Clock as _, clock::SystemClock};
use std::sync::Arc;

use super::{Actor, block_on, keys, on_record, open_stores};

/// Makes an operator key in the store that `config` names. No server may have that store open.
///
/// # Errors
/// When the configuration is wrong or the store cannot be opened.
pub(crate) fn create_operator_key(config: Option<&Path>, name: &str, role: Role) -> anyhow::Result<String> {
    let config = Config::load(config, environment())?;
    block_on(async {
        let stores = open_stores(&config, SystemClock::at_boot()).await?;
        let directory = Directory::open(stores.registry(), keys::keys(&config)?).await?;
        let clock = SystemClock::at_boot();
        let mint = Mint::new(Arc::new(clock), vec![0]);
        let key = operator_key(&mint, clock.now(), name, role);
        let done = ("createOperatorKey", format!("keys/{}", key.id));
        let create = async { directory.create_key(key).await.context("could not store the key") };
        let (_, secret) = on_record(&*stores.embedded, clock, Actor::CommandLine, done, create).await?;
        stores.close().await;
        Ok(secret)
    })
}

/// An operator's key called `name`.
pub(crate) fn operator_key(mint: &Mint, now: UnixMillis, name: &str, role: Role) -> ApiKey {
    ApiKey {
        id: mint.key(),
        owner: KeyOwner::Operator,
        name: name.to_owned(),
        scopes: Scopes::All,
        role: Some(role),
        hint: None,
        expires_at: None,
        created_at: now,
    }
}

/// Encrypts all stored secrets under a new key: the configured one, or one that is made for `keys.json`.
///
/// # Errors
/// When a server holds the store, or a configured key has no previous one beside it.
pub(crate) fn rotate_credentials(config: Option<&Path>) -> anyhow::Result<Rotation> {
    let config = Config::load(config, environment())?;
    let own_file = config.secrets.credentials_key.is_none();
    ensure!(
        own_file || config.secrets.previous_credentials_key.is_some(),
        "secrets.credentials_key is configured: put the new key there and the old one into \
         secrets.previous_credentials_key"
    );
    block_on(async {
        let mut stores = open_stores(&config, SystemClock::at_boot()).await?;
        if own_file {
            // Nobody else has the store open. Opened with both keys, it seals the key of its vault anew.
            stores.close().await;
            keys::begin_rotation(&config.store.data_dir)?;
            stores = open_stores(&config, SystemClock::at_boot()).await?;
        }
        let directory = Directory::open(stores.registry(), keys::keys(&config)?).await?;
        let what = ("rotateCredentials", "credentials".to_owned());
        let reseal =
            async { directory.reseal().await.context("could not encrypt a secret anew; run it again") };
        let clock = SystemClock::at_boot();
        let done = on_record(&*stores.embedded, clock, Actor::CommandLine, what, reseal).await?;
        if own_file {
            keys::end_rotation(&config.store.data_dir)?;
        }
        stores.close().await;
        Ok(done)
    })
}
