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

/// Most versions of one stored cascade.
pub const CASCADE_VERSIONS_MAX: usize = 200;
/// Most stored cascades of one tenant in one mode.
const CASCADES_MAX: usize = 1_000;

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
    /// Steps and policies of the active version in the API's shape, validated before they are stored.
    pub cascade: Value,
    /// Number of the active version.
    #[serde(default = "first")]
    pub active: u32,
    /// Every version in order, numbered from 1 without a gap. Records of earlier builds name none: what
    /// they hold is version 1.
    #[serde(default)]
    pub versions: Vec<CascadeVersion>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// Last change.
    pub updated_at: UnixMillis,
}

/// One version of a stored cascade. It never changes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CascadeVersion {
    /// From 1.
    pub number: u32,
    /// Steps and policies in the API's shape.
    pub cascade: Value,
    /// When it was made.
    pub created_at: UnixMillis,
}

const fn first() -> u32 {
    1
}

impl CascadeTemplate {
    /// What it belongs to.
    pub const fn scope(&self) -> TenantScope {
        TenantScope::new(self.tenant, self.mode)
    }

    /// A stored cascade with its first version, which is active.
    pub fn new(
        id: CascadeTemplateId,
        TenantScope { tenant, mode }: TenantScope,
        name: String,
        cascade: Value,
        now: UnixMillis,
    ) -> Self {
        let versions = Vec::new();
        Self { id, tenant, mode, name, cascade, active: 1, versions, created_at: now, updated_at: now }
            .complete()
    }

    /// Version `number`.
    pub fn version(&self, number: u32) -> Option<&CascadeVersion> {
        self.versions.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// The same with another version, and its number. A cascade that the newest version has already makes
    /// no new one.
    ///
    /// # Errors
    /// `Full` at [`CASCADE_VERSIONS_MAX`].
    pub fn with_version(mut self, cascade: Value, now: UnixMillis) -> Result<(Self, u32), DirectoryError> {
        let newest = self.versions.last().filter(|newest| newest.cascade == cascade);
        if let Some(newest) = newest {
            let number = newest.number;
            return Ok((self, number));
        }
        if self.versions.len() >= CASCADE_VERSIONS_MAX {
            return Err(DirectoryError::Full { what: "versions", most: CASCADE_VERSIONS_MAX });
        }
        let number = self.versions.last().map_or(1, |newest| newest.number + 1);
        self.versions.push(CascadeVersion { number, cascade, created_at: now });
        self.updated_at = now;
        Ok((self, number))
    }

    /// The same with version `number` as the active one.
    ///
    /// # Errors
    /// `NotFound` when there is no such version.
    pub fn activated(mut self, number: u32, now: UnixMillis) -> Result<Self, DirectoryError> {
        let version = self.version(number).ok_or(DirectoryError::NotFound)?;
        self.cascade = version.cascade.clone();
        self.active = number;
        self.updated_at = now;
        Ok(self)
    }

    fn complete(mut self) -> Self {
        if self.versions.is_empty() {
            let (cascade, created_at) = (self.cascade.clone(), self.updated_at);
            self.versions = vec![CascadeVersion { number: 1, cascade, created_at }];
            self.active = 1;
        }
        self
    }
}

impl Directory {
    /// A stored cascade with its version, if it is in this scope.
    pub fn cascade(&self, scope: TenantScope, id: CascadeTemplateId) -> Option<Versioned<CascadeTemplate>> {
        self.read(|snapshot| snapshot.cascade(scope, id).cloned())
    }

    /// Adds a stored cascade and returns its version.
    ///
    /// # Errors
    /// `Full`, `Conflict` when the id exists; `Store`.
    pub async fn create_cascade(&self, cascade: CascadeTemplate) -> Result<u64, DirectoryError> {
        let owned = |stored: &&Versioned<CascadeTemplate>| {
            (stored.value.tenant, stored.value.mode) == (cascade.tenant, cascade.mode)
        };
        if self.read(|snapshot| snapshot.cascades.values().filter(owned).count()) >= CASCADES_MAX {
            return Err(DirectoryError::Full { what: "stored cascades", most: CASCADES_MAX });
        }
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
        let (scope, id) = (cascade.scope(), cascade.id);
        let stored = self.read(|snapshot| {
            expect_version(snapshot.cascade(scope, id), expected).map(|stored| stored.version)
        })?;
        self.put_cascade(cascade, Some(stored)).await
    }

    /// Removes a stored cascade that is at version `expected` (any, if `None`). Messages that were
    /// accepted with it keep their plan.
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `Store`.
    pub async fn delete_cascade(
        &self,
        scope: TenantScope,
        id: CascadeTemplateId,
        expected: Option<u64>,
    ) -> Result<(), DirectoryError> {
        let check = |snapshot: &Snapshot| expect_version(snapshot.cascade(scope, id), expected).map(drop);
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
            let cascade = body::<CascadeTemplate>(&record)?.complete();
            cascades.insert(cascade.id, Versioned { value: Arc::new(cascade), version: record.version });
        }
        Ok(())
    }
}
