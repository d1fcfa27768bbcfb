//! Credentials that are sent as they are: basic, bearer, a header of their own.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hermes_ports::{adapter::Secrets, egress::EgressError};
use reqwest::header::{AUTHORIZATION, HeaderMap};

use super::{credential, sensitive};
use crate::headers::read_name;

/// RFC 7617; `user` and `password` name credentials.
pub(crate) fn basic(
    headers: &mut HeaderMap,
    secrets: &Secrets,
    user: &str,
    password: &str,
) -> Result<(), EgressError> {
    let (user_id, secret) = (credential(secrets, user)?, credential(secrets, password)?);
    if user_id.contains(':') {
        return Err(EgressError::Credentials(format!("the credential {user} holds a colon")));
    }
    let mut value = "Basic ".to_owned();
    STANDARD.encode_string(format!("{user_id}:{secret}"), &mut value);
    headers.insert(AUTHORIZATION, sensitive(value, user)?);
    Ok(())
}

/// RFC 6750; `token` names a credential.
pub(crate) fn bearer(headers: &mut HeaderMap, secrets: &Secrets, token: &str) -> Result<(), EgressError> {
    let value = sensitive(format!("Bearer {}", credential(secrets, token)?), token)?;
    headers.insert(AUTHORIZATION, value);
    Ok(())
}

/// A header of the provider's own invention; `value` names a credential.
pub(crate) fn header(
    headers: &mut HeaderMap,
    secrets: &Secrets,
    name: &str,
    value: &str,
) -> Result<(), EgressError> {
    let name = read_name(name)?;
    headers.insert(name, sensitive(credential(secrets, value)?.to_owned(), value)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        let pairs = [("user", "Aladdin"), ("password", "open sesame"), ("odd", "a:b"), ("broken", "a\r\nb")];
        Secrets(pairs.map(|(name, value)| (name.into(), value.into())).into())
    }

    #[test]
    fn basic_follows_the_example_of_its_rfc() {
        let mut headers = HeaderMap::new();
        basic(&mut headers, &secrets(), "user", "password").unwrap();
        let value = &headers[AUTHORIZATION];
        assert_eq!(value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(value.is_sensitive());
    }

    #[test]
    fn bearer_and_own_headers_carry_the_named_credential() {
        let mut headers = HeaderMap::new();
        bearer(&mut headers, &secrets(), "user").unwrap();
        header(&mut headers, &secrets(), "X-Api-Key", "password").unwrap();
        assert_eq!(
            (&headers[AUTHORIZATION], &headers["x-api-key"]),
            (&"Bearer Aladdin".parse().unwrap(), &"open sesame".parse().unwrap())
        );
    }

    #[test]
    fn unusable_credentials_are_named_and_never_shown() {
        let headers = &mut HeaderMap::new();
        let missing = bearer(headers, &secrets(), "token").unwrap_err();
        assert_eq!(missing, EgressError::Credentials("the credential token is missing".into()));
        let refusals = [
            basic(headers, &secrets(), "odd", "password"),
            bearer(headers, &secrets(), "broken"),
            header(headers, &secrets(), "x-api-key", "broken"),
            header(headers, &secrets(), "Host", "user"),
        ];
        for refusal in refusals {
            let text = refusal.unwrap_err().to_string();
            assert!(!text.contains("sesame") && !text.contains("a:b") && !text.contains("a\r"), "{text}");
        }
        assert!(headers.is_empty());
    }
}
