//! What the manifests say.

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use super::Source;

/// One crate of the workspace.
#[derive(Debug)]
pub(super) struct Crate {
    /// Folder from the root.
    pub(super) folder: String,
    /// Package name.
    pub(super) name: String,
    manifest: Table,
}

/// Why a crate depends on another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Need {
    /// It is part of the crate.
    Build,
    /// Only its tests, examples and benches use it.
    Test,
}

/// Every crate of the workspace, ordered by folder.
pub(super) fn read(sources: &[Source]) -> Result<Vec<Crate>> {
    let ours = |path: &str| {
        let parts: Vec<&str> = path.split('/').collect();
        matches!(parts.as_slice(), ["crates" | "actors", _, "Cargo.toml"])
    };
    sources.iter().filter(|source| ours(&source.path)).map(parse).collect()
}

fn parse(source: &Source) -> Result<Crate> {
    let manifest: Table = source.text.parse().with_context(|| format!("could not read {}", source.path))?;
    let name = manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
    let name = name.with_context(|| format!("{} names no package", source.path))?.to_owned();
    let folder = source.path.trim_end_matches("/Cargo.toml").to_owned();
    Ok(Crate { folder, name, manifest })
}

impl Crate {
    /// Names of everything it depends on, on any system.
    pub(super) fn dependencies(&self, need: Need) -> Vec<&str> {
        self.entries(need).into_iter().map(|(name, _)| name).collect()
    }

    fn entries(&self, need: Need) -> Vec<(&str, &Value)> {
        let keys: &[&str] = match need {
            Need::Build => &["dependencies", "build-dependencies"],
            Need::Test => &["dev-dependencies"],
        };
        let systems = self.manifest.get("target").and_then(Value::as_table);
        let below = systems.into_iter().flat_map(Table::values).filter_map(Value::as_table);
        let tables = std::iter::once(&self.manifest).chain(below);
        let found = tables.flat_map(|table| keys.iter().filter_map(|key| table.get(*key)?.as_table()));
        found.flat_map(|table| table.iter().map(|(name, value)| (name.as_str(), value))).collect()
    }
}

/// The root manifest holds lints and versions, so a crate that has its own escapes both.
pub(super) fn conventions(crates: &[Crate]) -> Vec<String> {
    crates.iter().flat_map(unconventional).collect()
}

fn unconventional(krate: &Crate) -> Vec<String> {
    let inherits = |value: Option<&Value>| {
        value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
    };
    let mut problems = Vec::new();
    if !inherits(krate.manifest.get("lints")) {
        problems.push(format!("{}/Cargo.toml: add `[lints] workspace = true`", krate.folder));
    }
    for (name, value) in krate.entries(Need::Build).into_iter().chain(krate.entries(Need::Test)) {
        if !inherits(Some(value)) {
            problems.push(format!("{}/Cargo.toml: write `{name}.workspace = true`", krate.folder));
        }
    }
    problems
}

#[cfg(test)]
pub(super) fn krate(folder: &str, manifest: &str) -> Crate {
    parse(&Source { path: format!("{folder}/Cargo.toml"), text: manifest.to_owned() }).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_versions_and_missing_lints_are_found_in_every_table() {
        let good = krate(
            "crates/a",
            "package.name = 'a'\nlints.workspace = true\n[dependencies]\nb.workspace = true",
        );
        assert!(unconventional(&good).is_empty());
        let bad = krate(
            "crates/a",
            "package.name = 'a'\n[target.'cfg(unix)'.dependencies]\nlibc = '0.2'\n[dev-dependencies]\nx = { version = '1' }",
        );
        assert_eq!(
            unconventional(&bad),
            [
                "crates/a/Cargo.toml: add `[lints] workspace = true`",
                "crates/a/Cargo.toml: write `libc.workspace = true`",
                "crates/a/Cargo.toml: write `x.workspace = true`",
            ]
        );
    }
}
