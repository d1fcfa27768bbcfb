//! How many segments an SMS takes (3GPP TS 23.038, section 6.2.1, and TS 23.040, section 9.2.3.24.1).

/// Characters of GSM 7-bit's extension table, which take two places.
const EXTENDED: &str = "^{}\\[~]|€\u{c}";
/// Characters of the default alphabet.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// How a text is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segments {
    /// `gsm7` or `ucs2`.
    pub(crate) encoding: &'static str,
    /// How many messages the carrier counts.
    pub(crate) count: u16,
}

/// Segments of `text`; one for an empty text.
pub(crate) fn segments(text: &str) -> Segments {
    let septets = text.chars().try_fold(0_usize, |sum, char| {
        if char.is_ascii_alphanumeric() || BASIC.contains(char) {
            Some(sum + 1)
        } else if EXTENDED.contains(char) {
            Some(sum + 2)
        } else {
            None
        }
    });
    let (encoding, units, alone, joined) = match septets {
        Some(units) => ("gsm7", units, 160, 153),
        None => ("ucs2", text.encode_utf16().count(), 70, 67),
    };
    let count = if units <= alone { 1 } else { units.div_ceil(joined) };
    Segments { encoding, count: u16::try_from(count).unwrap_or(u16::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_borders_between_segments_are_where_the_standard_puts_them() {
        let told = |text: &str| {
            let Segments { encoding, count } = segments(text);
            (encoding, count)
        };
        assert_eq!(told(""), ("gsm7", 1));
        assert_eq!(
            (told(&"a".repeat(160)), told(&"a".repeat(161)), told(&"a".repeat(307))),
            (("gsm7", 1), ("gsm7", 2), ("gsm7", 3))
        );
        assert_eq!((told(&"€".repeat(80)), told(&"€".repeat(81))), (("gsm7", 1), ("gsm7", 2)));
        assert_eq!(
            (told(&"ж".repeat(70)), told(&"ж".repeat(71)), told("😀")),
            (("ucs2", 1), ("ucs2", 2), ("ucs2", 1))
        );
        assert_eq!(told(&"😀".repeat(36)), ("ucs2", 2), "a surrogate pair counts twice");
    }
}
