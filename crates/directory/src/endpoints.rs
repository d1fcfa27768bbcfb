//! Tenants' webhook endpoints and what their notifications are signed with.

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use hermes_domain::{
    EndpointId, TenantId, UnixMillis,
    message::Mode,
    tenant::{DisableReason, Endpoint, TenantScope},
};
use hermes_ports::{operational_events::Audience, registry::RecordKind};
use serde::{Deserialize, Serialize};

use crate::{
    directory::{Directory, body, record},
    error::DirectoryError,
    secret_text,
    snapshot::{EndpointEntry, Snapshot},
};

/// How long an old secret signs beside the new one after a rotation, in milliseconds (24 hours).
pub const ROTATION_OVERLAP_MS: u64 = 24 * 3_600_000;

/// Secrets that sign beside the current one and the one before it. Each makes every notification's header longer.
const OLDER_MAX: usize = 3;

static NO_ENDPOINTS: LazyLock<Arc<[Arc<Endpoint>]>> = LazyLock::new(|| Vec::new().into());

/// Secrets of an endpoint, each as `whsec_<base64>`. `Debug` hides them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningSecrets {
    current: String,
    /// The secret before it and the time until which that one still signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<(String, UnixMillis)>,
    /// Secrets before that one, newest first: a second rotation within the overlap silences none of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    older: Vec<(String, UnixMillis)>,
}

impl SigningSecrets {
    /// Secrets to sign with at `now`, the current one first; each begins with `whsec_`.
    pub fn active(&self, now: UnixMillis) -> impl Iterator<Item = &str> {
        let earlier = self.previous.iter().chain(&self.older).filter(move |(_, until)| now < *until);
        std::iter::once(self.current.as_str()).chain(earlier.map(|(secret, _)| secret.as_str()))
    }

    /// These secrets with a new one in front; the one that was current signs until the overlap is over.
    fn rotated(&self, current: String, now: UnixMillis) -> Self {
        let earlier = self.previous.iter().chain(&self.older).filter(|(_, until)| now < *until);
        let older = earlier.take(OLDER_MAX).cloned().collect();
        let previous = (self.current.clone(), now.plus_ms(ROTATION_OVERLAP_MS));
        Self { current, previous: Some(previous), older }
    }
}

impl fmt::Debug for SigningSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecrets(…)")
    }
}

impl Directory {
    /// Endpoints of a tenant, in order of creation; disabled ones too. Cheap.
    pub fn endpoints_for(&self, tenant: TenantId, mode: Mode) -> Arc<[Arc<Endpoint>]> {
        self.read(|snapshot| snapshot.endpoints_for(tenant, mode).cloned())
            .unwrap_or_else(|| Arc::clone(&NO_ENDPOINTS))
    }

    /// An endpoint with its signing secrets, if it is in this scope.
    pub fn endpoint(&self, scope: TenantScope, id: EndpointId) -> Option<EndpointEntry> {
        self.read(|snapshot| snapshot.endpoint(id).cloned()).filter(|entry| entry.endpoint.scope() == scope)
    }

    /// Adds an endpoint; returns its version and its secret, which the tenant sees only now.
    ///
    /// # Errors
    /// `Conflict` when the id exists; `Secret`, `Store`.
    pub async fn create_endpoint(&self, endpoint: Endpoint) -> Result<(u64, String), DirectoryError> {
        let secret = new_secret(endpoint.id)?;
        let secrets = SigningSecrets { current: secret.clone(), previous: None, older: Vec::new() };
        let version = self.put_endpoint(endpoint, secrets, Some(0)).await?;
        Ok((version, secret))
    }

    /// Replaces an endpoint that is at version `expected` (any, if `None`) by what `change` makes of it.
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `Secret`, `Store`.
    pub async fn update_endpoint(
        &self,
        id: EndpointId,
        expected: Option<u64>,
        change: impl FnOnce(&mut Endpoint) + Send,
    ) -> Result<EndpointEntry, DirectoryError> {
        let stored = self.stored_endpoint(id, expected)?;
        let mut endpoint = Endpoint::clone(&stored.endpoint);
        change(&mut endpoint);
        let secrets = SigningSecrets::clone(&stored.secrets);
        let scope = endpoint.scope();
        self.put_endpoint(endpoint, secrets, Some(stored.version)).await?;
        self.endpoint(scope, id).ok_or(DirectoryError::NotFound)
    }

