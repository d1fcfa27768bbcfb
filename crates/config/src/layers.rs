//! Lays the defaults, the file and the environment over each other, key by key.
//!
//! The defaults are also the list of keys that exist: whatever a later layer names beyond them is
//! a problem, never silently ignored.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::{Table, Value};

use crate::DEFAULTS;
use crate::given::{Given, expected};
use crate::problem::{Origin, Problem};

/// What an environment variable of ours begins with.
const ENV_PREFIX: &str = "HERMES__";

/// Names less alike than this are not worth suggesting (Jaro-Winkler, 0 to 1).
const SUGGESTION_LIKENESS_MIN: f64 = 0.85;

/// The value of every key, and the problems met while collecting them.
#[derive(Debug)]
pub(crate) struct Layers {
    keys: BTreeMap<String, Entry>,
    pub(crate) problems: Vec<Problem>,
}

#[derive(Debug)]
pub(crate) struct Entry {
    default: Value,
    /// The override that counts, from the file or the environment.
    given: Option<(Origin, Value)>,
}

// === impl Entry ===

impl Entry {
    pub(crate) const fn default(&self) -> Given<'_> {
        Given::Toml(&self.default)
    }

    pub(crate) fn current(&self) -> Given<'_> {
        match &self.given {
            Some((Origin::Env(_), Value::String(text))) => Given::Text(text),
            Some((_, value)) => Given::Toml(value),
            None => self.default(),
        }
    }

    pub(crate) fn origin(&self) -> Origin {
        self.given.as_ref().map_or(Origin::Default, |(origin, _)| origin.clone())
    }
}

// === impl Layers ===

impl Layers {
    pub(crate) fn of_defaults() -> Self {
        let table: Table = toml::from_str(DEFAULTS).expect("a test loads the embedded defaults");
        let mut keys = BTreeMap::new();
        flatten(String::new(), table, &mut |key, default| {
            keys.insert(key, Entry { default, given: None });
        });
        Self { keys, problems: Vec::new() }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.keys.get(key)
    }

    #[cfg(test)]
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }

    /// Adds the operator's file.
    pub(crate) fn add_file(&mut self, path: &Path) {
        let origin = Origin::File(path.to_owned());
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return self.problem("", format!("cannot be read: {error}"), origin),
        };
        match toml::from_str::<Table>(&text) {
            Ok(table) => self.add_table(&origin, table),
            // The error's own Display quotes the line, which may hold a secret.
            Err(error) => {
                let place = error.span().map(|span| place(&text, &span)).unwrap_or_default();
                self.problem("", format!("is not TOML: {}{place}", error.message()), origin);
            }
        }
    }

    /// Adds the overrides from the environment, in the order of their names.
    pub(crate) fn add_env(&mut self, env: impl IntoIterator<Item = (String, String)>) {
        let ours = env.into_iter().filter(|(name, _)| name.starts_with(ENV_PREFIX));
        for (name, value) in ours.collect::<BTreeMap<_, _>>() {
            let key = name[ENV_PREFIX.len()..].to_lowercase().replace("__", ".");
            self.set(key, Value::String(value), Origin::Env(name));
        }
    }

    fn add_table(&mut self, origin: &Origin, table: Table) {
        let mut leaves = Vec::new();
        flatten(String::new(), table, &mut |key, value| leaves.push((key, value)));
        for (key, value) in leaves {
            self.set(key, value, origin.clone());
        }
    }

    fn set(&mut self, key: String, value: Value, origin: Origin) {
        if let Some(entry) = self.keys.get_mut(&key) {
            entry.given = Some((origin, value));
            return;
        }
        let within = format!("{key}.");
        let is_section = self.keys.keys().any(|known| known.starts_with(&within));
        let above = self.keys.keys().find(|known| key.starts_with(&format!("{known}."))).cloned();
        match above {
            // `flatten` went into a table that stands where a plain value belongs.
            Some(leaf) => self.problem(&leaf, "expected a value, found a section", origin),
            None if is_section => self.problem(&key, expected("a section", &value), origin),
            None => self.problem(&key, self.unknown(&key), origin),
        }
    }

    fn unknown(&self, key: &str) -> String {
        let likeness = |known: &str| strsim::jaro_winkler(known, key);
        let nearest = self
            .keys
            .keys()
            .map(|known| (likeness(known), known))
            .max_by(|one, other| one.0.total_cmp(&other.0));
        match nearest {
            Some((likeness, known)) if likeness >= SUGGESTION_LIKENESS_MIN => {
                format!("unknown key; did you mean {known}?")
            }
            Some(_) | None => "unknown key".to_owned(),
        }
    }

    fn problem(&mut self, key: &str, problem: impl Into<String>, origin: Origin) {
        let problem = Problem { key: key.to_owned(), problem: problem.into(), origin };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}

/// Calls `leaf` with the dotted name and value of everything that is not a table.
fn flatten(prefix: String, table: Table, leaf: &mut impl FnMut(String, Value)) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            Value::Table(inner) => flatten(key, inner, leaf),
            other => leaf(key, other),
        }
    }
}

fn place(text: &str, span: &Range<usize>) -> String {
    let before = text.get(..span.start).unwrap_or(text);
    format!(", line {}", before.matches('\n').count() + 1)
}
