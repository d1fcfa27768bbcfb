//! Reads parameters out of a request, refusing them in Graph's words. The first fault ends the reading.

use serde_json::{Map, Value};

use super::fault::{self, Fault};

/// An object of the request, with the name that faults give it (`template['components'][0]`).
#[derive(Clone, Debug)]
pub(super) struct Param<'a> {
    fields: &'a Map<String, Value>,
    path: String,
}

impl<'a> Param<'a> {
    /// The request itself, whose fields have no path.
    pub(super) fn root(fields: &'a Map<String, Value>) -> Self {
        Self { fields, path: String::new() }
    }

    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}['{name}']", self.path) }
    }

    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.fields.get(name)
    }

    /// Refuses fields that are not in `names`.
    pub(super) fn only(&self, names: &[&str]) -> Result<(), Fault> {
        match self.fields.keys().find(|name| !names.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) if self.path.is_empty() => {
                Err(fault::invalid_parameter(format!("Unexpected key \"{name}\"")))
            }
            Some(name) => {
                Err(fault::parameter(format_args!("Unexpected key \"{name}\" on param \"{}\".", self.path)))
            }
        }
    }

    fn read<T>(
        &self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
        what: &str,
    ) -> Result<Option<T>, Fault> {
        let Some(value) = self.fields.get(name) else { return Ok(None) };
        let wrong = || fault::parameter(format_args!("Param {} must be {what}.", self.path_of(name)));
        read(value).map(Some).ok_or_else(wrong)
    }

    fn needed<T>(&self, name: &str, found: Option<T>) -> Result<T, Fault> {
        found
            .ok_or_else(|| fault::missing_parameter(format!("Parameter '{}' is missing", self.path_of(name))))
    }

    /// A text of at most `chars_max` characters.
    pub(super) fn text(&self, name: &str, chars_max: usize) -> Result<Option<&'a str>, Fault> {
        let text = self.read(name, Value::as_str, "a string")?;
        if text.is_some_and(|text| text.chars().count() > chars_max) {
            let path = self.path_of(name);
            let message = format_args!("Param {path} must be at most {chars_max} characters long.");
            return Err(fault::parameter(message));
        }
        Ok(text)
    }

    pub(super) fn required_text(&self, name: &str, chars_max: usize) -> Result<&'a str, Fault> {
        self.needed(name, self.text(name, chars_max)?.filter(|text| !text.is_empty()))
    }

    pub(super) fn one_of(&self, name: &str, allowed: &[&str]) -> Result<Option<&'a str>, Fault> {
        let text = self.text(name, usize::MAX)?;
        if text.is_none_or(|text| allowed.iter().any(|one| one.eq_ignore_ascii_case(text))) {
            return Ok(text);
        }
        let (path, allowed) = (self.path_of(name), allowed.join(", ").to_uppercase());
        let got = text.unwrap_or_default();
        Err(fault::parameter(format_args!("Param {path} must be one of {{{allowed}}} - got \"{got}\".")))
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Fault> {
        self.read(name, Value::as_bool, "a boolean")
    }

    pub(super) fn integer(&self, name: &str) -> Result<i64, Fault> {
        let found = self.read(name, Value::as_i64, "an integer")?;
        self.needed(name, found)
    }

    /// A number, as one or as a text: clients send both.
    pub(super) fn degrees(&self, name: &str, limit: f64) -> Result<(), Fault> {
        let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok());
        let found = self.read(name, number, "a number")?;
        if self.needed(name, found)?.abs() <= limit {
            Ok(())
        } else {
            Err(fault::invalid_value(format!("Parameter '{}' is out of range", self.path_of(name))))
        }
    }

    pub(super) fn object(&self, name: &str) -> Result<Option<Param<'a>>, Fault> {
        let fields = self.read(name, Value::as_object, "a JSON object")?;
        Ok(fields.map(|fields| Param { fields, path: self.path_of(name) }))
    }

    pub(super) fn required_object(&self, name: &str) -> Result<Param<'a>, Fault> {
        self.needed(name, self.object(name)?)
    }

    /// The objects of a list.
    pub(super) fn objects(&self, name: &str) -> Result<Option<Vec<Param<'a>>>, Fault> {
        let Some(list) = self.read(name, Value::as_array, "an array")? else { return Ok(None) };
        let object = |(index, value): (usize, &'a Value)| {
            let path = format!("{}[{index}]", self.path_of(name));
            let wrong = fault::parameter(format_args!("Param {path} must be a JSON object."));
            value.as_object().map(|fields| Param { fields, path }).ok_or(wrong)
        };
        list.iter().enumerate().map(object).collect::<Result<_, _>>().map(Some)
    }

    /// The objects of a list that has at least one and at most `count_max`.
    pub(super) fn required_objects(&self, name: &str, count_max: usize) -> Result<Vec<Param<'a>>, Fault> {
        let objects = self.needed(name, self.objects(name)?)?;
        if (1..=count_max).contains(&objects.len()) {
            return Ok(objects);
        }
        let path = self.path_of(name);
        Err(fault::invalid_value(format!("Parameter '{path}' must have between 1 and {count_max} elements")))
    }
}
