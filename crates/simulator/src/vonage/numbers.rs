//! Phone numbers and sender names, as both APIs write them.

/// E.164 without a plus: 7 to 15 digits, the first not zero.
pub(super) fn is_number(text: &str) -> bool {
    (7..=15).contains(&text.len()) && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// At most 15 digits, or letters and digits of which at most 11 are not spaces.
pub(super) fn is_sender(text: &str) -> bool {
    let counted = text.bytes().filter(|byte| *byte != b' ').count();
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_alphanumeric());
    let length_max = if is_digits { 15 } else { 11 };
    is_name && (1..=length_max).contains(&counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_plus() {
        for number in ["4520123456", "4520129", "447700900000000"] {
            assert!(is_number(number), "{number}");
        }
        for text in ["", "+4520123456", "004520123456", "452012", "4477009000000000", "45 20123456", "ACME"] {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn senders_are_short_names_or_numbers() {
        for sender in ["AcmeInc", "A c m e I n c 1 2", "12345", "447700900000000"] {
            assert!(is_sender(sender), "{sender}");
        }
        for text in ["", "  ", "twelve letters", "AcmeInc.", "+447700900000", "4477009000000000", "Åse"] {
            assert!(!is_sender(text), "{text}");
        }
    }
}
