//! Reads JSON against a schema and keeps every fault, so that all are reported at once.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::problem::{FieldError, Problem};

/// Faults found so far.
#[derive(Debug, Default)]
pub(crate) struct Check {
    errors: Vec<FieldError>,
}

/// Most faults reported for one request.
const ERRORS_MAX: usize = 100;

impl Check {
    pub(crate) fn fault(&mut self, pointer: &str, code: &'static str, detail: impl Into<String>) {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(FieldError { pointer: pointer.to_owned(), code, detail: detail.into() });
        }
    }

    /// `Err` with every fault, unless there was none.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() {
            return Ok(());
        }
        let recipient = self.errors.iter().all(|error| error.code == "recipient_invalid");
        if recipient {
            let problem = Problem::new(422, "recipient_invalid", "the recipient has no usable address");
            return Err(problem.layer("recipient").errors(self.errors));
        }
        Err(Problem::schema(self.errors))
    }

    /// An object with no other fields than `known`.
    pub(crate) fn object<'v>(
        &mut self,
        value: &'v Value,
        pointer: &str,
        known: &[&str],
    ) -> Option<&'v Map<String, Value>> {
        let Some(map) = value.as_object() else {
            self.fault(pointer, "type", "expected an object");
            return None;
        };
        for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
            let shown: String = key.chars().filter(|char| !char.is_control()).take(64).collect();
            self.fault(
                &format!("{pointer}/{}", escape(&shown)),
                "unknown_field",
                "this field does not exist",
            );
        }
        Some(map)
    }

    /// A text of 1 to `max` characters.
    pub(crate) fn text(
        &mut self,
        map: &Map<String, Value>,
        pointer: &str,
        key: &str,
        max: usize,
    ) -> Option<String> {
        match map.get(key)? {
            Value::Null => None,
            Value::String(text)
                if !text.is_empty() && text.chars().count() <= max && !text.contains('\0') =>
            {
                Some(text.clone())
            }
            Value::String(_) => {
                self.fault(&format!("{pointer}/{key}"), "length", format!("expected 1 to {max} characters"));
                None
            }
            _ => {
                self.fault(&format!("{pointer}/{key}"), "type", "expected a text");
                None
            }
        }
    }

    /// A whole number within `range`.
    pub(crate) fn number(
        &mut self,
        map: &Map<String, Value>,
        pointer: &str,
        key: &str,
        range: (u32, u32),
    ) -> Option<u32> {
        let value = map.get(key)?;
        if value.is_null() {
            return None;
        }
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        let fit = number.filter(|number| (range.0..=range.1).contains(number));
        if fit.is_none() {
            self.fault(
                &format!("{pointer}/{key}"),
                "range",
                format!("expected a whole number from {} to {}", range.0, range.1),
            );
        }
        fit
    }

    /// One of the words that `T` knows.
    pub(crate) fn word<T: serde::de::DeserializeOwned>(
        &mut self,
        map: &Map<String, Value>,
        pointer: &str,
        key: &str,
        words: &str,
    ) -> Option<T> {
        let value = map.get(key)?;
        if value.is_null() {
            return None;
        }
        let word = value.as_str().and_then(|_| serde_json::from_value(value.clone()).ok());
        if word.is_none() {
            self.fault(&format!("{pointer}/{key}"), "enum", format!("expected one of {words}"));
        }
        word
    }

    /// A list of at most `max` entries.
    pub(crate) fn list<'v>(
        &mut self,
        map: &'v Map<String, Value>,
        pointer: &str,
        key: &str,
        max: usize,
    ) -> &'v [Value] {
        match map.get(key) {
            None | Some(Value::Null) => &[],
            Some(Value::Array(list)) if list.len() <= max => list,
            Some(Value::Array(_)) => {
                self.fault(&format!("{pointer}/{key}"), "length", format!("expected at most {max} entries"));
                &[]
            }
            Some(_) => {
                self.fault(&format!("{pointer}/{key}"), "type", "expected a list");
                &[]
            }
        }
    }

    /// A list of texts of at most `chars` characters each.
    pub(crate) fn texts(
        &mut self,
        map: &Map<String, Value>,
        pointer: &str,
        key: &str,
        max: usize,
        chars: usize,
    ) -> Vec<String> {
        let mut texts = Vec::new();
        for (index, value) in self.list(map, pointer, key, max).iter().enumerate() {
            match value.as_str().filter(|text| !text.is_empty() && text.chars().count() <= chars) {
                Some(text) => texts.push(text.to_owned()),
                None => self.fault(
                    &format!("{pointer}/{key}/{index}"),
                    "type",
                    format!("expected a text of 1 to {chars} characters"),
                ),
            }
        }
        texts
    }

    /// An object of at most `max` texts of at most `chars` characters each.
    pub(crate) fn text_map(
        &mut self,
        map: &Map<String, Value>,
        pointer: &str,
        key: &str,
        max: usize,
        chars: usize,
    ) -> BTreeMap<String, String> {
        let at = format!("{pointer}/{key}");
        let entries = match map.get(key) {
            None | Some(Value::Null) => return BTreeMap::new(),
            Some(Value::Object(entries)) => entries,
            Some(_) => {
                self.fault(&at, "type", "expected an object");
                return BTreeMap::new();
            }
        };
        if entries.len() > max {
            self.fault(&at, "length", format!("expected at most {max} keys"));
            return BTreeMap::new();
        }
        let mut texts = BTreeMap::new();
        for (name, value) in entries {
            match value.as_str().filter(|text| text.chars().count() <= chars && name.len() <= 128) {
                Some(text) => drop(texts.insert(name.clone(), text.to_owned())),
                None => self.fault(
                    &format!("{at}/{}", escape(name)),
                    "type",
                    format!("expected a text of at most {chars} characters"),
                ),
            }
        }
        texts
    }
}

/// A JSON pointer's reserved characters (RFC 6901).
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
