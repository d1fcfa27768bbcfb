//! Message templates: which versions there are, and what each says.

mod table;

use std::sync::Arc;

use hermes_domain::{
    TemplateId, TenantId, UnixMillis, message::Mode, template::TemplateBody, tenant::TenantScope,
};
use hermes_ports::registry::{Record, RecordKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use table::TemplateEntry;
pub(crate) use table::TemplateTable;

use crate::{
    directory::{Directory, body, damaged, record},
    error::DirectoryError,
    snapshot::Snapshot,
};

/// Most templates of one tenant in one mode.
pub const TEMPLATES_MAX: usize = 1_000;
/// Most versions of one template.
pub const TEMPLATE_VERSIONS_MAX: usize = 200;
/// Most bytes of all versions of all templates of one tenant in one mode: they are held in memory.
pub const TEMPLATE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A message template. What its versions say lies in records of their own, so that a change of the name
/// or of the active version does not write them again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MessageTemplate {
    /// Which.
    pub id: TemplateId,
    /// Whose.
    pub tenant: TenantId,
    /// Live or test.
    pub mode: Mode,
    /// Unique per tenant and mode.
    pub name: String,
    /// The version that messages get which name none.
    pub active: u32,
    /// Its versions in order, numbered from 1 without a gap.
    pub versions: Vec<TemplateVersion>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// Last change.
    pub updated_at: UnixMillis,
}

/// One version. It never changes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TemplateVersion {
    /// From 1.
    pub number: u32,
    /// When it was made.
    pub created_at: UnixMillis,
    /// Size of what it says, in bytes of JSON.
    pub bytes: usize,
    /// SHA-256 of what it says, as hex. Part of the record's name: two processes that make a version at
    /// once cannot write over each other's words, and whoever loses the race is not seen.
    pub digest: String,
}

/// What is to change of a template.
#[derive(Clone, Debug, Default)]
pub struct TemplateChange {
    /// Another name.
    pub name: Option<String>,
    /// A new version.
    pub body: Option<TemplateBody>,
    /// Which version is active from now on.
    pub activate: Activate,
}

/// Which version becomes active.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Activate {
    /// The one that is.
    #[default]
    Unchanged,
    /// The newest, which may be the one that the change makes.
    Newest,
    /// This one.
    Version(u32),
}

impl Directory {
    /// A message template of `owner`.
    pub fn template(&self, owner: TenantScope, id: TemplateId) -> Option<TemplateEntry> {
        self.read(|snapshot| snapshot.template(owner, id).cloned())
    }

    /// Adds a template with its first version, which is active.
    ///
    /// # Errors
    /// `NameTaken`, `Full`, `Conflict` when the id exists; `Store`.
    pub async fn create_template(
        &self,
        owner: TenantScope,
        (id, name): (TemplateId, String),
        body: TemplateBody,
        now: UnixMillis,
    ) -> Result<TemplateEntry, DirectoryError> {
        let TenantScope { tenant, mode } = owner;
        let template = MessageTemplate {
            id,
            tenant,
            mode,
            name,
            active: 1,
            versions: Vec::new(),
            created_at: now,
            updated_at: now,
        };
        let start = TemplateEntry { template: Arc::new(template), bodies: Arc::new(Vec::new()), version: 0 };
        let change = TemplateChange { body: Some(body), ..TemplateChange::default() };
        self.put_template(start, change, now).await
    }

    /// Changes a template that is at version `expected` of its record (any, if `None`). A body that the
    /// newest version has already makes no new one.
    ///
    /// # Errors
    /// `NotFound` of the template or of the version to activate; `NameTaken`, `Full`, `Conflict`, `Store`.
    pub async fn change_template(
        &self,
        owner: TenantScope,
        id: TemplateId,
        change: TemplateChange,
        expected: Option<u64>,
        now: UnixMillis,
    ) -> Result<TemplateEntry, DirectoryError> {
        let stored = self.template(owner, id).ok_or(DirectoryError::NotFound)?;
        if expected.is_some_and(|expected| expected != stored.version) {
            return Err(DirectoryError::Conflict);
        }
        self.put_template(stored, change, now).await
    }

