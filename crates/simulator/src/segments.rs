//! How many parts a text message takes on the air, which is what is billed.

/// What characters are sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// GSM-7 if every character has a place in it, UCS-2 if not.
    Auto,
    /// GSM-7; what has no place in it is sent as a question mark.
    Gsm,
    /// UCS-2.
    Ucs2,
}

/// GSM-7 characters beyond ASCII letters and digits that take one unit, and those that take two.
const GSM_SINGLE: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
const GSM_DOUBLE: &str = "^{}\\[]~|€";

/// Parts billed: 160 GSM-7 units alone or 153 each, 70 UCS-2 units alone or 67 each.
pub(crate) fn count(text: &str, encoding: Encoding) -> usize {
    let (units, alone, split) = match (encoding, gsm_units(text)) {
        (Encoding::Auto | Encoding::Gsm, Some(units)) => (units, 160, 153),
        (Encoding::Gsm, None) => {
            (text.chars().map(|character| gsm_unit(character).unwrap_or(1)).sum(), 160, 153)
        }
        (Encoding::Auto, None) | (Encoding::Ucs2, _) => (text.encode_utf16().count(), 70, 67),
    };
    if units <= alone { 1 } else { units.div_ceil(split) }
}

fn gsm_units(text: &str) -> Option<usize> {
    text.chars().try_fold(0, |units, character| Some(units + gsm_unit(character)?))
}

pub(crate) fn gsm_unit(character: char) -> Option<usize> {
    if character.is_ascii_alphanumeric() || GSM_SINGLE.contains(character) {
        Some(1)
    } else if GSM_DOUBLE.contains(character) {
        Some(2)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_the_encoding() {
        for (text, encoding, expected) in [
            ("a".repeat(160), Encoding::Auto, 1),
            ("a".repeat(161), Encoding::Auto, 2),
            ("a".repeat(307), Encoding::Gsm, 3),
            ("€".repeat(80), Encoding::Auto, 1),
            ("€".repeat(81), Encoding::Auto, 2),
            ("ш".repeat(70), Encoding::Auto, 1),
            ("ш".repeat(71), Encoding::Auto, 2),
            ("ш".repeat(135), Encoding::Auto, 3),
            ("a".repeat(71), Encoding::Ucs2, 2),
            ("ш".repeat(160), Encoding::Gsm, 1),
            ("ш".repeat(161), Encoding::Gsm, 2),
            ("👋".repeat(36), Encoding::Auto, 2),
            (String::new(), Encoding::Auto, 1),
        ] {
            assert_eq!(count(&text, encoding), expected, "{} characters, {encoding:?}", text.chars().count());
        }
    }
}
