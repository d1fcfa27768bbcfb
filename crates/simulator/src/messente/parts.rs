//! How many parts a text is billed as.

use crate::segments::gsm_unit;

/// Parts by Messente's own calculator: 160 GSM-7 units alone or 153 each, 70 UCS-2 units alone or 67 each. A
/// character of two units is never cut, so a part may hold one unit less than it has room for.
pub(super) fn count(text: &str) -> usize {
    let gsm: Option<Vec<usize>> = text.chars().map(gsm_units).collect();
    let (units, alone, split) = match gsm {
        Some(units) => (units, 160, 153),
        None => (text.chars().map(char::len_utf16).collect(), 70, 67),
    };
    if units.iter().sum::<usize>() <= alone {
        return 1;
    }
    let (parts, _) = units.into_iter().fold((1, 0), |(parts, filled), units| {
        if filled + units <= split { (parts, filled + units) } else { (parts + 1, units) }
    });
    parts
}

/// A form feed is in the extension table, too.
fn gsm_units(character: char) -> Option<usize> {
    if character == '\u{c}' { Some(2) } else { gsm_unit(character) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_character_is_not_cut() {
        for (text, expected) in [
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            // The pair does not fit into the last unit of the first part, so the last letter needs a third.
            (format!("{}€{}", "a".repeat(152), "a".repeat(152)), 3),
            (format!("{}€{}", "a".repeat(151), "a".repeat(153)), 2),
            ("\u{c}".repeat(81), 2),
            ("ш".repeat(70), 1),
            ("ш".repeat(135), 3),
        ] {
            assert_eq!(count(&text), expected, "{} characters", text.chars().count());
        }
    }
}