    /// Removes a template with all versions, if it is at version `expected` of its record (any, if `None`).
    /// Messages that were made from it keep their content.
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `Store`.
    pub async fn delete_template(
        &self,
        owner: TenantScope,
        id: TemplateId,
        expected: Option<u64>,
    ) -> Result<(), DirectoryError> {
        let stored = self.template(owner, id).ok_or(DirectoryError::NotFound)?;
        let check = |snapshot: &Snapshot| match snapshot.template(owner, id) {
            None => Err(DirectoryError::NotFound),
            Some(now) if expected.is_some_and(|expected| expected != now.version) => {
                Err(DirectoryError::Conflict)
            }
            Some(_) => Ok(()),
        };
        let apply = |snapshot: &mut Snapshot| Arc::make_mut(&mut snapshot.templates).remove(owner, id);
        self.erase(RecordKind::MessageTemplate, &id.to_string(), check, apply).await?;
        for version in &stored.template.versions {
            self.registry.delete(RecordKind::TemplateVersion, &version_key(id, version)).await?;
        }
        Ok(())
    }

    async fn put_template(
        &self,
        stored: TemplateEntry,
        change: TemplateChange,
        now: UnixMillis,
    ) -> Result<TemplateEntry, DirectoryError> {
        let expected = stored.version;
        let (next, added) = changed(stored, change, now)?;
        let owner = TenantScope::new(next.template.tenant, next.template.mode);
        let fits = |snapshot: &Snapshot| snapshot.templates.fits(owner, &next);
        self.read(fits)?;
        if let Some(added) = added {
            self.registry.put(added, None).await?;
        }
        let record = record(RecordKind::MessageTemplate, next.template.id.to_string(), &*next.template, None);
        let mut entry = next.clone();
        let apply = move |snapshot: &mut Snapshot, version| {
            entry.version = version;
            Arc::make_mut(&mut snapshot.templates).insert(entry);
        };
        let version = self.write(record, Some(expected), fits, apply).await?;
        Ok(TemplateEntry { version, ..next })
    }

    pub(crate) async fn load_templates(&self, next: &mut Snapshot) -> Result<(), DirectoryError> {
        let mut bodies = std::collections::HashMap::new();
        for record in self.registry.all(RecordKind::TemplateVersion).await? {
            bodies.insert(record.id.clone(), record);
        }
        let templates = Arc::make_mut(&mut next.templates);
        for record in self.registry.all(RecordKind::MessageTemplate).await? {
            let template: MessageTemplate = body(&record)?;
            let read = |version: &TemplateVersion| {
                let said = bodies.get(&version_key(template.id, version)).ok_or_else(|| damaged(&record))?;
                Ok(Arc::new(body(said)?))
            };
            let said = template.versions.iter().map(read).collect::<Result<Vec<_>, DirectoryError>>()?;
            let (template, bodies) = (Arc::new(template), Arc::new(said));
            templates.insert(TemplateEntry { template, bodies, version: record.version });
        }
        Ok(())
    }
}

fn version_key(id: TemplateId, version: &TemplateVersion) -> String {
    format!("{id}.{}.{}", version.number, version.digest)
}

/// The template after `change`, and the record of its new version, if it has one.
fn changed(
    stored: TemplateEntry,
    change: TemplateChange,
    now: UnixMillis,
) -> Result<(TemplateEntry, Option<Record>), DirectoryError> {
    let TemplateEntry { template, bodies, version } = stored;
    let (mut template, mut bodies) = (MessageTemplate::clone(&template), Vec::clone(&bodies));
    let mut added = None;
    if let Some(body) = change.body
        && bodies.last().is_none_or(|newest| **newest != body)
    {
        let (entry, record) = new_version(&template, &body, now)?;
        template.versions.push(entry);
        bodies.push(Arc::new(body));
        added = Some(record);
    }
    template.name = change.name.unwrap_or(template.name);
    template.updated_at = now;
    let newest = template.versions.last().map_or(0, |version| version.number);
    template.active = match change.activate {
        Activate::Unchanged => template.active,
        Activate::Newest => newest,
        Activate::Version(number) if (1..=newest).contains(&number) => number,
        Activate::Version(_) => return Err(DirectoryError::NotFound),
    };
    Ok((TemplateEntry { template: Arc::new(template), bodies: Arc::new(bodies), version }, added))
}

fn new_version(
    template: &MessageTemplate,
    body: &TemplateBody,
    now: UnixMillis,
) -> Result<(TemplateVersion, Record), DirectoryError> {
    if template.versions.len() >= TEMPLATE_VERSIONS_MAX {
        return Err(DirectoryError::Full { what: "versions", most: TEMPLATE_VERSIONS_MAX });
    }
    let mut record = record(RecordKind::TemplateVersion, String::new(), body, None);
    let number = template.versions.last().map_or(1, |version| version.number + 1);
    let digest = hex::encode(Sha256::digest(&record.body));
    let version = TemplateVersion { number, created_at: now, bytes: record.body.len(), digest };
    record.id = version_key(template.id, &version);
    Ok((version, record))
}
