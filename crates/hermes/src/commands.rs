//! One file a command.

pub(crate) mod adapter;
pub(crate) mod audit;
pub(crate) mod client;
pub(crate) mod dev;
pub(crate) mod doctor;
pub(crate) mod key;
pub(crate) mod message;
pub(crate) mod migrate;
pub(crate) mod provider;
pub(crate) mod serve;
pub(crate) mod simulator;
pub(crate) mod tenant;
pub(crate) mod usage;
