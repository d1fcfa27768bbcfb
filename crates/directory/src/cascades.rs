//! Stored cascades that messages may name.

use std::sync::Arc;

use hermes_domain::{CascadeTemplateId, TenantId, UnixMillis, message::Mode};
use hermes_ports::registry::RecordKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    directory::{Directory, body, expect_version, record},
    error::DirectoryError,
    snapshot::{Snapshot, Versioned},
};

/// A stored cascade: a name for steps and policies. Resolved anew for each message.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CascadeTemplate {
    /// Which.
    pub id: CascadeTemplateId,
    /// Whose.
    pub tenant: TenantId,
    /// Live or test.
    pub mode: Mode,
    /// For people.
    pub name: String,
    /// Steps and policies in the API's shape, validated before they are stored.
    pub cascade: Value,
    /// When it was made.
    pub created_at: UnixMillis,
    /// Last change.
    pub updated_at: UnixMillis,
}

impl Directory {
    /// A stored cascade with its version.
    pub fn cascade(&self, id: CascadeTemplateId) -> Option<Versioned<CascadeTemplate>> {
        self.read(|snapshot| snapshot.cascade(id).cloned())
    }

    /// Adds a stored cascade and returns its version.
    ///
    /// # Errors
    /// `Conflict` when the id exists; `Store`.
    pub async fn create_cascade(&self, cascade: CascadeTemplate) -> Result<u64, DirectoryError> {
        self.put_cascade(cascade, Some(0)).await
    }

    /// Replaces a stored cascade that is at version `expected` (any, if `None`).
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `Store`.
    pub async fn update_cascade(
        &self,
        cascade: CascadeTemplate,
        expected: Option<u64>,
    ) -> Result<u64, DirectoryError> {
        let id = cascade.id;
        let stored = self
            .read(|snapshot| expect_version(snapshot.cascade(id), expected).map(|stored| stored.version))?;
        self.put_cascade(cascade, Some(stored)).await
    }

    /// Removes a stored cascade that is at version `expected` (any, if `None`). Messages that were
    /// accepted with it keep their plan.
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `Store`.
    pub async fn delete_cascade(
        &self,
        id: CascadeTemplateId,
        expected: Option<u64>,
    ) -> Result<(), DirectoryError> {
        let check = |snapshot: &Snapshot| expect_version(snapshot.cascade(id), expected).map(drop);
        let apply = |snapshot: &mut Snapshot| {
            Arc::make_mut(&mut snapshot.cascades).remove(&id);
        };
        self.erase(RecordKind::CascadeTemplate, &id.to_string(), check, apply).await
    }

    async fn put_cascade(
        &self,
        cascade: CascadeTemplate,
        expected: Option<u64>,
    ) -> Result<u64, DirectoryError> {
        let record = record(RecordKind::CascadeTemplate, cascade.id.to_string(), &cascade, None);
        let apply = |snapshot: &mut Snapshot, version| {
            let stored = Versioned { value: Arc::new(cascade), version };
            Arc::make_mut(&mut snapshot.cascades).insert(stored.value.id, stored);
        };
        self.write(record, expected, |_| Ok(()), apply).await
    }

    pub(crate) async fn load_cascades(&self, next: &mut Snapshot) -> Result<(), DirectoryError> {
        let cascades = Arc::make_mut(&mut next.cascades);
        for record in self.registry.all(RecordKind::CascadeTemplate).await? {
            let cascade: CascadeTemplate = body(&record)?;
            cascades.insert(cascade.id, Versioned { value: Arc::new(cascade), version: record.version });
        }
        Ok(())
    }
}
