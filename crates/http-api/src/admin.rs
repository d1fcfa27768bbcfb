//! The operator's side.

pub(crate) mod actors;
pub(crate) mod adapters;
pub(crate) mod providers;
pub(crate) mod tenants;
