//! Watches everything that an adapter lets out: whom it calls, and whether a credential is in it.

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use hermes_ports::{
    adapter::{ConnectionAccess, Descriptor},
    http::HttpRequest,
};

/// Shorter values occur by chance.
const SECRET_BYTES_MIN: usize = 8;

/// A connection as the kit plays it, with the texts that must not get out.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) access: ConnectionAccess,
    needles: Vec<Needle>,
}

/// A credential's value in one spelling.
#[derive(Debug)]
struct Needle {
    credential: String,
    text: String,
}

impl Seat {
    /// Identifiers, which the descriptor marks as public, are no secrets.
    pub(crate) fn new(access: ConnectionAccess, descriptor: &Descriptor) -> Self {
        let is_public = |name: &str| descriptor.credentials.iter().any(|it| it.public && it.name == name);
        let secrets = access
            .secrets
            .0
            .iter()
            .filter(|(name, value)| !is_public(name) && value.len() >= SECRET_BYTES_MIN);
        let needles = secrets.flat_map(|(name, value)| {
            let texts = BTreeSet::from(spellings(value));
            texts.into_iter().map(|text| Needle { credential: name.clone(), text })
        });
        let needles = needles.collect();
        Self { access, needles }
    }
}

/// As it is, and as it would stand in JSON, in a form, and at the start of something in base64.
fn spellings(value: &str) -> [String; 4] {
    let json = serde_json::Value::from(value).to_string();
    let form: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let base64 = BASE64_STANDARD_NO_PAD.encode(value);
    // The last characters depend on what follows.
    let base64 = base64[..base64.len() - 2].to_owned();
    [value.to_owned(), json.trim_matches('"').to_owned(), form, base64]
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) hosts: BTreeSet<String>,
    pub(crate) requests: u64,
    pub(crate) undeclared: Vec<String>,
    /// Whether calls are made on behalf of webhooks that nobody signed.
    pub(crate) forging: bool,
    /// Undeclared hosts that such webhooks named.
    pub(crate) lured: BTreeSet<String>,
    pub(crate) leaks: Vec<String>,
}

impl Watch {
    /// Looks at a request.
    pub(crate) fn request(
        &mut self,
        seat: &Seat,
        descriptor: &Descriptor,
        doing: &str,
        request: &HttpRequest,
    ) {
        self.requests += 1;
        self.host(seat, descriptor, doing, &request.url);
        self.text(seat, doing, "a URL", &request.url);
        for (name, value) in &request.headers {
            self.text(seat, doing, "a header", name);
            self.text(seat, doing, "a header", value);
        }
        self.text(seat, doing, "a body", &String::from_utf8_lossy(&request.body));
    }

    /// Looks at any other text; `what` it is stands in the report.
    pub(crate) fn text(&mut self, seat: &Seat, doing: &str, what: &str, text: &str) {
        for needle in seat.needles.iter().filter(|needle| text.contains(&needle.text)) {
            self.leaks.push(format!("{doing}: the value of `{}` stands in {what}", needle.credential));
        }
    }

    fn host(&mut self, seat: &Seat, descriptor: &Descriptor, doing: &str, url: &str) {
        let base = seat.access.connection.setting("base_url").map(origin);
        if base.is_some_and(|base| base == origin(url)) {
            return; // An operator's own choice.
        }
        let host = declared_host(url).unwrap_or_default();
        if descriptor.hosts.iter().any(|pattern| covers(pattern, host)) {
            if !self.forging {
                self.hosts.insert(host.to_owned());
            }
        } else if self.forging {
            self.lured.insert(origin(url).to_owned());
        } else {
            self.undeclared.push(format!("{doing}: {} is called and not declared", origin(url)));
        }
    }

    /// Declared hosts without a wildcard that were never called.
    pub(crate) fn unused<'a>(&self, descriptor: &'a Descriptor) -> Vec<&'a str> {
        let plain = descriptor.hosts.iter().filter(|host| !host.starts_with("*."));
        plain.filter(|host| !self.hosts.contains(*host)).map(String::as_str).collect()
    }
}

/// Scheme, host and port.
fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    &url[..end]
}

/// The host of a URL that egress would let through to a declared host: https, no user, no other port.
fn declared_host(url: &str) -> Option<&str> {
    let host = origin(url).strip_prefix("https://")?;
    let host = host.strip_suffix(":443").unwrap_or(host);
    (!host.contains([':', '@'])).then_some(host)
}

/// Whether a declared pattern covers a host; `*.` stands for exactly one label.
fn covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        None => pattern == host,
        Some(rest) => host.split_once('.').is_some_and(|(label, tail)| !label.is_empty() && tail == rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_covered_as_egress_covers_them() {
        assert!(covers("api.acme.example", "api.acme.example"));
        assert!(covers("*.acme.example", "eu.acme.example"));
        for other in ["acme.example", "a.b.acme.example", ".acme.example", "eu.acme.example.evil.example"] {
            assert!(!covers("*.acme.example", other), "{other}");
        }
        assert_eq!(declared_host("https://api.acme.example:443/x?y"), Some("api.acme.example"));
        for url in ["http://api.acme.example/", "https://api.acme.example:8443/", "https://a@b.example/"] {
            assert_eq!(declared_host(url), None, "{url}");
        }
        assert_eq!(origin("http://127.0.0.1:9?x=/"), "http://127.0.0.1:9");
    }

    #[test]
    fn a_value_is_known_in_every_spelling() {
        let [plain, json, form, base64] = spellings("pass \"word\"");
        assert_eq!(
            (plain.as_str(), json.as_str(), form.as_str()),
            ("pass \"word\"", "pass \\\"word\\", "pass+%22word%22")
        );
        let basic = base64::prelude::BASE64_STANDARD.encode("pass \"word\"\n");
        assert!(basic.contains(&base64), "{basic} {base64}");
    }
}
