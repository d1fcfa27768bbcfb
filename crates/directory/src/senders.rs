//! Tenants' senders.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use hermes_domain::{
    SenderId, TenantId,
    address::Channel,
    message::Mode,
    sender::{Sender, keys_of},
    suppression::SenderKey,
    tenant::TenantScope,
};
use hermes_ports::registry::RecordKind;

use crate::{
    directory::{Directory, body, expect_version, record},
    error::DirectoryError,
    snapshot::{Snapshot, Versioned},
};

/// Most senders of one tenant and mode.
pub const SENDERS_MAX: usize = 500;

type Place = (TenantId, Mode, Channel, SenderKey);

#[derive(Clone, Debug, Default)]
pub(crate) struct SenderTable {
    by_id: HashMap<SenderId, Versioned<Sender>>,
    by_key: HashMap<Place, SenderId>,
}

impl SenderTable {
    fn insert(&mut self, stored: Versioned<Sender>) {
        self.remove(stored.value.id);
        for place in places(&stored.value) {
            self.by_key.insert(place, stored.value.id);
        }
        self.by_id.insert(stored.value.id, stored);
    }

    fn remove(&mut self, id: SenderId) {
        let Some(stored) = self.by_id.remove(&id) else { return };
        for place in places(&stored.value) {
            if self.by_key.get(&place) == Some(&id) {
                self.by_key.remove(&place);
            }
        }
    }

    fn of(&self, scope: TenantScope) -> impl Iterator<Item = &Versioned<Sender>> {
        self.by_id.values().filter(move |stored| scope_of(&stored.value) == scope)
    }

    /// Whether another sender has one of the same names.
    fn is_taken(&self, sender: &Sender) -> bool {
        places(sender).any(|place| self.by_key.get(&place).is_some_and(|id| *id != sender.id))
    }
}

fn places(sender: &Sender) -> impl Iterator<Item = Place> {
    let (tenant, mode, channel) = (sender.tenant, sender.mode, sender.channel());
    sender.keys().into_iter().map(move |key| (tenant, mode, channel, key))
}

fn scope_of(sender: &Sender) -> TenantScope {
    TenantScope::new(sender.tenant, sender.mode)
}

impl Snapshot {
    /// A tenant's senders in one mode, in no particular order.
    pub fn senders_of(&self, scope: TenantScope) -> Vec<Versioned<Sender>> {
        self.senders.of(scope).cloned().collect()
    }

    /// Every tenant's senders, in no particular order.
    pub fn senders(&self) -> impl Iterator<Item = &Versioned<Sender>> {
        self.senders.by_id.values()
    }

    /// The registered ones among the senders that a message names: the one that says most exactly what it names.
    pub fn senders_named(
        &self,
        TenantScope { tenant, mode }: TenantScope,
        named: &BTreeMap<Channel, String>,
    ) -> BTreeMap<Channel, Arc<Sender>> {
        if self.senders.by_id.is_empty() {
            return BTreeMap::new();
        }
        let registered = |channel: Channel, named: &str| {
            keys_of(channel, named).into_iter().find_map(|key| {
                let id = self.senders.by_key.get(&(tenant, mode, channel, key))?;
                self.senders.by_id.get(id).map(|stored| Arc::clone(&stored.value))
            })
        };
        named.iter().filter_map(|(channel, named)| Some((*channel, registered(*channel, named)?))).collect()
    }
}

impl Directory {
    /// A sender of `scope` with its version.
    pub fn sender(&self, scope: TenantScope, id: SenderId) -> Option<Versioned<Sender>> {
        self.any_sender(id).filter(|stored| scope_of(&stored.value) == scope)
    }

    /// A sender, whosever it is.
    pub fn any_sender(&self, id: SenderId) -> Option<Versioned<Sender>> {
        self.read(|snapshot| snapshot.senders.by_id.get(&id).cloned())
    }

    /// Adds a sender and returns its version.
    ///
    /// # Errors
    /// `Full` when the tenant has [`SENDERS_MAX`]; `NameTaken` when it has this one; `Conflict` when the id exists; `Store`.
    pub async fn create_sender(&self, sender: Sender) -> Result<u64, DirectoryError> {
        self.put_sender(sender, Some(0)).await
    }

    /// Replaces a sender that is at version `expected` (any, if `None`).
    ///
    /// # Errors
    /// `NotFound`, `NameTaken`, `Conflict`, `Store`.
    pub async fn update_sender(&self, sender: Sender, expected: Option<u64>) -> Result<u64, DirectoryError> {
        let stored = self.read(|snapshot| {
            expect_version(snapshot.senders.by_id.get(&sender.id), expected).map(|stored| stored.version)
        })?;
        self.put_sender(sender, Some(stored)).await
    }

    /// Removes a sender of `scope` that is at version `expected` (any, if `None`).
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `Store`.
    pub async fn delete_sender(
        &self,
        scope: TenantScope,
        id: SenderId,
        expected: Option<u64>,
    ) -> Result<(), DirectoryError> {
        let check = |snapshot: &Snapshot| {
            let stored = snapshot.senders.by_id.get(&id);
            expect_version(stored.filter(|stored| scope_of(&stored.value) == scope), expected).map(drop)
        };
        let apply = |snapshot: &mut Snapshot| Arc::make_mut(&mut snapshot.senders).remove(id);
        self.erase(RecordKind::Sender, &id.to_string(), check, apply).await
    }

    async fn put_sender(&self, sender: Sender, expected: Option<u64>) -> Result<u64, DirectoryError> {
        let record = record(RecordKind::Sender, sender.id.to_string(), &sender, None);
        let sender = Arc::new(sender);
        let checked = Arc::clone(&sender);
        let check = move |snapshot: &Snapshot| {
            let count = || snapshot.senders.of(scope_of(&checked)).count();
            if snapshot.senders.is_taken(&checked) {
                Err(DirectoryError::NameTaken)
            } else if expected == Some(0) && count() >= SENDERS_MAX {
                Err(DirectoryError::Full { what: "senders", most: SENDERS_MAX })
            } else {
                Ok(())
            }
        };
        let apply = |snapshot: &mut Snapshot, version| {
            Arc::make_mut(&mut snapshot.senders).insert(Versioned { value: sender, version });
        };
        self.write(record, expected, check, apply).await
    }

    pub(crate) async fn load_senders(&self, next: &mut Snapshot) -> Result<(), DirectoryError> {
        let senders = Arc::make_mut(&mut next.senders);
        for record in self.registry.all(RecordKind::Sender).await? {
            let sender: Sender = body(&record)?;
            senders.insert(Versioned { value: Arc::new(sender), version: record.version });
        }
        Ok(())
    }
}
