//! An adapter's version as operators see it, and what its record is called.

use std::collections::BTreeMap;

use hermes_domain::cascade::AdapterVersion;
use hermes_ports::adapter::{AdapterInfo, AdapterRejected, CanaryReport};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::{Code, Problem};

/// A version of an adapter.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Adapter)]
pub(super) struct AdapterView {
    /// The adapter's name.
    name: String,
    /// Content address.
    version: String,
    /// Its own version number.
    semver: String,
    /// Whether new calls use it.
    active: bool,
    /// Size of the component in bytes.
    bytes: usize,
    /// How its submissions look beside those of the active version, while it is observed.
    canary: Option<CanaryView>,
}

/// A version under observation, since it began on this node.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdapterCanaryReport)]
struct CanaryView {
    /// Share of submissions that it builds too, in percent.
    share_percent: u8,
    /// Submissions that both have built.
    compared: u64,
    /// Of those, how many differ.
    different: u64,
    /// Submissions that it failed to build.
    faults: u64,
    /// Whether it was left alone after ten faults one after the other.
    stopped: bool,
    /// How often each place differed, such as `url`, `header x-a` or `body /message/ttl`; at most 64 places.
    places: BTreeMap<String, u64>,
}

impl AdapterView {
    pub(super) fn of(info: AdapterInfo) -> Self {
        Self {
            name: info.name,
            version: info.version.to_string(),
            semver: info.semver,
            active: info.active,
            bytes: info.bytes,
            canary: info.canary.map(CanaryView::of),
        }
    }
}

impl CanaryView {
    fn of(report: CanaryReport) -> Self {
        let CanaryReport { share_percent, compared, different, faults, stopped, places } = report;
        Self { share_percent, compared, different, faults, stopped, places }
    }
}

/// Id of a component's record.
pub(super) fn record_id(name: &str, version: AdapterVersion) -> String {
    format!("{name}@{version}")
}

/// Whether a name can be an adapter's: it ends up in record ids and paths.
pub(super) fn is_name(name: &str) -> bool {
    (1..=50).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
}

impl From<AdapterRejected> for Problem {
    fn from(rejected: AdapterRejected) -> Self {
        Self::new(Code::AdapterInvalid, rejected.to_string())
    }
}
