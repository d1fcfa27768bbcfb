//! Objects, field by field.

use serde_json::{Map, Value};

use super::Faults;
use crate::problem::{Code, Problem};

/// An object whose fields are taken out one by one; what remains is unknown.
#[derive(Debug)]
pub(crate) struct Object(Map<String, Value>);

impl Object {
    /// A field that may be missing or null.
    pub(crate) fn optional<T>(
        &mut self,
        key: &'static str,
        faults: &mut Faults,
        read: impl FnOnce(Value, &mut Faults) -> Option<T>,
    ) -> Option<T> {
        let value = self.0.remove(key).filter(|value| !value.is_null())?;
        faults.at_key(key, |faults| read(value, faults))
    }

    /// A field that may be missing, but that cannot be null: nothing is removed by it.
    pub(crate) fn omittable<T>(
        &mut self,
        key: &'static str,
        faults: &mut Faults,
        read: impl FnOnce(Value, &mut Faults) -> Option<T>,
    ) -> Option<T> {
        let value = self.0.remove(key)?;
        faults.at_key(key, |faults| read(value, faults))
    }

    /// A field that may be missing, or null where that means something else: `Some(None)`.
    pub(crate) fn nullable<T>(
        &mut self,
        key: &'static str,
        faults: &mut Faults,
        read: impl FnOnce(Value, &mut Faults) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.0.remove(key)? {
            Value::Null => Some(None),
            value => faults.at_key(key, |faults| read(value, faults)).map(Some),
        }
    }

    /// A field that must be there.
    pub(crate) fn required<T>(
        &mut self,
        key: &'static str,
        faults: &mut Faults,
        read: impl FnOnce(Value, &mut Faults) -> Option<T>,
    ) -> Option<T> {
        match self.0.remove(key) {
            Some(value) => faults.at_key(key, |faults| read(value, faults)),
            None => faults.at_key(key, |faults| faults.note("required", "this field is required")),
        }
    }

    /// Whether the object names `key` with something else than null.
    pub(crate) fn names(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|value| !value.is_null())
    }

    fn finish(self, faults: &mut Faults) {
        for name in self.0.keys() {
            faults.at_name(name, |faults| faults.note::<()>("unknown_field", "there is no such field"));
        }
    }
}

/// Reads an object; `read` takes its fields.
pub(crate) fn object<T>(
    read: impl FnOnce(&mut Object, &mut Faults) -> Option<T>,
) -> impl FnOnce(Value, &mut Faults) -> Option<T> {
    move |value, faults| match value {
        Value::Object(map) => {
            let mut object = Object(map);
            let result = read(&mut object, faults);
            object.finish(faults);
            result
        }
        _ => faults.note("type", "expected an object"),
    }
}

/// Reads a whole body, which must be an object.
pub(crate) fn root<T>(
    value: Value,
    read: impl FnOnce(&mut Object, &mut Faults) -> Option<T>,
) -> Result<T, Problem> {
    let mut faults = Faults::default();
    let result = object(read)(value, &mut faults);
    faults.finish(result, Code::SchemaInvalid)
}
