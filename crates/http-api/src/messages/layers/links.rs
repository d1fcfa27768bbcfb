//! Hosts that a text leads to.

/// Public link shorteners. Carriers filter them, because many senders share one domain and none can be told from
/// another (CTIA, Messaging Principles and Best Practices, section 5.3, "shared public URL shorteners").
pub(super) const SHORTENERS: [&str; 14] = [
    "bit.ly",
    "buff.ly",
    "cutt.ly",
    "goo.gl",
    "is.gd",
    "ow.ly",
    "rb.gy",
    "rebrand.ly",
    "s.id",
    "shorturl.at",
    "t.co",
    "t.ly",
    "tiny.cc",
    "tinyurl.com",
];

/// Hosts in `text`, in lower case: of links with a scheme, and of words like `bit.ly/abc` that phones make links of.
pub(super) fn hosts(text: &str) -> impl Iterator<Item = String> {
    let between = |char: char| {
        char.is_whitespace() || matches!(char, '"' | '\'' | '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';')
    };
    text.split(between).filter_map(host)
}

/// Whether `host` is `domain` or below it.
pub(super) fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

fn host(word: &str) -> Option<String> {
    let start = word.char_indices().find_map(|(at, _)| {
        let rest = word.get(at..)?;
        let scheme =
            |name: &str| rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        ["https://", "http://"].into_iter().find(|name| scheme(name)).map(|name| &rest[name.len()..])
    });
    let has_scheme = start.is_some();
    let authority = start.unwrap_or(word).split(['/', '?', '#', '\\']).next()?;
    if !has_scheme && authority.contains('@') {
        return None; // A mail address.
    }
    let host = authority.rsplit('@').next()?.split(':').next()?.trim_end_matches('.');
    (host.contains('.') && !host.starts_with('.')).then(|| host.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_as_phones_find_them() {
        let text = "See https://Shop.Example/a?b=1, bit.ly/x or (HTTP://user@evil.example:8080). Mail a@b.dk. v1.2 end.";
        let found: Vec<_> = hosts(text).collect();
        assert_eq!(found, ["shop.example", "bit.ly", "evil.example", "v1.2"]);
        assert_eq!(hosts("<a href='https://t.co/1'>x</a>").collect::<Vec<_>>(), ["t.co"]);
        assert!(hosts("no links here.").next().is_none());
    }

    #[test]
    fn a_domain_covers_what_is_below_it_and_nothing_beside_it() {
        assert!(is_below("bit.ly", "bit.ly") && is_below("x.bit.ly", "bit.ly"));
        assert!(!is_below("rabbit.ly", "bit.ly") && !is_below("bit.ly.evil.example", "bit.ly"));
    }
}
