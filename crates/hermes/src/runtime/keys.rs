//! Keys of our own: from the configuration, or made once and kept beside the data.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
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
    /// Only while a rotation is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous_credentials_key: Option<String>,
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
            previous_credentials_key: configured_previous(config),
        });
    }
    let stored = stored(&config.store.data_dir)?;
    Ok(DirectoryKeys {
        hash_key: configured.0.map_or(stored.hash_key, |key| *key.expose()),
        credentials_key: configured.1.map_or(stored.credentials_key, |key| *key.expose()),
        previous_credentials_key: configured_previous(config)
            .or_else(|| stored.previous_credentials_key.filter(|_| configured.1.is_none())),
    })
}

/// Whether [`keys`] would find what it needs, without making it: in the configuration, or in this file beside the data.
///
/// # Errors
/// The file, when it is needed and missing.
pub(crate) fn are_there(config: &Config) -> Result<(), PathBuf> {
    let kept = config.store.data_dir.join(FILE);
    let configured = config.secrets.hash_key.is_some() && config.secrets.credentials_key.is_some();
    if configured || kept.exists() { Ok(()) } else { Err(kept) }
}

fn configured_previous(config: &Config) -> Option<[u8; 32]> {
    config.secrets.previous_credentials_key.as_ref().map(|key| *key.expose())
}

/// Puts a new credentials key into the file beside the data, with the old one behind it. Goes on with a rotation
/// that was interrupted.
///
/// # Errors
/// When the file cannot be read or replaced.
pub(crate) fn begin_rotation(data_dir: &Path) -> anyhow::Result<()> {
    let mut kept = read(data_dir)?.context("there is no keys.json yet: nothing to rotate")?;
    if kept.previous_credentials_key.is_none() {
        kept.previous_credentials_key = Some(std::mem::replace(&mut kept.credentials_key, random()?));
        replace(data_dir, &kept)?;
    }
    Ok(())
}

/// Forgets the old key.
///
/// # Errors
/// When the file cannot be read or replaced.
pub(crate) fn end_rotation(data_dir: &Path) -> anyhow::Result<()> {
    let kept = read(data_dir)?.context("keys.json has gone")?;
    replace(data_dir, &Stored { previous_credentials_key: None, ..kept })
}

fn stored(data_dir: &Path) -> anyhow::Result<DirectoryKeys> {
    let stored = match read(data_dir)? {
        Some(stored) => stored,
        None => make(data_dir)?,
    };
    Ok(DirectoryKeys {
        hash_key: decode(&stored.hash_key)?,
        credentials_key: decode(&stored.credentials_key)?,
        previous_credentials_key: stored.previous_credentials_key.as_deref().map(decode).transpose()?,
    })
}

fn read(data_dir: &Path) -> anyhow::Result<Option<Stored>> {
    let path = data_dir.join(FILE);
    let read = match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).context("it is not what hermes wrote"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    };
    read.with_context(|| format!("could not read {}", path.display()))
}

fn make(data_dir: &Path) -> anyhow::Result<Stored> {
    let path = data_dir.join(FILE);
    let stored = Stored { hash_key: random()?, credentials_key: random()?, previous_credentials_key: None };
    let directory = fs::DirBuilder::new().recursive(true).mode(0o700).create(data_dir);
    let made = directory.map_err(anyhow::Error::from).and_then(|()| write(&path, &stored));
    made.with_context(|| format!("could not make {}", path.display()))?;
    Ok(stored)
}

/// A whole file at every moment: the new one is durable before it takes the old one's name.
fn replace(data_dir: &Path, stored: &Stored) -> anyhow::Result<()> {
    let (path, next) = (data_dir.join(FILE), data_dir.join(format!("{FILE}.new")));
    let _ = fs::remove_file(&next); // Left over from an interruption.
    let replaced = write(&next, stored).and_then(|()| {
        fs::rename(&next, &path)?;
        Ok(fs::File::open(data_dir)?.sync_all()?)
    });
    replaced.with_context(|| format!("could not replace {}", path.display()))
}

fn write(path: &Path, stored: &Stored) -> anyhow::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&serde_json::to_vec_pretty(stored)?)?;
    Ok(file.sync_all()?)
}

fn random() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    Ok(STANDARD.encode(bytes))
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
