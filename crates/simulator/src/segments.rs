//! How many parts a text message takes on the air, which is what is billed.

/// GSM-7 characters beyond ASCII letters and digits that take one unit, and those that take two.
const GSM_SINGLE: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
const GSM_DOUBLE: &str = "^{}\\[]~|€";

/// Parts billed: 160 GSM-7 units alone or 153 each, 70 UCS-2 units alone or 67 each.
pub(crate) fn count(text: &str) -> usize {
    let (units, alone, split) = match gsm_units(text) {
        Some(units) => (units, 160, 153),
        None => (text.encode_utf16().count(), 70, 67),
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
        for (text, expected) in [
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            ("ш".repeat(70), 1),
            ("ш".repeat(71), 2),
            ("ш".repeat(135), 3),
            ("👋".repeat(36), 2),
            (String::new(), 1),
        ] {
            assert_eq!(count(&text), expected, "{} characters", text.chars().count());
        }
    }
}
