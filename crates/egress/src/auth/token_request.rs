//! The request for an access token, and its answer.

use std::time::{Duration, SystemTime};

use hermes_ports::{
    egress::EgressError,
    http::{HttpResponse, Method},
};
use reqwest::{
    Client,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde::Deserialize;
use tokio::time::timeout;
use url::Url;

use super::token::Token;
use crate::exchange;

/// Longest wait for the endpoint.
const LIMIT: Duration = Duration::from_secs(10);
/// Largest answer; tokens are about 1 KiB.
const ANSWER_MAX_BYTES: usize = 64 * 1024;
/// Lifetime of a token that comes without one (RFC 6749 section 5.1 only recommends it).
const LIFETIME_DEFAULT_S: u64 = 3600;
/// Longest lifetime that is believed.
const LIFETIME_MAX_S: u64 = 24 * 3600;
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct Denied {
    error: String,
}

/// Exchanges `assertion` for a token that counts as obtained at `asked_at`.
///
/// # Errors
/// `Credentials` when the endpoint refuses the account, `Token` when it fails, `Refused` by the guard.
/// All of them mean that the provider has been sent nothing.
pub(crate) async fn exchange_assertion(
    client: Client,
    endpoint: Url,
    assertion: String,
    asked_at: SystemTime,
) -> Result<Token, EgressError> {
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    let request = exchange::request(Method::Post, endpoint, headers, body(&assertion).into());
    match timeout(LIMIT, exchange::run(&client, request, ANSWER_MAX_BYTES)).await {
        Ok(Ok(response)) => read_answer(&response, asked_at),
        Ok(Err(EgressError::Refused(why))) => Err(EgressError::Refused(why)),
        Ok(Err(error)) => Err(EgressError::Token(error.to_string())),
        Err(_) => Err(EgressError::Token("the endpoint did not answer in time".into())),
    }
}

fn body(assertion: &str) -> String {
    let mut form = form_urlencoded::Serializer::new(String::with_capacity(assertion.len() + 96));
    form.append_pair("grant_type", GRANT_TYPE).append_pair("assertion", assertion).finish()
}

fn read_answer(response: &HttpResponse, asked_at: SystemTime) -> Result<Token, EgressError> {
    if response.status != 200 {
        return Err(refusal(response));
    }
    let malformed = || EgressError::Token("the endpoint's answer cannot be read".into());
    let granted: Granted = serde_json::from_slice(&response.body).map_err(|_| malformed())?;
    let lifetime_s = granted.expires_in.unwrap_or(LIFETIME_DEFAULT_S).min(LIFETIME_MAX_S);
    if lifetime_s == 0 || granted.access_token.is_empty() {
        return Err(malformed());
    }
    let bearer = format!("Bearer {}", granted.access_token);
    let mut authorization = HeaderValue::try_from(bearer).map_err(|_| malformed())?;
    authorization.set_sensitive(true);
    Ok(Token::new(authorization, asked_at, Duration::from_secs(lifetime_s)))
}

/// Tells a refused account, which stays refused, from an endpoint in trouble.
fn refusal(response: &HttpResponse) -> EgressError {
    // The codes of RFC 6749 section 5.2. Only known codes are repeated: the rest is foreign text.
    const OF_THE_ACCOUNT: [&str; 6] = [
        "invalid_grant",
        "invalid_client",
        "invalid_scope",
        "invalid_request",
        "unauthorized_client",
        "unsupported_grant_type",
    ];
    let denied = serde_json::from_slice::<Denied>(&response.body).ok();
    let code = denied.and_then(|denied| OF_THE_ACCOUNT.into_iter().find(|code| *code == denied.error));
    match (response.status, code) {
        (400 | 401 | 403, Some(code)) => {
            EgressError::Credentials(format!("the token endpoint refused the service account: {code}"))
        }
        (status, _) => EgressError::Token(format!("the endpoint answered {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Result<Token, EgressError> {
        let response = HttpResponse { status, headers: Vec::new(), body: body.to_owned().into() };
        read_answer(&response, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn the_body_is_that_of_the_vector() {
        let vector: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/vectors/service_account.json")).unwrap();
        let assertion = vector["assertion"].as_str().unwrap();
        assert_eq!(body(assertion), vector["token_request_body"].as_str().unwrap());
    }

    #[test]
    fn a_refused_account_is_told_from_an_endpoint_in_trouble() {
        let refused =
            answer(400, r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#);
        let text = "the token endpoint refused the service account: invalid_grant";
        assert_eq!(refused.unwrap_err(), EgressError::Credentials(text.into()));
        for (status, body) in [(400, r#"{"error":"internal_failure"}"#), (500, ""), (429, "{}"), (302, "")] {
            assert_eq!(
                answer(status, body).unwrap_err(),
                EgressError::Token(format!("the endpoint answered {status}"))
            );
        }
    }

    #[test]
    fn answers_without_a_usable_token_are_failures() {
        for body in [
            "",
            "{}",
            r#"{"access_token":""}"#,
            r#"{"access_token":"a\nb"}"#,
            r#"{"access_token":"a","expires_in":0}"#,
        ] {
            assert!(matches!(answer(200, body), Err(EgressError::Token(_))), "{body}");
        }
        let token =
            answer(200, r#"{"access_token":"ya29.a","expires_in":3599,"token_type":"Bearer"}"#).unwrap();
        assert_eq!(token.authorization(), "Bearer ya29.a");
        assert_eq!(format!("{token:?}"), "Token { lifetime: 3599s, .. }");
    }
}
