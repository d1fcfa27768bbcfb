//! One text for all ways to write the same JSON value.

use std::io::{self, Write};

use serde_json::Value;

/// Writes `value` without blanks and with the keys of objects sorted.
pub(crate) fn write_canonical(value: &Value, out: &mut impl Write) -> io::Result<()> {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            out.write_all(b"{")?;
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.write_all(b",")?;
                }
                serde_json::to_writer(&mut *out, key)?;
                out.write_all(b":")?;
                write_canonical(value, out)?;
            }
            out.write_all(b"}")
        }
        Value::Array(list) => {
            out.write_all(b"[")?;
            for (index, value) in list.iter().enumerate() {
                if index > 0 {
                    out.write_all(b",")?;
                }
                write_canonical(value, out)?;
            }
            out.write_all(b"]")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            serde_json::to_writer(out, value).map_err(io::Error::from)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        let mut out = Vec::new();
        write_canonical(&serde_json::from_str(text).unwrap(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn order_and_blanks_do_not_matter_but_values_do() {
        assert_eq!(
            canonical(r#"{ "b": [1, {"d": null, "c": "x"}], "a": true }"#),
            r#"{"a":true,"b":[1,{"c":"x","d":null}]}"#
        );
        assert_ne!(canonical(r#"{"a": [1, 2]}"#), canonical(r#"{"a": [2, 1]}"#));
        assert_ne!(canonical(r#"{"a": "1"}"#), canonical(r#"{"a": 1}"#));
    }
}
