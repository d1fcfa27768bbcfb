//! How a text travels as SMS: its alphabet, and the parts that a carrier bills.
//!
//! 3GPP TS 23.038, section 6.2.1 (the GSM 7-bit default alphabet and its extension table) and TS 23.040, section
//! 9.2.3.24.1 (joined messages, whose header takes the room of seven septets or three UCS-2 units). A character of
//! two units, an escape with its character or a surrogate pair, is never divided between two parts.

/// The default alphabet beyond ASCII letters and digits.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
/// Its extension table: each takes two septets.
const EXTENDED: &str = "^{}\\[~]|€\u{c}";

/// What a text is encoded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Every character is in the GSM 7-bit alphabet or its extension table: 160 septets alone, 153 joined.
    Gsm7,
    /// 16-bit units: 70 alone, 67 joined.
    Ucs2,
}

impl Encoding {
    /// The smallest that has every character of `text`.
    pub fn of(text: &str) -> Self {
        if text.chars().all(|char| septets(char).is_some()) { Self::Gsm7 } else { Self::Ucs2 }
    }

    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gsm7 => "gsm7",
            Self::Ucs2 => "ucs2",
        }
    }

    /// Units of a message alone, and of one that is a part.
    const fn room(self) -> (usize, usize) {
        match self {
            Self::Gsm7 => (160, 153),
            Self::Ucs2 => (70, 67),
        }
    }

    fn units(self, char: char) -> usize {
        match self {
            Self::Gsm7 => septets(char).unwrap_or(1),
            Self::Ucs2 => char.len_utf16(),
        }
    }
}

fn septets(char: char) -> Option<usize> {
    if char.is_ascii_alphanumeric() || BASIC.contains(char) {
        Some(1)
    } else if EXTENDED.contains(char) {
        Some(2)
    } else {
        None
    }
}

/// A text divided as a carrier divides it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segments<'a> {
    /// What it is encoded in.
    pub encoding: Encoding,
    /// At least one, even of an empty text; joined they are the text.
    pub parts: Vec<&'a str>,
}

impl Segments<'_> {
    /// How many messages are billed.
    pub fn count(&self) -> u16 {
        u16::try_from(self.parts.len()).unwrap_or(u16::MAX)
    }
}

/// Divides `text`.
pub fn segments(text: &str) -> Segments<'_> {
    let encoding = Encoding::of(text);
    let (alone, joined) = encoding.room();
    let units: usize = text.chars().map(|char| encoding.units(char)).sum();
    let parts = if units <= alone { vec![text] } else { divided(text, encoding, joined) };
    Segments { encoding, parts }
}

fn divided(text: &str, encoding: Encoding, room: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut begin, mut used) = (0, 0);
    for (at, char) in text.char_indices() {
        let units = encoding.units(char);
        if used + units > room {
            parts.push(&text[begin..at]);
            (begin, used) = (at, 0);
        }
        used += units;
    }
    parts.push(&text[begin..]);
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(text: &str) -> (&'static str, u16) {
        let segments = segments(text);
        (segments.encoding.as_str(), segments.count())
    }

    #[test]
    fn the_borders_between_segments_are_where_the_standard_puts_them() {
        for (text, expected) in [
            (String::new(), ("gsm7", 1)),
            ("a".repeat(160), ("gsm7", 1)),
            ("a".repeat(161), ("gsm7", 2)),
            ("a".repeat(306), ("gsm7", 2)),
            ("a".repeat(307), ("gsm7", 3)),
            ("€".repeat(80), ("gsm7", 1)),
            ("€".repeat(81), ("gsm7", 2)),
            ("ж".repeat(70), ("ucs2", 1)),
            ("ж".repeat(71), ("ucs2", 2)),
            ("ж".repeat(134), ("ucs2", 2)),
            ("ж".repeat(135), ("ucs2", 3)),
            ("😀".repeat(35), ("ucs2", 1)),
            ("😀".repeat(36), ("ucs2", 2)),
        ] {
            assert_eq!(
                told(&text),
                expected,
                "{} characters of {:?}",
                text.chars().count(),
                text.chars().next()
            );
        }
    }

    #[test]
    fn a_character_of_two_units_is_not_divided() {
        // 153 septets end between escape and character: a part stays one short, which costs a third part.
        let text = format!("{}€{}", "a".repeat(152), "a".repeat(152));
        assert_eq!(told(&text), ("gsm7", 3));
        assert_eq!(segments(&text).parts[1].chars().next(), Some('€'));
        // 67 units, after 33 pairs one is left: it cannot hold half a pair.
        assert_eq!(told(&"😀".repeat(67)), ("ucs2", 3));
    }

    #[test]
    fn the_alphabet_is_the_standard_s() {
        let letters = ('a'..='z').chain('A'..='Z').chain('0'..='9').count();
        assert_eq!(letters + BASIC.chars().count(), 127, "128 places, one of which is the escape");
        assert_eq!(EXTENDED.chars().count(), 10);
        for char in BASIC.chars().chain(EXTENDED.chars()) {
            assert_eq!(Encoding::of(&char.to_string()), Encoding::Gsm7, "{char:?}");
        }
        for foreign in ["ç", "`", "\t", "á", "’", "Ж", "\u{a0}"] {
            assert_eq!(Encoding::of(foreign), Encoding::Ucs2, "{foreign:?}");
        }
    }

    proptest! {
        #[test]
        fn parts_are_the_text_and_fit(text in "([a-z€^æжé]|😀|\\PC){0,400}") {
            let Segments { encoding, parts } = segments(&text);
            prop_assert_eq!(parts.concat(), text.as_str());
            let (alone, joined) = encoding.room();
            let room = if parts.len() == 1 { alone } else { joined };
            let used = |part: &str| part.chars().map(|char| encoding.units(char)).sum::<usize>();
            for (index, part) in parts.iter().enumerate() {
                prop_assert!(used(part) <= room, "part {} of {:?}", index, encoding);
                // None is shorter than it must be.
                let next = parts.get(index + 1).and_then(|next| next.chars().next());
                prop_assert!(next.is_none_or(|char| used(part) + encoding.units(char) > room));
            }
        }
    }
}
