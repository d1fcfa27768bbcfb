//! From one credentials key to the next.

use hermes_ports::registry::RecordKind;

use crate::{directory::Directory, error::DirectoryError};

/// Kinds of records that have a secret.
const SEALED: [RecordKind; 2] = [RecordKind::Connection, RecordKind::Endpoint];

/// What a rotation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rotation {
    /// Secrets that are now encrypted under the current key.
    pub resealed: usize,
    /// Secrets that were already.
    pub current: usize,
}

impl Directory {
    /// Encrypts every secret under the current key. May be repeated after an interruption: each record is changed
    /// on its own, and both keys open whatever is there.
    ///
    /// # Errors
    /// `Secret` for one that neither key opens; `Store`, also when somebody changed a record meanwhile.
    pub async fn reseal(&self) -> Result<Rotation, DirectoryError> {
        let mut done = Rotation::default();
        for kind in SEALED {
            for mut record in self.registry.all(kind).await? {
                let Some(sealed) = record.secret.as_ref() else { continue };
                if self.cipher.is_current(sealed) {
                    done.current += 1;
                    continue;
                }
                let named = |cause| DirectoryError::Secret { id: record.id.clone(), cause };
                let plain = self.cipher.open(&record.id, sealed).map_err(named)?;
                record.secret = Some(self.cipher.seal(&record.id, &plain).map_err(named)?.into());
                let version = record.version;
                self.registry.put(record, Some(version)).await?;
                done.resealed += 1;
            }
        }
        Ok(done)
    }
}
