//! Templates by owner, so that a change copies one tenant's table and not everybody's.

use std::{collections::HashMap, sync::Arc};

use hermes_domain::{TemplateId, template::TemplateBody, tenant::TenantScope};

use super::{MessageTemplate, TEMPLATE_BYTES_MAX, TEMPLATES_MAX};
use crate::error::DirectoryError;

/// A template as the directory keeps it.
#[derive(Clone, Debug)]
pub struct TemplateEntry {
    /// Its name and its versions.
    pub template: Arc<MessageTemplate>,
    /// What each version says, in their order.
    pub bodies: Arc<Vec<Arc<TemplateBody>>>,
    /// Version in the registry.
    pub version: u64,
}

impl TemplateEntry {
    /// What version `number` says.
    pub fn body(&self, number: u32) -> Option<&Arc<TemplateBody>> {
        self.bodies.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    fn bytes(&self) -> usize {
        self.template.versions.iter().map(|version| version.bytes).sum()
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct TemplateTable {
    by_owner: HashMap<TenantScope, Arc<Owned>>,
}

/// Templates of one tenant in one mode.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owned {
    by_id: HashMap<TemplateId, TemplateEntry>,
    by_name: HashMap<String, TemplateId>,
    bytes: usize,
}

impl TemplateTable {
    pub(crate) fn of(&self, owner: TenantScope) -> Option<&Owned> {
        self.by_owner.get(&owner).map(|owned| &**owned)
    }

    /// Refuses an entry that would take a name that is taken, or more room than there is.
    pub(crate) fn fits(&self, owner: TenantScope, entry: &TemplateEntry) -> Result<(), DirectoryError> {
        let Some(owned) = self.of(owner) else { return Ok(()) };
        let id = entry.template.id;
        if owned.by_name.get(&entry.template.name).is_some_and(|taken| *taken != id) {
            return Err(DirectoryError::NameTaken);
        }
        let old = owned.by_id.get(&id);
        if old.is_none() && owned.by_id.len() >= TEMPLATES_MAX {
            return Err(DirectoryError::Full { what: "templates", most: TEMPLATES_MAX });
        }
        let (before, after) = (old.map_or(0, TemplateEntry::bytes), entry.bytes());
        if after > before && owned.bytes - before + after > TEMPLATE_BYTES_MAX {
            return Err(DirectoryError::Full { what: "bytes of templates", most: TEMPLATE_BYTES_MAX });
        }
        Ok(())
    }

    pub(crate) fn insert(&mut self, entry: TemplateEntry) {
        let owner = TenantScope::new(entry.template.tenant, entry.template.mode);
        let owned = Arc::make_mut(self.by_owner.entry(owner).or_default());
        owned.remove(entry.template.id);
        owned.bytes += entry.bytes();
        owned.by_name.insert(entry.template.name.clone(), entry.template.id);
        owned.by_id.insert(entry.template.id, entry);
    }

    pub(crate) fn remove(&mut self, owner: TenantScope, id: TemplateId) {
        let Some(owned) = self.by_owner.get_mut(&owner) else { return };
        Arc::make_mut(owned).remove(id);
        if owned.by_id.is_empty() {
            self.by_owner.remove(&owner);
        }
    }
}

impl Owned {
    pub(crate) fn by_id(&self, id: TemplateId) -> Option<&TemplateEntry> {
        self.by_id.get(&id)
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<&TemplateEntry> {
        self.by_id.get(self.by_name.get(name)?)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &TemplateEntry> {
        self.by_id.values()
    }

    fn remove(&mut self, id: TemplateId) {
        if let Some(old) = self.by_id.remove(&id) {
            self.by_name.remove(&old.template.name);
            self.bytes -= old.bytes();
        }
    }
}
