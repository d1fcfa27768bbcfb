//! Stored cascades that messages may name.

use std::sync::Arc;

use hermes_domain::{CascadeTemplateId, TenantId, UnixMillis, message::Mode, tenant::TenantScope};
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

impl CascadeTemplate {
    /// What it belongs to.
    pub const fn scope(&self) -> TenantScope {
        TenantScope::new(self.tenant, self.mode)
    }
}

impl Directory {
    /// A stored cascade with its version, if it is in this scope.
    pub fn template(&self, scope: TenantScope, id: CascadeTemplateId) -> Option<Versioned<CascadeTemplate>> {
        self.read(|snapshot| snapshot.template(scope, id).cloned())
    }

    /// Adds a stored cascade and returns its version.
    ///
    /// # Errors
    /// `Conflict` when the id exists; `Store`.
    pub async fn create_template(&self, template: CascadeTemplate) -> Result<u64, DirectoryError> {
        self.put_template(template, Some(0)).await
    }

    /// Replaces a stored cascade of the same scope that is at version `expected` (any, if `None`).
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `Store`.
    pub async fn update_template(
        &self,
        template: CascadeTemplate,
        expected: Option<u64>,
    ) -> Result<u64, DirectoryError> {
        let (scope, id) = (template.scope(), template.id);
        let stored = self.read(|snapshot| {
            expect_version(snapshot.template(scope, id), expected).map(|stored| stored.version)
        })?;
        self.put_template(template, Some(stored)).await
    }

    /// Removes a stored cascade that is at version `expected` (any, if `None`). Messages that were
    /// accepted with it keep their plan.
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `Store`.
    pub async fn delete_template(
        &self,
        scope: TenantScope,
        id: CascadeTemplateId,
        expected: Option<u64>,
    ) -> Result<(), DirectoryError> {
        let check = |snapshot: &Snapshot| expect_version(snapshot.template(scope, id), expected).map(drop);
        let apply = |snapshot: &mut Snapshot| {
            Arc::make_mut(&mut snapshot.templates).remove(&id);
        };
        self.erase(RecordKind::CascadeTemplate, &id.to_string(), check, apply).await
    }

    async fn put_template(
        &self,
        template: CascadeTemplate,
        expected: Option<u64>,
    ) -> Result<u64, DirectoryError> {
        let record = record(RecordKind::CascadeTemplate, template.id.to_string(), &template, None);
        let apply = |snapshot: &mut Snapshot, version| {
            let stored = Versioned { value: Arc::new(template), version };
            Arc::make_mut(&mut snapshot.templates).insert(stored.value.id, stored);
        };
        self.write(record, expected, |_| Ok(()), apply).await
    }

    pub(crate) async fn load_templates(&self, next: &mut Snapshot) -> Result<(), DirectoryError> {
        let templates = Arc::make_mut(&mut next.templates);
        for record in self.registry.all(RecordKind::CascadeTemplate).await? {
            let template: CascadeTemplate = body(&record)?;
            templates.insert(template.id, Versioned { value: Arc::new(template), version: record.version });
        }
        Ok(())
    }
}
