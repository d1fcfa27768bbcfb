//! Rules for what a guest hands over: requests, and how many of them an attempt may make.

use hermes_domain::connection::Connection;
use hermes_ports::{
    adapter::{AdapterFault, Descriptor},
    http::{AuthScheme, HttpRequest, RequestEffect},
};

use crate::reach;

const URL_BYTES_MAX: usize = 8 << 10;
const HEADERS_MAX: usize = 32;
const HEADER_BYTES_MAX: usize = 4 << 10;
const CLAIMS_MAX: usize = 16;
/// Claims that the host sets.
const HOST_CLAIMS: [&str; 3] = ["iat", "exp", "jti"];
/// Headers that belong to the host or could change how a message is framed.
const FORBIDDEN_HEADERS: [&str; 13] = [
    "authorization",
    "proxy-authorization",
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "keep-alive",
    "cookie",
    "x-forwarded-for",
];

/// How far an attempt has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Requests made so far.
    pub(crate) round: u8,
    /// Whether one of them submitted.
    pub(crate) submitted: bool,
    /// Whether this call may submit at all.
    pub(crate) may_submit: bool,
    /// Status of the latest answer.
    pub(crate) status: Option<u16>,
}

impl Progress {
    /// A call that may submit.
    pub(crate) const SUBMISSION: Self = Self { round: 0, submitted: false, may_submit: true, status: None };
    /// A call that may only read.
    pub(crate) const READING: Self = Self { round: 0, submitted: false, may_submit: false, status: None };

    /// The progress after one more request.
    ///
    /// # Errors
    /// `Contract` when the request may not be made.
    pub(crate) fn after(self, effect: RequestEffect, rounds_max: u8) -> Result<Self, AdapterFault> {
        if self.round >= rounds_max {
            return broken("it asked for more requests than one attempt may make");
        }
        // These two answers promise that nothing was processed.
        let may_repeat = matches!(self.status, Some(401 | 429));
        let submits = effect == RequestEffect::Submits;
        if submits && !self.may_submit {
            return broken("it wanted to submit where it may only read");
        }
        if submits && self.submitted && !may_repeat {
            return broken("it wanted to submit a second time");
        }
        Ok(Self { round: self.round + 1, submitted: self.submitted || submits, ..self })
    }
}

/// Checks where a request of a submission, a check or a lookup goes; the egress checks again, against
/// addresses. Requests for webhooks are left to the egress alone: there the URL (of a certificate) may be
/// a forger's, and refusing to fetch it is not the adapter's fault.
pub(crate) fn check_reach(
    request: &HttpRequest,
    descriptor: &Descriptor,
    connection: &Connection,
) -> Result<(), AdapterFault> {
    if reach::allows(&descriptor.hosts, connection.setting("base_url"), &request.url) {
        return Ok(());
    }
    broken("a URL names a host that is neither declared nor that of base_url")
}

/// Checks everything else about a request.
pub(crate) fn check_request(request: &HttpRequest, descriptor: &Descriptor) -> Result<(), AdapterFault> {
    if !is_url(&request.url) {
        return broken("a URL is not plain http or https");
    }
    if request.headers.len() > HEADERS_MAX {
        return broken("a request has too many headers");
    }
    if !request.headers.iter().all(|(name, value)| is_header(name, value)) {
        return broken("a header is malformed or belongs to the host");
    }
    check_auth(&request.auth, descriptor)
}

/// Whether a URL is one that any client would ask: http or https, without users, spaces and other alphabets.
pub(crate) fn is_url(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    url.len() <= URL_BYTES_MAX
        && url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && !authority.is_empty()
        && !authority.contains('@')
}

fn is_token(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(allowed)
}

fn is_header(name: &str, value: &str) -> bool {
    let visible = |byte: u8| byte == b' ' || byte == b'\t' || byte.is_ascii_graphic();
    is_token(name)
        && name.len() + value.len() <= HEADER_BYTES_MAX
        && value.bytes().all(visible)
        && !FORBIDDEN_HEADERS.iter().any(|forbidden| forbidden.eq_ignore_ascii_case(name))
}

fn check_auth(auth: &AuthScheme, descriptor: &Descriptor) -> Result<(), AdapterFault> {
    let declared = |name: &str| descriptor.credentials.iter().any(|field| field.name == name);
    let word = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=40).contains(&text.len()) && text.bytes().all(plain)
    };
    let text = |text: &str| text.len() <= 400 && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    let allowed = match auth {
        AuthScheme::None => true,
        AuthScheme::Basic { user, password } => declared(user) && declared(password),
        AuthScheme::Bearer { token } => declared(token),
        AuthScheme::Header { name, value } => declared(value) && is_header(name, ""),
        AuthScheme::AwsSigV4 { access_key_id, secret_access_key, session_token, region, service } => {
            [access_key_id, secret_access_key, session_token].into_iter().all(|name| declared(name))
                && word(region)
                && word(service)
        }
        AuthScheme::GoogleServiceAccount { key, scope } => declared(key) && text(scope),
        AuthScheme::Jwt { key, claims, valid_for_s } => {
            let claim = |(name, value): &(String, String)| {
                text(name) && text(value) && !HOST_CLAIMS.contains(&name.as_str())
            };
            declared(key)
                && claims.len() <= CLAIMS_MAX
                && claims.iter().all(claim)
                && (1..=3_600).contains(valid_for_s)
        }
    };
    if allowed { Ok(()) } else { broken("a request names a credential that the adapter did not declare") }
}

/// The guest broke the contract.
pub(crate) fn broken<T>(what: &str) -> Result<T, AdapterFault> {
    Err(AdapterFault::Contract(what.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_attempt_submits_once_unless_nothing_was_processed() {
        let once = Progress::SUBMISSION.after(RequestEffect::Submits, 4).unwrap();
        assert_eq!((once.round, once.submitted), (1, true));
        for (status, allowed) in [(200, false), (500, false), (503, false), (401, true), (429, true)] {
            let next = Progress { status: Some(status), ..once }.after(RequestEffect::Submits, 4);
            assert_eq!(next.is_ok(), allowed, "{status}");
            assert!(Progress { status: Some(status), ..once }.after(RequestEffect::Safe, 4).is_ok());
        }
        assert!(Progress::READING.after(RequestEffect::Submits, 4).is_err());
        assert!(Progress { round: 4, ..Progress::READING }.after(RequestEffect::Safe, 4).is_err());
    }

    #[test]
    fn urls_and_headers_cannot_smuggle() {
        for good in ["https://api.twilio.com/x?y=%20#z", "http://127.0.0.1:8090"] {
            assert!(is_url(good), "{good}");
        }
        for bad in
            ["", "ftp://a.b", "https://", "https://a@b.c/", "https://a.b/\r\n", "https://a.b\\@c.d/", "//a.b"]
        {
            assert!(!is_url(bad), "{bad}");
        }
        for (name, value) in
            [("Host", "x"), ("CONTENT-length", "0"), ("a b", "x"), ("", "x"), ("x", "a\r\nb"), ("x", "é")]
        {
            assert!(!is_header(name, value), "{name}");
        }
        assert!(is_header("Content-Type", "application/json; charset=utf-8"));
    }
}
