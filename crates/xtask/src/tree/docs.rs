//! Whether documents speak of things that exist, and of all that should be spoken of.

use std::path::Path;

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use super::Source;

const CONFIGURATION: &str = "docs/configuration.md";
const OPERATIONS: &str = "docs/operations.md";
const DEFAULTS: &str = "crates/config/hermes.default.toml";
const NAMES: &str = "crates/telemetry/src/names.rs";

/// Paths in back quotes that start like this are files or folders of the repository.
const TOP: [&str; 8] =
    ["crates/", "actors/", "adapters/", "schema/", "docs/", "examples/", ".github/", ".config/"];

/// Links and quoted paths that lead nowhere.
pub(super) fn references(sources: &[Source], root: &Path) -> Vec<String> {
    let mut problems = Vec::new();
    for source in sources.iter().filter(|source| source.path.ends_with(".md")) {
        let folder = root.join(&source.path).parent().unwrap_or(root).to_owned();
        for (index, line) in source.text.lines().enumerate() {
            let links = links(line).filter(|link| !folder.join(link).exists());
            let paths = quoted_paths(line).filter(|path| !root.join(path).exists());
            for target in links.chain(paths) {
                problems.push(format!("{}:{}: {target} does not exist", source.path, index + 1));
            }
        }
    }
    problems
}

/// Targets of `[text](target)` within the repository, without what follows `#`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    let inside = targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:"));
    inside.filter_map(|target| target.split('#').next()).filter(|target| !target.is_empty())
}

/// What stands in back quotes and names one file or folder.
fn quoted_paths(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(|text| {
        TOP.iter().any(|top| text.starts_with(top)) && !text.contains(['*', '{', '<', '…', ' ', '$'])
    })
}

/// Configuration keys and metrics that their document does not mention.
///
/// # Errors
/// When a source or its document is missing.
pub(super) fn completeness(sources: &[Source]) -> Result<Vec<String>> {
    let text = |path: &str| {
        let source = sources.iter().find(|source| source.path == path);
        source.map(|source| source.text.as_str()).with_context(|| format!("{path} is missing"))
    };
    let defaults: Table = text(DEFAULTS)?.parse().with_context(|| format!("could not read {DEFAULTS}"))?;
    let (mut keys, mut problems) = (Vec::new(), Vec::new());
    leaves("", &defaults, &mut keys);
    let wanted =
        [(text(CONFIGURATION)?, CONFIGURATION, keys), (text(OPERATIONS)?, OPERATIONS, metrics(text(NAMES)?))];
    for (document, path, names) in wanted {
        let missing = names.into_iter().filter(|name| !document.contains(&format!("`{name}`")));
        problems.extend(missing.map(|name| format!("{path} does not mention `{name}`")));
    }
    Ok(problems)
}

/// Metrics that are described to operators but recorded nowhere.
pub(super) fn unrecorded(sources: &[Source]) -> Vec<String> {
    let product =
        |source: &&Source| source.path.ends_with(".rs") && !source.path.starts_with("crates/telemetry/");
    let product: Vec<&Source> = sources.iter().filter(product).collect();
    let names = sources.iter().find(|source| source.path == NAMES).map_or("", |source| source.text.as_str());
    let recorded = |constant: &str, name: &str| {
        let name = format!("\"{name}\"");
        product.iter().any(|source| source.text.contains(constant) || source.text.contains(&name))
    };
    let missing = constants(names).filter(|(constant, name)| !recorded(constant, name));
    missing.map(|(_, name)| format!("{NAMES}: nothing records {name}")).collect()
}

fn leaves(prefix: &str, table: &Table, keys: &mut Vec<String>) {
    for (name, value) in table {
        match value {
            Value::Table(below) => leaves(&format!("{prefix}{name}."), below, keys),
            _ => keys.push(format!("{prefix}{name}")),
        }
    }
}

/// Constants of metrics with their values: the strings that start as they all do.
fn constants(names: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = names.lines().filter_map(|line| line.trim().strip_prefix("pub const "));
    let pairs = lines.filter_map(|line| Some((line.split(':').next()?, line.split('"').nth(1)?)));
    pairs.filter(|(_, name)| name.starts_with("hermes_"))
}

fn metrics(names: &str) -> Vec<String> {
    constants(names).map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_paths_that_lead_nowhere_are_found() {
        let root = crate::root().unwrap();
        let text = "see [a](../LICENSE#x), [b](nowhere.md), [c](https://example.com/x)\n`crates/domain` `crates/gone.rs` `crates/*/x` `cargo run`\n";
        let source = Source { path: "docs/x.md".to_owned(), text: text.to_owned() };
        assert_eq!(
            references(&[source], &root),
            ["docs/x.md:1: nowhere.md does not exist", "docs/x.md:2: crates/gone.rs does not exist"]
        );
    }

    #[test]
    fn undocumented_keys_and_metrics_are_found() {
        let source = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
        let sources = [
            source(DEFAULTS, "[a]\nb = 1\n[a.c]\nd = [2]\n"),
            source(CONFIGURATION, "`a.b`"),
            source(
                NAMES,
                "    pub const ONE: &str = \"hermes_one\";\n    pub const LABEL: &str = \"kind\";\n",
            ),
            source(OPERATIONS, ""),
        ];
        assert_eq!(
            completeness(&sources).unwrap(),
            [
                "docs/configuration.md does not mention `a.c.d`",
                "docs/operations.md does not mention `hermes_one`"
            ]
        );
    }

    #[test]
    fn a_metric_that_nothing_records_is_found() {
        let source = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
        let names = "pub const ONE: &str = \"hermes_one\";\npub const TWO: &str = \"hermes_two\";\n";
        let sources = [source(NAMES, names), source("crates/x/src/a.rs", "counter!(metric::TWO)")];
        assert_eq!(unrecorded(&sources), ["crates/telemetry/src/names.rs: nothing records hermes_one"]);
    }
}
