//! API keys: shown once, stored as a keyed hash, found by it.

use std::sync::Arc;

use hermes_domain::{
    KeyId, TenantId, UnixMillis,
    message::Mode,
    tenant::{ApiKey, KeyOwner},
};
use hermes_ports::registry::RecordKind;
use hmac::Mac;

use crate::{
    directory::{Directory, body, damaged, record},
    error::DirectoryError,
    secret_text,
    snapshot::Snapshot,
};

/// HMAC-SHA256 of a key's secret. Looking one up takes the same time whatever the guess: the guesser
/// does not control the hash.
pub(crate) type KeyHash = [u8; 32];

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

    /// Whether the key may do what `scope` names. A key without scopes may do all its owner may.
    pub fn may(&self, scope: &str) -> bool {
        self.key.scopes.is_empty() || self.key.scopes.iter().any(|granted| granted == scope)
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
    /// Adds a key and returns its secret, which cannot be had again.
    ///
    /// # Errors
    /// `NotFound` when its tenant does not exist; `Secret` without randomness; `Store`.
    pub async fn create_key(&self, key: ApiKey) -> Result<String, DirectoryError> {
        let secret = secret_text::api_key(prefix(key.owner))
            .map_err(|cause| DirectoryError::Secret { id: key.id.to_string(), cause })?;
        self.import_key(key, &secret).await?;
        Ok(secret)
    }

    /// Adds a key whose secret is given. Importing the same secret again changes nothing.
    ///
    /// # Errors
    /// `NotFound` when its tenant does not exist; `Conflict` when the secret is in use for another
    /// owner; `Store`.
    pub async fn import_key(&self, key: ApiKey, secret: &str) -> Result<(), DirectoryError> {
        let hash = self.key_hash(secret);
        if let Some(known) = self.read(|snapshot| snapshot.keys.get(&hash).cloned()) {
            return if known.owner == key.owner { Ok(()) } else { Err(DirectoryError::Conflict) };
        }
        let owner = tenant_of(&key);
        let check = |snapshot: &Snapshot| match owner {
            Some(tenant) if snapshot.tenant(tenant).is_none() => Err(DirectoryError::NotFound),
            Some(_) | None => Ok(()),
        };
        let record = record(RecordKind::ApiKey, hex::encode(hash), &key, None);
        let apply = |snapshot: &mut Snapshot, _| {
            Arc::make_mut(&mut snapshot.keys).insert(hash, Arc::new(key));
        };
        self.write(record, Some(0), check, apply).await.map(drop)
    }

    /// Removes a key: requests with it are refused from now on.
    ///
    /// # Errors
    /// `NotFound`, `Store`.
    pub async fn delete_key(&self, id: KeyId) -> Result<(), DirectoryError> {
        let find =
            |snapshot: &Snapshot| snapshot.keys.iter().find(|(_, key)| key.id == id).map(|(hash, _)| *hash);
        let hash = self.read(find).ok_or(DirectoryError::NotFound)?;
        let apply = |snapshot: &mut Snapshot| {
            Arc::make_mut(&mut snapshot.keys).remove(&hash);
        };
        self.erase(RecordKind::ApiKey, &hex::encode(hash), |_| Ok(()), apply).await
    }

    /// Who `bearer` is at `now`; `None` for unknown and expired keys.
    pub fn authenticate(&self, bearer: &str, now: UnixMillis) -> Option<Principal> {
        let hash = self.key_hash(bearer);
        let key = self.read(|snapshot| snapshot.keys.get(&hash).cloned())?;
        let valid = key.expires_at.is_none_or(|expires_at| now < expires_at);
        valid.then_some(Principal { key })
    }

    pub(crate) async fn load_keys(&self, next: &mut Snapshot) -> Result<(), DirectoryError> {
        let keys = Arc::make_mut(&mut next.keys);
        for record in self.registry.all(RecordKind::ApiKey).await? {
            let mut hash = KeyHash::default();
            hex::decode_to_slice(&record.id, &mut hash).map_err(|_| damaged(&record))?;
            keys.insert(hash, Arc::new(body(&record)?));
        }
        Ok(())
    }

    fn key_hash(&self, secret: &str) -> KeyHash {
        self.key_hasher.start().chain_update(secret.as_bytes()).finalize().into_bytes().into()
    }
}
