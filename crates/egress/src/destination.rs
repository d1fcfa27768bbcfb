//! Where a request may go, by who asks.

use hermes_domain::{connection::Connection, message::Mode};
use hermes_ports::egress::{Caller, EgressError, is_webhook_port};
use url::Url;

use crate::host_pattern::covers;

/// Longest URL, in bytes. Providers' own limits are lower.
const URL_MAX_BYTES: usize = 8 * 1024;
/// The setting of a connection that replaces its provider's origin.
const BASE_URL: &str = "base_url";

/// Reads `text` and holds it against the hosts that `caller` may address.
///
/// # Errors
/// `Refused`. The reason never repeats the URL: its path and query may carry addresses.
pub(crate) fn admit(caller: &Caller<'_>, text: &str) -> Result<Url, EgressError> {
    let url = parse(text)?;
    match caller {
        Caller::TenantWebhook if url.port_or_known_default().is_some_and(is_webhook_port) => Ok(url),
        Caller::TenantWebhook => Err(refused("the port is not one for webhooks")),
        Caller::Adapter { access, hosts } => {
            let connection = &access.connection;
            let declared = match connection.mode {
                Mode::Live => is_declared(hosts, &url),
                Mode::Test => false,
            };
            if declared || leads_to_base_url(connection, &url) {
                return Ok(url);
            }
            Err(refused(match connection.mode {
                Mode::Live => "the host is neither declared by the adapter nor that of base_url",
                Mode::Test => TEST_ONLY,
            }))
        }
    }
}

/// Holds the endpoint that tokens for `connection` come from against what it may reach: live ones go wherever the
/// guard lets them, because the operator wrote the address.
///
/// # Errors
/// `Refused`.
pub(crate) fn admit_tokens(connection: &Connection, endpoint: &Url) -> Result<(), EgressError> {
    match connection.mode {
        Mode::Live => Ok(()),
        Mode::Test if leads_to_base_url(connection, endpoint) => Ok(()),
        Mode::Test => Err(refused(TEST_ONLY)),
    }
}

/// `base_url` of a test connection is the simulator's.
const TEST_ONLY: &str = "a test connection reaches nothing but its base_url";

fn leads_to_base_url(connection: &Connection, url: &Url) -> bool {
    connection.setting(BASE_URL).is_some_and(|base| has_origin_of(url, base))
}

/// Reads an absolute URL that carries no credentials.
///
/// # Errors
/// `Refused`.
pub(crate) fn parse(text: &str) -> Result<Url, EgressError> {
    if text.len() > URL_MAX_BYTES {
        return Err(refused("the URL is too long"));
    }
    let mut url = Url::parse(text).map_err(|_| refused("the URL cannot be read"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("the URL holds credentials"));
    }
    url.set_fragment(None);
    Ok(url)
}

/// Declared hosts are spoken to on their scheme's own port only.
fn is_declared(hosts: &[String], url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    url.port().is_none() && hosts.iter().any(|pattern| covers(pattern, host))
}

fn has_origin_of(url: &Url, base: &str) -> bool {
    let Ok(base) = Url::parse(base) else { return false };
    base.has_host()
        && base.scheme() == url.scheme()
        && base.host() == url.host()
        && base.port_or_known_default() == url.port_or_known_default()
}

fn refused(why: &str) -> EgressError {
    EgressError::Refused(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(url: &str, base: &str) -> bool {
        has_origin_of(&parse(url).unwrap(), base)
    }

    #[test]
    fn base_url_allows_its_origin_and_no_other() {
        assert!(origin("https://sms.example/a/b?c=d", "https://SMS.example:443/base"));
        assert!(origin("http://127.0.0.1:9001/x", "http://127.0.0.1:9001"));
        assert!(!origin("http://sms.example/", "https://sms.example/"));
        assert!(!origin("https://sms.example:8443/", "https://sms.example/"));
        assert!(!origin("https://sms.example.evil.example/", "https://sms.example"));
        assert!(!origin("https://sms.example/", "sms.example"));
    }

    #[test]
    fn a_declared_host_is_spoken_to_on_its_usual_port() {
        let hosts = ["api.example.com".to_owned()];
        assert!(is_declared(&hosts, &parse("https://api.example.com/x").unwrap()));
        assert!(is_declared(&hosts, &parse("https://api.example.com:443/x").unwrap()));
        assert!(!is_declared(&hosts, &parse("https://api.example.com:22/x").unwrap()));
    }

    #[test]
    fn urls_with_credentials_or_without_sense_are_refused() {
        for text in
            ["https://user@api.example.com/", "https://:pw@api.example.com/", "api.example.com", "https://"]
        {
            assert!(matches!(parse(text), Err(EgressError::Refused(_))), "{text}");
        }
        let long = format!("https://api.example.com/{}", "x".repeat(URL_MAX_BYTES));
        assert!(matches!(parse(&long), Err(EgressError::Refused(_))));
        assert_eq!(parse("https://a.example/x#secret").unwrap().as_str(), "https://a.example/x");
    }
}
