//! Which hosts a guest's request may name: those of its descriptor, and the connection's `base_url`.
//!
//! The egress decides again, on the parsed URL and on addresses. Here the text is compared as it stands,
//! so nothing depends on how a URL is read: another spelling of a host is a foreign host.

/// Scheme and authority of a URL, split at the first `/`, `?` or `#`.
fn origin(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    rest.split(['/', '?', '#']).next().map(|authority| (scheme, authority))
}

/// The authority without the port that its scheme has anyway.
fn without_usual_port<'a>((scheme, authority): (&str, &'a str)) -> &'a str {
    let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    authority.strip_suffix(port).unwrap_or(authority)
}

/// Whether `url` goes to one of `hosts` on its scheme's own port, or to the origin of `base_url`.
pub(crate) fn allows(hosts: &[String], base_url: Option<&str>, url: &str) -> bool {
    let Some(wanted) = origin(url) else { return false };
    let host = without_usual_port(wanted);
    let is_base = base_url.and_then(origin).is_some_and(|base| {
        base.0.eq_ignore_ascii_case(wanted.0) && without_usual_port(base).eq_ignore_ascii_case(host)
    });
    is_base || hosts.iter().any(|pattern| covers(pattern, host))
}

/// Whether `pattern` covers `host`: `*.` in front stands for exactly one label.
fn covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        None => pattern.eq_ignore_ascii_case(host),
        Some(rest) => host
            .split_once('.')
            .is_some_and(|(label, parent)| is_label(label) && rest.eq_ignore_ascii_case(parent)),
    }
}

/// Letters, digits and hyphens: whatever else a URL may hold before its first dot is no name.
fn is_label(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reaches(base_url: Option<&str>, url: &str) -> bool {
        let hosts = ["api.acme.example".to_owned(), "*.cdn.example".to_owned()];
        allows(&hosts, base_url, url)
    }

    #[test]
    fn declared_hosts_and_base_url_are_reached_in_any_case_on_their_own_port() {
        for url in [
            "https://api.acme.example",
            "https://API.acme.example:443/x",
            "http://api.acme.example:80?x",
            "https://a.cdn.example/x#y",
        ] {
            assert!(reaches(None, url), "{url}");
        }
        let base = Some("http://Localhost:8090/twilio");
        assert!(reaches(base, "http://localhost:8090/x") && reaches(base, "https://api.acme.example/"));
        assert!(reaches(Some("https://proxy.example:443"), "https://proxy.example/x"));
    }

    #[test]
    fn other_spellings_are_other_hosts() {
        for url in [
            "https://api.acme.example./",
            "https://api.acme.example:8443/",
            "https://api.acme.example:80/",
            "https://api.acme.example@evil.example/",
            "https://api.acme.example.evil.example/",
            "https://a.b.cdn.example/",
            "https://cdn.example/",
            "https://.cdn.example/",
            "https://evil@cdn.example/",
            "https://a:b@x.cdn.example/",
            "https://%61pi.acme.example/",
            "https://2130706433/",
            "api.acme.example",
            "",
        ] {
            assert!(!reaches(None, url), "{url}");
        }
        let base = Some("http://localhost:8090/x");
        for url in ["https://localhost:8090/", "http://localhost/", "http://localhost:80901/"] {
            assert!(!reaches(base, url), "{url}");
        }
        assert!(!reaches(Some("no url"), "https://evil.example/"));
    }
}
