//! One actor a tenant: admission per lane and the supervision of its cascades.
//!
//! Each tenant's cascades hang from a supervisor of their own, so that one tenant's failures and floods
//! do not wait in another's mailbox.

mod handle;
mod tenant_actor;
mod tenants;

pub use handle::{TenantHandle, Tenants};
pub use tenants::{TenantsMsg, TenantsSupervisor};
