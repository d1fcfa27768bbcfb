//! API keys: shown once, stored as a keyed hash, found by it.

use std::{collections::HashMap, sync::Arc};

use hermes_domain::{
    KeyId, TenantId, UnixMillis,
    access::{Role, Scope},
    message::Mode,
    tenant::{ApiKey, KeyOwner},
};
use hermes_ports::registry::RecordKind;

use crate::{
    directory::{Directory, body, damaged, record},
    error::DirectoryError,
    key_hash::KeyHash,
    key_use::resumed,
    secret_text,
    snapshot::{KeyEntry, Snapshot},
};

/// Who makes a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Principal {
    /// With which key.
    pub key: Arc<ApiKey>,
}

impl Principal {
    /// The key's id.
    pub fn key_id(&self) -> KeyId {
        self.key.id
    }

    /// For whom it speaks.
    pub fn owner(&self) -> KeyOwner {
        self.key.owner
    }

    /// Whether a tenant's key may do what `scope` names.
    pub fn may(&self, scope: Scope) -> bool {
        self.key.scopes.hold(scope)
    }

    /// The role of an operator's key; `None` for tenants' keys.
    pub fn role(&self) -> Option<Role> {
        self.key.operator_role()
    }
}

/// What secrets of this owner's keys begin with.
const fn prefix(owner: KeyOwner) -> &'static str {
    match owner {
        KeyOwner::Tenant(_, Mode::Live) => "hk_live_",
        KeyOwner::Tenant(_, Mode::Test) => "hk_test_",
        KeyOwner::Operator => "hak_",
    }
}

/// The tenant that a key belongs to; `None` for operators.
pub(crate) fn tenant_of(key: &ApiKey) -> Option<TenantId> {
    match key.owner {
        KeyOwner::Tenant(tenant, _) => Some(tenant),
        KeyOwner::Operator => None,
    }
}

impl Directory {
    /// Adds a key. Returns it as it is stored, and its secret, which cannot be had again.
    ///
    /// # Errors
    /// `NotFound` when its tenant does not exist; `Secret` without randomness; `Store`.
    pub async fn create_key(&self, mut key: ApiKey) -> Result<(ApiKey, String), DirectoryError> {
        let secret = secret_text::api_key(prefix(key.owner))
            .map_err(|cause| DirectoryError::Secret { id: key.id.to_string(), cause })?;
        key.hint = Some(secret_text::hint(prefix(key.owner), &secret));
        self.import_key(key.clone(), &secret).await?;
        Ok((key, secret))
    }

    /// Adds a key whose secret is given. Importing the same secret again changes nothing.
    ///
    /// # Errors
    /// `NotFound` when its tenant does not exist; `Conflict` when the secret is in use for another
    /// owner; `Store`.
    pub async fn import_key(&self, key: ApiKey, secret: &str) -> Result<(), DirectoryError> {
        let hash = KeyHash::of(&self.key_hasher, secret);
        if let Some(known) = self.read(|snapshot| snapshot.keys.get(&hash).cloned()) {
            return if known.key.owner == key.owner { Ok(()) } else { Err(DirectoryError::Conflict) };
        }
        let owner = tenant_of(&key);
        let check = |snapshot: &Snapshot| match owner {
            Some(tenant) if snapshot.tenant(tenant).is_none() => Err(DirectoryError::NotFound),
            Some(_) | None => Ok(()),
        };
        let record = record(RecordKind::ApiKey, hash.hex(), &key, None);
        let apply = |snapshot: &mut Snapshot, _| {
            Arc::make_mut(&mut snapshot.keys).insert(hash, KeyEntry::new(key, resumed(None, None)));
        };
        self.write(record, Some(0), check, apply).await.map(drop)
    }

    /// Whether there is a key with this secret, expired or not.
    pub fn has_key(&self, secret: &str) -> bool {
        let hash = KeyHash::of(&self.key_hasher, secret);
        self.read(|snapshot| snapshot.keys.contains_key(&hash))
    }

    /// Removes a key: requests with it are refused from now on.
    ///
    /// # Errors
    /// `NotFound`, `Store`.
    pub async fn delete_key(&self, id: KeyId) -> Result<(), DirectoryError> {
        self.remove_key(id, |_| Ok(())).await
    }

    /// The same for an operator's key, unless no admin's key would work at `now` without it: nobody could make another.
    ///
    /// # Errors
    /// `NotFound`, also for tenants' keys; `LastAdmin`; `Store`.
    pub async fn revoke_operator_key(&self, id: KeyId, now: UnixMillis) -> Result<(), DirectoryError> {
        let check = |snapshot: &Snapshot| {
            let operators = snapshot.keys_of(None);
            let revoked =
                operators.iter().find(|entry| entry.key.id == id).ok_or(DirectoryError::NotFound)?;
            let is_admin = |entry: &KeyEntry| entry.key.operator_role() == Some(Role::Admin);
            let mut others = operators.iter().filter(|entry| entry.key.id != id && entry.key.works_at(now));
            // An expired key may always go: it does nothing.
            if is_admin(revoked) && revoked.key.works_at(now) && !others.any(is_admin) {
                return Err(DirectoryError::LastAdmin);
            }
            Ok(())
        };
        self.remove_key(id, check).await
    }

    async fn remove_key(
        &self,
        id: KeyId,
        check: impl FnOnce(&Snapshot) -> Result<(), DirectoryError> + Send,
    ) -> Result<(), DirectoryError> {
        let find = |snapshot: &Snapshot| {
            snapshot.keys.iter().find(|(_, entry)| entry.key.id == id).map(|(hash, _)| *hash)
        };
        let hash = self.read(find).ok_or(DirectoryError::NotFound)?;
        let apply = |snapshot: &mut Snapshot| {
            Arc::make_mut(&mut snapshot.keys).remove(&hash);
        };
        self.erase(RecordKind::ApiKey, &hash.hex(), check, apply).await?;
        self.forget_use(id).await
    }

    /// Who `bearer` is at `now`; `None` for unknown and expired keys. Notes that the key was used.
    pub fn authenticate(&self, bearer: &str, now: UnixMillis) -> Option<Principal> {
        let hash = KeyHash::of(&self.key_hasher, bearer);
        self.read(|snapshot| {
            let entry = snapshot.keys.get(&hash)?;
            if !entry.key.works_at(now) {
                return None;
            }
            entry.used.note(now);
            Some(Principal { key: Arc::clone(&entry.key) })
        })
    }

    pub(crate) async fn load_keys(&self, next: &mut Snapshot) -> Result<(), DirectoryError> {
        let noted: HashMap<KeyId, _> = self.read(|snapshot| {
            snapshot.keys.values().map(|entry| (entry.key.id, Arc::clone(&entry.used))).collect()
        });
        let recorded = self.recorded_uses().await?;
        let keys = Arc::make_mut(&mut next.keys);
        for record in self.registry.all(RecordKind::ApiKey).await? {
            let hash = KeyHash::read(&record.id).ok_or_else(|| damaged(&record))?;
            let key: ApiKey = body(&record)?;
            let used = resumed(noted.get(&key.id).cloned(), recorded.get(&key.id.to_string()).copied());
            keys.insert(hash, KeyEntry::new(key, used));
        }
        Ok(())
    }
}
