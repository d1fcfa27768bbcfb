//! Keys of our own: from the configuration, or made once and kept beside the data.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::{Context as _, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hermes_config::Config;
use hermes_directory::DirectoryKeys;
use serde::{Deserialize, Serialize};

/// File beside the data, readable by its owner only.
const FILE: &str = "keys.json";

#[derive(Serialize, Deserialize)]
struct Stored {
    hash_key: String,
    credentials_key: String,
}

/// The configured keys; those that are not configured come from `keys.json` in the data directory, which
/// is made at the first start.
///
/// # Errors
/// When the file cannot be read or made.
pub(crate) fn keys(config: &Config) -> anyhow::Result<DirectoryKeys> {
    let configured = (config.secrets.hash_key.as_ref(), config.secrets.credentials_key.as_ref());
    if let (Some(hash_key), Some(credentials_key)) = configured {
        return Ok(DirectoryKeys {
            hash_key: *hash_key.expose(),
            credentials_key: *credentials_key.expose(),
        });
    }
    let stored = stored(&config.store.data_dir)?;
    Ok(DirectoryKeys {
        hash_key: configured.0.map_or(stored.hash_key, |key| *key.expose()),
        credentials_key: configured.1.map_or(stored.credentials_key, |key| *key.expose()),
    })
}

fn stored(data_dir: &Path) -> anyhow::Result<DirectoryKeys> {
    let path = data_dir.join(FILE);
    let read = || -> anyhow::Result<Option<Stored>> {
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes).context("it is not what hermes wrote")?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    };
    let stored = match read().with_context(|| format!("could not read {}", path.display()))? {
        Some(stored) => stored,
        None => make(data_dir, &path).with_context(|| format!("could not make {}", path.display()))?,
    };
    Ok(DirectoryKeys {
        hash_key: decode(&stored.hash_key)?,
        credentials_key: decode(&stored.credentials_key)?,
    })
}

fn make(data_dir: &Path, path: &Path) -> anyhow::Result<Stored> {
    let random = || -> anyhow::Result<String> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
        Ok(STANDARD.encode(bytes))
    };
    let stored = Stored { hash_key: random()?, credentials_key: random()? };
    fs::create_dir_all(data_dir)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&serde_json::to_vec_pretty(&stored)?)?;
    file.sync_all()?;
    Ok(stored)
}

fn decode(text: &str) -> anyhow::Result<[u8; 32]> {
    match STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok()) {
        Some(key) => Ok(key),
        None => bail!("{FILE} holds a key that is not 32 bytes in base64"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn keys_are_made_once_and_kept_private() {
        let dir = tempfile::tempdir().unwrap();
        let first = stored(dir.path()).unwrap();
        let again = stored(dir.path()).unwrap();
        assert_eq!((first.hash_key, first.credentials_key), (again.hash_key, again.credentials_key));
        assert_ne!(first.hash_key, first.credentials_key);
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(dir.path().join(FILE), "{}").unwrap();
        assert!(stored(dir.path()).is_err(), "a damaged file is not replaced");
    }
}
