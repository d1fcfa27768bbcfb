//! Which versions of which adapters there are, and which one serves new calls.

use std::{collections::BTreeMap, sync::Arc};

use hermes_domain::cascade::AdapterVersion;
use hermes_ports::adapter::{AdapterInfo, AdapterRejected};
use parking_lot::RwLock;

use crate::{canary::Canary, revision::Revision};

#[derive(Default)]
struct Versions {
    /// Oldest first.
    all: Vec<Arc<Revision>>,
    active: Option<Arc<Revision>>,
    canary: Option<Arc<Canary>>,
}

impl Versions {
    fn is_active(&self, version: AdapterVersion) -> bool {
        self.active.as_ref().is_some_and(|active| active.version == version)
    }

    fn info(&self, revision: &Revision) -> AdapterInfo {
        let canary = self.canary.as_ref().filter(|canary| canary.revision.version == revision.version);
        let canary = canary.map(|canary| canary.report());
        AdapterInfo { canary, ..revision.info(self.is_active(revision.version)) }
    }

    fn find(&self, version: AdapterVersion) -> Option<&Arc<Revision>> {
        self.all.iter().find(|revision| revision.version == version)
    }
}

/// Revisions by the name of their adapter.
#[derive(Default)]
pub(crate) struct Registry(RwLock<BTreeMap<String, Versions>>);

impl Registry {
    /// The revision for new calls.
    pub(crate) fn active(&self, name: &str) -> Option<Arc<Revision>> {
        self.0.read().get(name)?.active.clone()
    }

    /// A version that is installed already.
    pub(crate) fn installed(&self, name: &str, version: AdapterVersion) -> Option<AdapterInfo> {
        let names = self.0.read();
        let versions = names.get(name)?;
        versions.find(version).map(|revision| versions.info(revision))
    }

    /// Keeps a revision, inactive. If another thread was faster, its copy stays.
    pub(crate) fn add(&self, name: &str, revision: Revision) -> AdapterInfo {
        let mut names = self.0.write();
        let versions = names.entry(name.to_owned()).or_default();
        let version = revision.version;
        if versions.find(version).is_none() {
            versions.all.push(Arc::new(revision));
        }
        let kept = versions.find(version).map(|revision| versions.info(revision));
        kept.expect("the version was just added")
    }

    /// Makes a version serve new calls.
    pub(crate) fn activate(
        &self,
        name: &str,
        version: AdapterVersion,
    ) -> Result<AdapterInfo, AdapterRejected> {
        let unknown = || AdapterRejected::UnknownVersion(version.to_string());
        let mut names = self.0.write();
        let versions = names.get_mut(name).ok_or_else(unknown)?;
        let revision = Arc::clone(versions.find(version).ok_or_else(unknown)?);
        versions.canary = None; // It was compared with the version that goes.
        versions.active = Some(Arc::clone(&revision));
        Ok(versions.info(&revision))
    }

    /// The candidate that builds submissions too, if there is one.
    pub(crate) fn canary(&self, name: &str) -> Option<Arc<Canary>> {
        self.0.read().get(name)?.canary.clone()
    }

    /// Makes a version the candidate, counting from zero; a share of 0 ends that.
    pub(crate) fn observe(
        &self,
        name: &str,
        version: AdapterVersion,
        share_percent: u8,
    ) -> Result<AdapterInfo, AdapterRejected> {
        let unknown = || AdapterRejected::UnknownVersion(version.to_string());
        let mut names = self.0.write();
        let versions = names.get_mut(name).ok_or_else(unknown)?;
        let revision = Arc::clone(versions.find(version).ok_or_else(unknown)?);
        if versions.is_active(version) {
            return Err(AdapterRejected::IsActive);
        }
        versions.canary =
            (share_percent > 0).then(|| Arc::new(Canary::new(Arc::clone(&revision), share_percent)));
        Ok(versions.info(&revision))
    }

    /// Everything, by name, then newest first.
    pub(crate) fn list(&self) -> Vec<AdapterInfo> {
        let names = self.0.read();
        let infos = names
            .values()
            .flat_map(|versions| versions.all.iter().rev().map(|revision| versions.info(revision)));
        infos.collect()
    }
}
