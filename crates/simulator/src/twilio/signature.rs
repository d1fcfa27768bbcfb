//! `X-Twilio-Signature`: HMAC-SHA1 over the URL and the sorted parameters, keyed with the auth token.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::hmac;

/// Signs a form request to `url`, spelled exactly as configured. Parameters come in any order; of repeated
/// names each distinct value counts once.
pub(super) fn sign<'a>(
    auth_token: &str,
    url: &str,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, auth_token.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(url.as_bytes());
    for (name, value) in parameters.into_iter().collect::<BTreeSet<_>>() {
        context.update(name.as_bytes());
        context.update(value.as_bytes());
    }
    STANDARD.encode(context.sign())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS_URL: &str = "https://hermes.example.com/webhooks/twilio/status?tenant=acme&m=42";
    const ACCOUNT: &str = "AC00000000000000000000000000000001";
    const MESSAGE: &str = "SM00000000000000000000000000000001";

    fn status<'a>(status: &'a str, extra: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let mut parameters = vec![
            ("To", "+447700900123"),
            ("AccountSid", ACCOUNT),
            ("ApiVersion", "2010-04-01"),
            ("From", "+15005550006"),
            ("MessageSid", MESSAGE),
            ("MessageStatus", status),
            ("RawDlrDoneDate", "2611240159"),
            ("SmsSid", MESSAGE),
            ("SmsStatus", status),
        ];
        parameters.extend_from_slice(extra);
        parameters
    }

    /// Vectors V1 to V5 and V8, made with Twilio's own Python SDK 9.13.0.
    #[test]
    fn the_official_sdk_agrees() {
        let with_port = STATUS_URL.replace(".com/", ".com:443/");
        let read = format!("{STATUS_URL}&MessageStatus=sent");
        let inbound = [
            ("AccountSid", ACCOUNT),
            ("Body", "  Stöp & gö = ok "),
            ("From", "+447700900123"),
            ("FromCity", ""),
            ("MessageSid", MESSAGE),
            ("NumMedia", "0"),
            ("OptOutType", "STOP"),
            ("To", "+15005550006"),
        ];
        let repeated = [("MediaUrl", "b"), ("MediaUrl", "a"), ("MediaUrl", "b"), ("X", "1")];
        let cases = [
            (STATUS_URL, status("delivered", &[]), "bFb7PJg/NFQlXt3lXNbMAYe7Dkg="),
            (&with_port, status("delivered", &[]), "k/Ls1UKk6kY7wnSfgV1c5RqZi0k="),
            (STATUS_URL, status("undelivered", &[("ErrorCode", "30003")]), "/GBMJ0nAYD1a8fevSv0LWi4MMLI="),
            (
                "https://hermes.example.com/webhooks/twilio/inbound",
                inbound.to_vec(),
                "rNEc1pq9wASwdpDCPsJmTvHW1e4=",
            ),
            (&read, Vec::new(), "4XrEriYbGBvdqloI9p7YbtI6izM="),
            ("https://hermes.example.com/w", repeated.to_vec(), "INXec+veUsUmAmNWatiMj8dKfMw="),
        ];
        for (url, parameters, expected) in cases {
            assert_eq!(sign("12345", url, parameters), expected, "{url}");
        }
    }
}
