//! Readers for everything that is not an object.

use std::{collections::BTreeMap, fmt::Display, ops::RangeInclusive, str::FromStr};

use hermes_domain::UnixMillis;
use serde_json::{Map, Value};
use url::Url;

use super::Faults;

/// Longest URL taken, in bytes.
const URL_BYTES_MAX: usize = 2_048;

/// A text of so many characters.
pub(crate) fn text(chars: RangeInclusive<usize>) -> impl Fn(Value, &mut Faults) -> Option<String> {
    move |value, faults| {
        let Value::String(text) = value else { return faults.note("type", "expected a text") };
        // Bytes are an upper bound of characters, which saves counting those of most texts.
        let fits = text.len() <= *chars.end() || text.chars().count() <= *chars.end();
        let long_enough = text.len() >= *chars.start();
        if !fits || !long_enough {
            return faults
                .note("length", format!("expected {} to {} characters", chars.start(), chars.end()));
        }
        if text.contains('\0') {
            return faults.note("character", "expected no NUL character");
        }
        Some(text)
    }
}

/// A text without control characters, so that it stays in the line that it is written into.
pub(crate) fn line(chars: RangeInclusive<usize>) -> impl Fn(Value, &mut Faults) -> Option<String> {
    move |value, faults| {
        let text = text(chars.clone())(value, faults)?;
        if text.contains(char::is_control) {
            return faults.note("character", "expected no control characters, such as line breaks");
        }
        Some(text)
    }
}

/// A text of visible ASCII characters.
pub(crate) fn token(bytes: RangeInclusive<usize>) -> impl Fn(Value, &mut Faults) -> Option<String> {
    move |value, faults| {
        let text = text(bytes.clone())(value, faults)?;
        if text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Some(text)
        } else {
            faults.note("character", "expected visible ASCII characters without blanks")
        }
    }
}

/// A whole number.
pub(crate) fn integer(range: RangeInclusive<u32>) -> impl Fn(Value, &mut Faults) -> Option<u32> {
    move |value, faults| {
        if !value.is_number() {
            return faults.note("type", "expected a whole number");
        }
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        match number.filter(|number| range.contains(number)) {
            Some(number) => Some(number),
            None => faults
                .note("range", format!("expected a whole number from {} to {}", range.start(), range.end())),
        }
    }
}

pub(crate) fn boolean(value: Value, faults: &mut Faults) -> Option<bool> {
    value.as_bool().or_else(|| faults.note("type", "expected true or false"))
}

/// One of several words.
pub(crate) fn choice<T: Copy>(
    choices: &'static [(&'static str, T)],
) -> impl Fn(Value, &mut Faults) -> Option<T> {
    move |value, faults| {
        let Value::String(word) = value else { return faults.note("type", "expected a text") };
        match choices.iter().find(|(name, _)| *name == word) {
            Some((_, choice)) => Some(*choice),
            None => {
                let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
                faults.note("choice", format!("expected one of {}", names.join(", ")))
            }
        }
    }
}

/// A list of so many entries.
pub(crate) fn list<T>(
    count: RangeInclusive<usize>,
    read: impl Fn(Value, &mut Faults) -> Option<T>,
) -> impl Fn(Value, &mut Faults) -> Option<Vec<T>> {
    move |value, faults| {
        let Value::Array(entries) = value else { return faults.note("type", "expected a list") };
        if !count.contains(&entries.len()) {
            return faults.note("length", format!("expected {} to {} entries", count.start(), count.end()));
        }
        let entries = entries.into_iter().enumerate();
        entries.map(|(index, entry)| faults.at_index(index, |faults| read(entry, faults))).collect()
    }
}

/// An object used as a map, with names of 1 to `name_chars` characters.
pub(crate) fn map<T>(
    entries_max: usize,
    name_chars: usize,
    read: impl Fn(Value, &mut Faults) -> Option<T>,
) -> impl Fn(Value, &mut Faults) -> Option<BTreeMap<String, T>> {
    move |value, faults| {
        let Value::Object(entries) = value else { return faults.note("type", "expected an object") };
        if entries.len() > entries_max {
            return faults.note("length", format!("expected at most {entries_max} entries"));
        }
        let read_entry = |(name, entry): (String, Value)| {
            let read = faults.at_name(&name, |faults| {
                if name.is_empty() || name.chars().count() > name_chars {
                    return faults.note("length", format!("expected a name of 1 to {name_chars} characters"));
                }
                read(entry, faults)
            })?;
            Some((name, read))
        };
        // All entries are read, so that all faults are found, before one of them decides.
        entries.into_iter().map(read_entry).collect::<Vec<_>>().into_iter().collect()
    }
}

/// Any object, as it is.
pub(crate) fn any_object(value: Value, faults: &mut Faults) -> Option<Map<String, Value>> {
    match value {
        Value::Object(map) => Some(map),
        _ => faults.note("type", "expected an object"),
    }
}

/// An instant as RFC 3339.
pub(crate) fn instant(value: Value, faults: &mut Faults) -> Option<UnixMillis> {
    let text = text(1..=64)(value, faults)?;
    UnixMillis::parse_rfc3339(&text)
        .or_else(|| faults.note("instant", "expected an RFC 3339 instant such as 2026-01-02T03:04:05.678Z"))
}

/// An instant that lies ahead.
pub(crate) fn ahead(now: UnixMillis) -> impl Fn(Value, &mut Faults) -> Option<UnixMillis> {
    move |value, faults| {
        let at = instant(value, faults)?;
        if at > now { Some(at) } else { faults.note("past", "expected an instant that lies ahead") }
    }
}

/// An identifier.
pub(crate) fn id<T: FromStr<Err: Display>>(value: Value, faults: &mut Faults) -> Option<T> {
    let Value::String(text) = value else { return faults.note("type", "expected a text") };
    text.parse().map_or_else(|error: T::Err| faults.note("id", error.to_string()), Some)
}

/// An absolute URL without user and fragment; `https` only unless `http` may be used.
pub(crate) fn web_url(http: bool) -> impl Fn(Value, &mut Faults) -> Option<String> {
    move |value, faults| {
        let text = token(1..=URL_BYTES_MAX)(value, faults)?;
        let url = Url::parse(&text).ok().filter(|url| {
            let scheme = url.scheme() == "https" || (http && url.scheme() == "http");
            let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
            scheme && plain && url.has_host()
        });
        let scheme = if http { "http or https" } else { "https" };
        match url {
            Some(_) => Some(text),
            None => {
                faults.note("url", format!("expected an absolute {scheme} URL without user and fragment"))
            }
        }
    }
}
