//! Languages as BCP 47 tags, and where to look when there is nothing in one of them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Longest tag, in bytes (RFC 5646, section 4.4.1, recommends room for this many).
const BYTES_MAX: usize = 35;

/// A language tag such as `da` or `da-DK`, in its canonical case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Locale(String);

/// A text that is not a language tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a language tag such as da or da-DK")]
pub struct InvalidLocale;

impl Locale {
    /// As written, in canonical case: `da`, `da-DK`, `zh-Hant-TW`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tag, then ever more general ones: `zh-Hant-TW`, `zh-Hant`, `zh` (RFC 4647, section 3.4).
    pub fn and_more_general(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self.clone()), |tag| tag.more_general())
    }

    fn more_general(&self) -> Option<Self> {
        let (mut rest, _) = self.0.rsplit_once('-')?;
        // A single letter introduces what follows it, so it does not stand alone.
        while let Some((before, last)) = rest.rsplit_once('-')
            && last.len() == 1
        {
            rest = before;
        }
        Some(Self(rest.to_owned()))
    }
}

impl FromStr for Locale {
    type Err = InvalidLocale;

    /// Takes any well-formed tag, in any case. Whether somebody speaks the language is not asked.
    fn from_str(text: &str) -> Result<Self, InvalidLocale> {
        if text.len() > BYTES_MAX || text.ends_with('-') {
            return Err(InvalidLocale);
        }
        let mut canonical = String::with_capacity(text.len());
        let (mut plain, mut last) = (true, 0);
        for (place, subtag) in text.split('-').enumerate() {
            let letters = subtag.bytes().all(|byte| byte.is_ascii_alphabetic());
            let known = subtag.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let fits =
                if place == 0 { letters && (2..=8).contains(&subtag.len()) } else { subtag.len() <= 8 };
            if subtag.is_empty() || !known || !fits {
                return Err(InvalidLocale);
            }
            plain &= subtag.len() > 1;
            last = subtag.len();
            push(&mut canonical, subtag, (place > 0 && plain && letters).then_some(subtag.len()));
        }
        if last == 1 { Err(InvalidLocale) } else { Ok(Self(canonical)) }
    }
}

/// Appends a subtag. `letters` is the length of one whose case says something: regions are written `DK`,
/// scripts `Hant`; everything else is in lower case.
fn push(canonical: &mut String, subtag: &str, letters: Option<usize>) {
    if !canonical.is_empty() {
        canonical.push('-');
    }
    let begin = canonical.len();
    canonical.push_str(&subtag.to_ascii_lowercase());
    match letters {
        Some(2) => canonical[begin..].make_ascii_uppercase(),
        Some(4) => canonical[begin..=begin].make_ascii_uppercase(),
        Some(_) | None => {}
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Locale {
    type Error = InvalidLocale;

    fn try_from(text: String) -> Result<Self, InvalidLocale> {
        text.parse()
    }
}

impl From<Locale> for String {
    fn from(locale: Locale) -> Self {
        locale.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_written_in_their_canonical_case() {
        for (text, canonical) in [
            ("da", "da"),
            ("DA-dk", "da-DK"),
            ("ZH-hANT-tw", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("de-ch-1996", "de-CH-1996"),
            ("en-a-bbb-x-A-CCCC", "en-a-bbb-x-a-cccc"),
        ] {
            assert_eq!(text.parse::<Locale>().unwrap().as_str(), canonical);
        }
        for bad in ["", "d", "da-", "-da", "da--dk", "da_DK", "scandinavian", "dä", "da-DK-x", "123"] {
            assert_eq!(bad.parse::<Locale>(), Err(InvalidLocale), "{bad}");
        }
        assert_eq!(format!("en-{}", "abcdefgh-".repeat(4)).parse::<Locale>(), Err(InvalidLocale));
    }

    #[test]
    fn more_general_tags_follow_and_none_ends_in_a_single_letter() {
        let told = |text: &str| {
            let locale: Locale = text.parse().unwrap();
            locale.and_more_general().map(String::from).collect::<Vec<_>>()
        };
        assert_eq!(told("da"), ["da"]);
        assert_eq!(told("zh-Hant-TW"), ["zh-Hant-TW", "zh-Hant", "zh"]);
        assert_eq!(told("da-DK-x-formal"), ["da-DK-x-formal", "da-DK", "da"]);
    }
}
