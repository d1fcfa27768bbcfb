//! Guests' log lines without what looks like an address.

/// Longest line, in characters.
const LINE_CHARS_MAX: usize = 512;
/// Digits in a row that may be a phone number.
const DIGITS_MIN: usize = 6;

/// `line` on one line, cut, with words that hold an `@` or many digits replaced.
pub(crate) fn masked(line: &str) -> String {
    let cut: String =
        line.chars().map(|char| if char.is_control() { ' ' } else { char }).take(LINE_CHARS_MAX).collect();
    cut.split(' ').map(|word| if looks_private(word) { "***" } else { word }).collect::<Vec<_>>().join(" ")
}

fn looks_private(word: &str) -> bool {
    word.contains('@') || word.chars().filter(char::is_ascii_digit).count() >= DIGITS_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_line_breaks_do_not_reach_the_log() {
        assert_eq!(
            masked("sent to +4520123456,\r\nand a@example.dk in 12 ms"),
            "sent to ***  and *** in 12 ms"
        );
        assert_eq!(masked(&"x".repeat(9_000)).len(), LINE_CHARS_MAX);
    }
}