    /// Endpoints of an audience, in no particular order; disabled ones too.
    pub fn audience(&self, audience: Audience) -> Vec<Arc<Endpoint>> {
        self.read(|snapshot| snapshot.audience(audience))
    }

    /// Stops notifications to an endpoint, such as after a 410.
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `Secret`, `Store`.
    pub async fn disable_endpoint(
        &self,
        id: EndpointId,
        reason: DisableReason,
    ) -> Result<(), DirectoryError> {
        self.update_endpoint(id, None, |endpoint| endpoint.disable(reason)).await.map(drop)
    }

    /// Gives an endpoint a new secret; returns the record's version and it. The old one signs beside it for 24 hours, and so do up to three
    /// earlier ones whose own 24 hours are not over.
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `Secret`, `Store`.
    pub async fn rotate_secret(
        &self,
        id: EndpointId,
        now: UnixMillis,
    ) -> Result<(u64, String), DirectoryError> {
        let stored = self.stored_endpoint(id, None)?;
        let secret = new_secret(id)?;
        let secrets = stored.secrets.rotated(secret.clone(), now);
        let endpoint = Endpoint::clone(&stored.endpoint);
        let version = self.put_endpoint(endpoint, secrets, Some(stored.version)).await?;
        Ok((version, secret))
    }

    /// Removes an endpoint that is at version `expected` (any, if `None`).
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `Store`.
    pub async fn delete_endpoint(&self, id: EndpointId, expected: Option<u64>) -> Result<(), DirectoryError> {
        let check = |snapshot: &Snapshot| check_version(snapshot.endpoint(id), expected).map(drop);
        let apply = |snapshot: &mut Snapshot| Arc::make_mut(&mut snapshot.endpoints).remove(id);
        self.erase(RecordKind::Endpoint, &id.to_string(), check, apply).await
    }

    fn stored_endpoint(
        &self,
        id: EndpointId,
        expected: Option<u64>,
    ) -> Result<EndpointEntry, DirectoryError> {
        self.read(|snapshot| check_version(snapshot.endpoint(id), expected).cloned())
    }

    async fn put_endpoint(
        &self,
        endpoint: Endpoint,
        secrets: SigningSecrets,
        expected: Option<u64>,
    ) -> Result<u64, DirectoryError> {
        let id = endpoint.id.to_string();
        let sealed = self.seal_json(&id, &secrets)?;
        let record = record(RecordKind::Endpoint, id, &endpoint, Some(sealed));
        let apply = |snapshot: &mut Snapshot, version| {
            let (endpoint, secrets) = (Arc::new(endpoint), Arc::new(secrets));
            Arc::make_mut(&mut snapshot.endpoints).insert(EndpointEntry { endpoint, secrets, version });
        };
        self.write(record, expected, |_| Ok(()), apply).await
    }

    pub(crate) async fn load_endpoints(&self, next: &mut Snapshot) -> Result<(), DirectoryError> {
        let endpoints = Arc::make_mut(&mut next.endpoints);
        for record in self.registry.all(RecordKind::Endpoint).await? {
            let (endpoint, secrets) = (Arc::new(body(&record)?), Arc::new(self.open_json(&record)?));
            endpoints.insert(EndpointEntry { endpoint, secrets, version: record.version });
        }
        Ok(())
    }
}

fn check_version(
    stored: Option<&EndpointEntry>,
    expected: Option<u64>,
) -> Result<&EndpointEntry, DirectoryError> {
    let stored = stored.ok_or(DirectoryError::NotFound)?;
    if expected.is_some_and(|expected| expected != stored.version) {
        return Err(DirectoryError::Conflict);
    }
    Ok(stored)
}

fn new_secret(id: EndpointId) -> Result<String, DirectoryError> {
    secret_text::signing_secret().map_err(|cause| DirectoryError::Secret { id: id.to_string(), cause })
}
