//! Keeps a second process away from a data directory.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::private_files;

/// Name of the lock file. Its presence means nothing; only the lock on it does.
const FILE: &str = "hermes.lock";

/// Why a directory could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process (or another backend in this one) holds it.
    #[error("another process is using {path}; stop it, or choose another data directory")]
    Held {
        /// The directory.
        path: PathBuf,
    },
    /// The lock file could not be opened or locked.
    #[error("could not lock {path}")]
    Io {
        /// The lock file.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: io::Error,
    },
}

/// An advisory lock (`flock`). The kernel releases it with the process, `kill -9` included.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock of `directory`, without waiting.
    pub(crate) fn take(directory: &Path) -> Result<Self, LockError> {
        let path = directory.join(FILE);
        let file = private_files::open(&path).map_err(|cause| LockError::Io { path: path.clone(), cause })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Held { path: directory.to_owned() }),
            Err(TryLockError::Error(cause)) => Err(LockError::Io { path, cause }),
        }
    }
}
