//! Shows that a value exists, and barely which one, without showing it.
//!
//! Logs, traces and errors carry ids and sizes. Where a person must tell two addresses apart, two
//! last digits and a length do; they identify nobody.

use std::fmt;

/// Texts shorter than this show nothing but their length: two characters would be too much of them.
const TAIL_TEXT_CHARS_MIN: usize = 8;

/// How many digits of a phone number are shown.
const TAIL_CHARS: usize = 2;

/// Wraps a value whose `Debug` and `Display` must not show it.
///
/// Prints `…56 (11 chars)` if the text is long enough and ends in digits, else `… (11 chars)`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, to be used and not to be printed.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Unwraps the value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: AsRef<str>> fmt::Display for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.as_ref();
        let chars = text.chars().count();
        write!(f, "…{} ({chars} chars)", tail(text, chars))
    }
}

impl<T: AsRef<str>> fmt::Debug for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A phone number as `…56 (11 chars)`.
#[must_use]
pub fn redact_phone(phone: &str) -> String {
    Redacted::new(phone).to_string()
}

/// An email address as `…@… (12 chars)`, with no letter of either part.
#[must_use]
pub fn redact_email(email: &str) -> String {
    let at = if email.contains('@') { "@…" } else { "" };
    format!("…{at} ({} chars)", email.chars().count())
}

/// The last two characters if they are digits of a text long enough to hide behind.
fn tail(text: &str, chars: usize) -> &str {
    if chars < TAIL_TEXT_CHARS_MIN {
        return "";
    }
    let tail = text.len().checked_sub(TAIL_CHARS).and_then(|start| text.get(start..));
    tail.filter(|tail| tail.bytes().all(|byte| byte.is_ascii_digit())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_keeps_two_digits() {
        assert_eq!(redact_phone("+4520123456"), "…56 (11 chars)");
        assert_eq!(redact_phone("12345"), "… (5 chars)");
        assert_eq!(redact_phone(""), "… (0 chars)");
    }

    #[test]
    fn an_email_address_keeps_nothing() {
        assert_eq!(redact_email("anna@example.dk"), "…@… (15 chars)");
        assert_eq!(redact_email("+4520123456"), "… (11 chars)");
    }

    #[test]
    fn debug_shows_no_more_than_display() {
        let secret = Redacted::new("a-long-secret-token".to_owned());
        assert_eq!(format!("{secret:?}"), "… (19 chars)");
        assert_eq!(format!("{secret:#?} {:?}", Some(&secret)), "… (19 chars) Some(… (19 chars))");
        assert_eq!(secret.expose(), "a-long-secret-token");
    }

    #[test]
    fn letters_beyond_ascii_are_counted_not_cut() {
        assert_eq!(Redacted::new("blåbærgrød").to_string(), "… (10 chars)");
    }
}
