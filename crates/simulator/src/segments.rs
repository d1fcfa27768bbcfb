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
    let in_gsm = match encoding {
        Encoding::Auto => text.chars().all(|character| gsm_unit(character).is_some()),
        Encoding::Gsm => true,
        Encoding::Ucs2 => false,
    };
    let (alone, joined) = if in_gsm { (160, 153) } else { (70, 67) };
    let units = |character: char| {
        if in_gsm { gsm_unit(character).unwrap_or(1) } else { character.len_utf16() }
    };
    if text.chars().map(units).sum::<usize>() <= alone {
        return 1;
    }
    // What takes two units is not divided between parts.
    let fill = |(parts, used): (usize, usize), units: usize| {
        if used + units > joined { (parts + 1, units) } else { (parts, used + units) }
    };
    text.chars().map(units).fold((1, 0), fill).0
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
            ("👋".repeat(67), Encoding::Auto, 3),
            (format!("{}€{}", "a".repeat(152), "a".repeat(152)), Encoding::Auto, 3),
            (String::new(), Encoding::Auto, 1),
        ] {
            assert_eq!(count(&text, encoding), expected, "{} characters, {encoding:?}", text.chars().count());
        }
    }
}
