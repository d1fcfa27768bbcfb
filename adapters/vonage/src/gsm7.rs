//! The alphabet of ordinary SMS (3GPP TS 23.038): texts within it need no Unicode.

const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// Whether every character is in the alphabet or its extension.
pub(crate) fn fits(text: &str) -> bool {
    text.chars().all(|char| BASIC.contains(char) || EXTENDED.contains(char))
}

/// Places that a text within the alphabet takes: two for a character of the extension.
pub(crate) fn septets(text: &str) -> usize {
    text.chars().map(|char| if EXTENDED.contains(char) { 2 } else { 1 }).sum()
}
