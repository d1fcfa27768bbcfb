//! The audit log of a data directory, read beside whatever has it open.

use std::path::Path;

use async_trait::async_trait;
use hermes_ports::{
    AuditRead, StoreError,
    audit::{AuditEntry, AuditHead, AuditQuery},
};
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

use crate::{audit, options::OpenError, schema::DATABASE};

/// Reads the audit log without a lock: a server may be running on the directory, and nothing is changed, not even the
/// schema.
#[derive(Debug)]
pub struct AuditReader {
    reads: SqlitePool,
}

impl AuditReader {
    /// Opens the database in `data_dir`.
    ///
    /// # Errors
    /// `Readers` when there is none.
    pub async fn open(data_dir: &Path) -> Result<Self, OpenError> {
        let path = data_dir.join(DATABASE);
        let reading = SqliteConnectOptions::new().filename(path).read_only(true).create_if_missing(false);
        let reads = SqlitePoolOptions::new().max_connections(1).connect_with(reading).await;
        Ok(Self { reads: reads.map_err(OpenError::Readers)? })
    }

    /// Lets go of the database.
    pub async fn close(&self) {
        self.reads.close().await;
    }
}

#[async_trait]
impl AuditRead for AuditReader {
    async fn list(&self, query: AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        audit::list(&self.reads, query).await
    }

    async fn after(&self, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        audit::entries_after(&self.reads, after, limit).await
    }

    async fn head(&self) -> Result<Option<AuditHead>, StoreError> {
        audit::head(&self.reads).await
    }
}
