//! The hosts that an adapter declares.

/// Whether `pattern` covers `host`.
///
/// Without `*` it must be equal, letter case aside. A label that is `*` stands for exactly one label, as
/// in `*.api.example.com` or `email.*.amazonaws.com`. The last two labels must be spelt out, so that no
/// adapter can declare the whole internet.
pub(crate) fn covers(pattern: &str, host: &str) -> bool {
    if !pattern.contains('*') {
        return pattern.eq_ignore_ascii_case(host);
    }
    let literal_end = pattern.rsplit('.').take(2).filter(|label| !label.is_empty() && !label.contains('*'));
    if literal_end.count() < 2 {
        return false;
    }
    let (mut wanted, mut given) = (pattern.split('.'), host.split('.'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some("*"), Some(label)) if !label.is_empty() => {}
            (Some(want), Some(label)) if want.eq_ignore_ascii_case(label) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_star_is_one_label() {
        assert!(covers("api.twilio.com", "api.twilio.com"));
        assert!(covers("API.twilio.com", "api.twilio.com"));
        assert!(covers("*.twilio.com", "api.twilio.com"));
        assert!(covers("email.*.amazonaws.com", "email.eu-west-1.amazonaws.com"));
        for foreign in
            ["twilio.com", "a.b.twilio.com", "api.twilio.com.evil.example", ".twilio.com", "eviltwilio.com"]
        {
            assert!(!covers("*.twilio.com", foreign), "{foreign}");
        }
        assert!(!covers("api.twilio.com", "api.twilio.com."));
    }

    #[test]
    fn a_pattern_must_spell_out_its_last_two_labels() {
        for greedy in ["*", "*.com", "*.*", "*.*.com", "*.", "*.com.", "a*.com", "*.exa*ple.com"] {
            assert!(!covers(greedy, "example.com"), "{greedy}");
            assert!(!covers(greedy, "www.example.com"), "{greedy}");
        }
    }
}
