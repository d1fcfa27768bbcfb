//! How others reach tenants: addresses that survive restarts.

use std::{fmt, sync::Arc, time::Duration};

use dashmap::DashMap;
use hermes_actor_cascade::{Admission, Awaken, CascadesMsg, LaneLimits, NewCascade, Shared};
use hermes_domain::TenantId;
use hermes_supervision::{
    ActorView, Address, AskError, ChildSpec, Mailbox, static_supervisor::RestartPolicy,
};

use crate::tenants::{TenantsMsg, TenantsSupervisor};

/// How long the supervisor may take to start a tenant.
const START_LIMIT: Duration = Duration::from_secs(2);
/// How long it may take to answer an operator.
const ASK_LIMIT: Duration = Duration::from_secs(2);

/// One tenant's cascades. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TenantHandle {
    /// How many of its messages are on their way.
    pub admission: Admission,
    pub(crate) cascades: Address<CascadesMsg>,
    pub(crate) mailbox: Mailbox,
}

impl TenantHandle {
    /// Starts a new message. `false` when its supervisor is not there: nothing has been made durable.
    pub fn create(&self, new: NewCascade) -> bool {
        self.cast(CascadesMsg::Create(Box::new(new)))
    }

    /// Starts a stored message. `false` when its supervisor is not there.
    pub fn awaken(&self, awaken: Awaken) -> bool {
        self.cast(CascadesMsg::Awaken(Box::new(awaken)))
    }

    fn cast(&self, message: CascadesMsg) -> bool {
        self.cascades.get().is_some_and(|actor| self.mailbox.cast(&actor, message).is_ok())
    }

    /// The supervisor of the tenant's cascades.
    pub fn cascades(&self) -> Address<CascadesMsg> {
        self.cascades.clone()
    }
}

/// Every tenant that has been used. Cheap to clone.
#[derive(Clone)]
pub struct Tenants {
    pub(crate) handles: Arc<DashMap<TenantId, TenantHandle>>,
    pub(crate) limits: LaneLimits,
    shared: Arc<Shared>,
    supervisor: Address<TenantsMsg>,
}

impl fmt::Debug for Tenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenants").field("known", &self.handles.len()).finish_non_exhaustive()
    }
}

impl Tenants {
    /// No tenant runs; every one will have these limits.
    pub fn new(shared: Arc<Shared>, limits: LaneLimits) -> Self {
        Self { handles: Arc::default(), limits, shared, supervisor: Address::vacant() }
    }

    /// How to start the supervisor of all tenants, for the root.
    pub fn supervisor(&self) -> ChildSpec {
        let (tenants, shared) = (self.clone(), Arc::clone(&self.shared));
        let make = move || (TenantsSupervisor::new(Arc::clone(&shared), tenants.clone()), ());
        ChildSpec::new("tenants", RestartPolicy::Always, self.supervisor.clone(), make)
    }

    /// The tenant's handle, starting its actors if they do not run. `None` when that fails.
    pub async fn get(&self, tenant: TenantId) -> Option<TenantHandle> {
        if let Some(handle) = self.known(tenant) {
            return Some(handle);
        }
        self.supervisor.ask(|reply| TenantsMsg::Ensure(tenant, reply), START_LIMIT).await.ok()
    }

    /// The tenant's handle, if it has been used before and its actors run.
    pub fn known(&self, tenant: TenantId) -> Option<TenantHandle> {
        let handle = self.handles.get(&tenant).map(|entry| entry.value().clone())?;
        handle.cascades.living().is_some().then_some(handle)
    }

    /// Every handle.
    pub fn all(&self) -> Vec<(TenantId, TenantHandle)> {
        self.handles.iter().map(|entry| (*entry.key(), entry.value().clone())).collect()
    }

    /// Views of the supervisor, of tenants, of their cascades' supervisors and of some cascades.
    ///
    /// # Errors
    /// When the supervisor is not there or busy.
    pub async fn inspect(&self) -> Result<Vec<ActorView>, AskError> {
        self.supervisor.ask(TenantsMsg::Inspect, ASK_LIMIT).await
    }

    /// Kills a tenant's actor, and with it its cascades' supervisor; whether it was running.
    ///
    /// # Errors
    /// When the supervisor is not there or busy.
    pub async fn kill(&self, tenant: TenantId) -> Result<bool, AskError> {
        self.supervisor.ask(|reply| TenantsMsg::Kill(tenant, reply), ASK_LIMIT).await
    }

    pub(crate) fn open_mailbox(&self) -> Mailbox {
        self.shared.mailboxes.open()
    }
}
