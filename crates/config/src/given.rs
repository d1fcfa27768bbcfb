//! One value as it was given: typed in a file, plain text in the environment.
//!
//! The error of every conversion says what was expected and never repeats a text, which may be a
//! secret that ended up under the wrong key.

use toml::Value;

/// A value as given.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Given<'a> {
    /// From TOML, with a type.
    Toml(&'a Value),
    /// From the environment: takes the type that is asked for.
    Text(&'a str),
}

impl<'a> Given<'a> {
    pub(crate) fn text(self) -> Result<&'a str, String> {
        match self {
            Self::Text(text) => Ok(text.trim()),
            Self::Toml(Value::String(text)) => Ok(text.trim()),
            Self::Toml(other) => Err(expected("a text", other)),
        }
    }

    pub(crate) fn boolean(self) -> Result<bool, String> {
        match self {
            Self::Toml(Value::Boolean(value)) => Ok(*value),
            Self::Toml(other) => Err(expected("true or false", other)),
            Self::Text(text) => text.trim().parse().map_err(|_| "expected true or false".to_owned()),
        }
    }

    pub(crate) fn integer(self) -> Result<i64, String> {
        match self {
            Self::Toml(Value::Integer(value)) => Ok(*value),
            Self::Toml(other) => Err(expected("a whole number", other)),
            Self::Text(text) => text.trim().parse().map_err(|_| "expected a whole number".to_owned()),
        }
    }

    /// The items of a list; text is split at commas, and nothing but blanks is an empty list.
    pub(crate) fn list(self) -> Result<Vec<Self>, String> {
        match self {
            Self::Toml(Value::Array(items)) => Ok(items.iter().map(Given::Toml).collect()),
            Self::Toml(other) => Err(expected("a list", other)),
            Self::Text(text) if text.trim().is_empty() => Ok(Vec::new()),
            Self::Text(text) => Ok(text.split(',').map(Given::Text).collect()),
        }
    }
}

/// "expected a list, found a text".
pub(crate) fn expected(what: &str, found: &Value) -> String {
    format!("expected {what}, found {}", kind(found))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a decimal number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
    }
}
