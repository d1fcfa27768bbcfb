//! Reads the fields of a JSON object, collecting what is wrong with them: one answer names every problem.

use serde_json::{Map, Value};

use super::fault::Problem;

/// An object of the request, with the place it has in it.
pub(super) struct Fields<'a, 'p> {
    object: &'a Map<String, Value>,
    /// Empty for the request itself, else ending with a dot.
    place: String,
    problems: &'p mut Vec<Problem>,
}

impl<'a, 'p> Fields<'a, 'p> {
    /// Starts reading; a field that is not in `known` is a problem.
    pub(super) fn read(
        object: &'a Map<String, Value>,
        place: &str,
        known: &[&str],
        problems: &'p mut Vec<Problem>,
    ) -> Self {
        let unknown = object.keys().filter(|name| !known.contains(&name.as_str()));
        problems.extend(unknown.map(|name| Problem::invalid(format!("{place}{name}"), "Unknown field")));
        Self { object, place: place.to_owned(), problems }
    }

    pub(super) fn invalid(&mut self, name: &str, detail: &str) {
        self.problems.push(Problem::invalid(format!("{}{name}", self.place), detail));
    }

    pub(super) fn missing(&mut self, name: &str) {
        self.problems.push(Problem::missing(format!("{}{name}", self.place)));
    }

    /// The value of a field as it is, if it is there.
    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name)
    }

    pub(super) fn text(&mut self, name: &str) -> Option<&'a str> {
        let text = self.object.get(name)?.as_str();
        if text.is_none() {
            self.invalid(name, "Must be a string");
        }
        text
    }

    /// A text that must be there and not be empty.
    pub(super) fn required_text(&mut self, name: &str) -> Option<&'a str> {
        if !self.object.contains_key(name) {
            self.missing(name);
        }
        let text = self.text(name)?;
        if text.is_empty() {
            self.invalid(name, "Must not be empty");
            return None;
        }
        Some(text)
    }

    pub(super) fn one_of(&mut self, name: &str, allowed: &[&str]) {
        if let Some(text) = self.text(name)
            && !allowed.contains(&text)
        {
            self.invalid(name, &format!("Must be one of: {}", allowed.join(", ")));
        }
    }

    /// Whether there is a whole number, which must be above zero.
    pub(super) fn has_positive(&mut self, name: &str) -> bool {
        let Some(value) = self.object.get(name) else { return false };
        if value.as_u64().is_none_or(|number| number == 0) {
            self.invalid(name, "Must be a positive integer");
        }
        true
    }
}
