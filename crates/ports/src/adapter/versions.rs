//! Versions of adapters, and how a candidate compares with the one that serves.

use std::collections::BTreeMap;

use hermes_domain::cascade::AdapterVersion;
use serde::Serialize;

/// A version of an adapter in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AdapterInfo {
    /// Name.
    pub name: String,
    /// Content address.
    pub version: AdapterVersion,
    /// Its own version number.
    pub semver: String,
    /// Whether new calls use it.
    pub active: bool,
    /// Size of the component in bytes.
    pub bytes: usize,
    /// How it compares with the active one, while it is a canary.
    pub canary: Option<CanaryReport>,
}

/// What a canary's submissions looked like beside those that were sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CanaryReport {
    /// Share of submissions that it builds too, in percent.
    pub share_percent: u8,
    /// Submissions built by both.
    pub compared: u64,
    /// Of those, how many differ.
    pub different: u64,
    /// Submissions that it failed to build.
    pub faults: u64,
    /// Whether it was left alone after too many faults one after the other.
    pub stopped: bool,
    /// How often each place differed, such as `url` or `body /message/ttl`; at most 64 places.
    pub places: BTreeMap<String, u64>,
}

/// Why a component was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdapterRejected {
    /// Not a component, or too large.
    #[error("not a loadable component: {0}")]
    NotAComponent(String),
    /// It asks for something that adapters may not have.
    #[error("forbidden import: {0}")]
    ForbiddenImport(String),
    /// Its self-description is wrong.
    #[error("bad descriptor: {0}")]
    BadDescriptor(String),
    /// It misbehaved in the smoke test.
    #[error("failed its smoke test: {0}")]
    Smoke(String),
    /// A canary is compared with the active version, so it cannot be it.
    #[error("this version is the active one")]
    IsActive,
    /// No such version.
    #[error("no version {0} of this adapter")]
    UnknownVersion(String),
}
