//! A JSON value in which no object names a key twice.
//!
//! Two readers of the same text could otherwise disagree about what was asked for.

use std::{cell::RefCell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::problem::{Code, Problem};

/// Longest name told back, in characters.
const NAME_CHARS_MAX: usize = 64;

/// Parses `bytes`, which must be one JSON value in UTF-8, at most 128 levels deep.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let twice = RefCell::new(None);
    let value = Strict { twice: &twice }.deserialize(&mut deserializer);
    let value = value.and_then(|value| deserializer.end().map(|()| value));
    value.map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        let detail = match twice.take() {
            Some(name) => format!("An object of the body has the name {} twice, at {place}.", quoted(&name)),
            None => format!("The body is not valid JSON at {place}."),
        };
        Problem::new(Code::MalformedJson, detail)
    })
}

/// The beginning of a name, as JSON.
fn quoted(name: &str) -> Value {
    let mut shown: String = name.chars().take(NAME_CHARS_MAX).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    Value::String(shown)
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    /// A name that an object has twice.
    twice: &'a RefCell<Option<String>>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.contains_key(&key) {
                *self.twice.borrow_mut() = Some(key);
                return Err(A::Error::custom("a name appears twice"));
            }
            let value = entries.next_value_seed(self)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ordinary_values_come_through() {
        let text = r#"{"a": [1, -2, 3.5, true, null, "é\n"], "b": {"c": 18446744073709551615}}"#;
        assert_eq!(parse(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(parse(b" 1 ").unwrap(), json!(1));
    }

    #[test]
    fn a_name_that_comes_twice_is_told() {
        let detail = |text: &str| parse(text.as_bytes()).unwrap_err().detail;
        assert_eq!(
            detail(r#"{"to": {"phone": 1, "phone": 2}}"#),
            "An object of the body has the name \"phone\" twice, at line 1, column 27."
        );
        let long = "é".repeat(100);
        let told = detail(&format!(r#"{{"{long}": 1, "{long}": 2}}"#));
        assert!(told.contains(&format!("\"{}…\"", "é".repeat(64))), "{told}");
        assert_eq!(detail("{"), "The body is not valid JSON at line 1, column 1.");
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let bad: [&[u8]; 9] = [
            br#"{"a": 1, "a": 2}"#,
            br#"{"a": {"b": 1, "b": 1}}"#,
            b"{} {}",
            b"",
            b"{\"a\": \"\xff\"}",
            b"{\"a\": 1e999}",
            b"{'a': 1}",
            b"\xef\xbb\xbf{}",
            deep.as_bytes(),
        ];
        for text in bad {
            assert_eq!(
                parse(text).unwrap_err().code,
                Code::MalformedJson,
                "{}",
                String::from_utf8_lossy(text)
            );
        }
    }
}
