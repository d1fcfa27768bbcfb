//! Phone numbers: the host speaks E.164 with a plus, providers write what they like.

/// Most digits of a number (ITU-T E.164, section 6).
const DIGITS_MAX: usize = 15;

/// A number as the host knows it: `+` and digits. Takes it with or without `+` or the international prefix `00`, and
/// with separators, as in `1 (555) 078-3881`. What is no number, such as an alphanumeric sender, stays as it is.
pub fn e164(number: &str) -> String {
    let plain: String = number.chars().filter(|char| !matches!(char, ' ' | '-' | '.' | '(' | ')')).collect();
    let digits = plain.strip_prefix('+').or_else(|| plain.strip_prefix("00")).unwrap_or(&plain);
    let is_number = digits.len() <= DIGITS_MAX
        && digits.starts_with(|first: char| first.is_ascii_digit() && first != '0')
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { format!("+{digits}") } else { number.to_owned() }
}

/// A number in E.164 without its plus, as Vonage and Meta want it; a sender that is no number stays as it is.
pub fn digits(number: &str) -> &str {
    number.strip_prefix('+').unwrap_or(number)
}
