//! AWS Signature Version 4.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{self, SignableBody, SignableRequest, SigningSettings},
    sign::v4,
};
use hermes_ports::{adapter::Secrets, egress::EgressError, http::Method};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::credential;

/// What a signature is made with: names of credentials, region and signing name of the service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SigningNames<'a> {
    pub(crate) access_key_id: &'a str,
    pub(crate) secret_access_key: &'a str,
    pub(crate) session_token: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

/// Signs the request: adds `x-amz-date`, `x-amz-security-token` with temporary credentials, and
/// `authorization`.
///
/// Covered are host, path, query, body, `content-type` and every `x-amz-` header. The default settings of
/// the crate encode the path once more, as all services but S3 want it.
///
/// # Errors
/// `Credentials` when one is missing or the request cannot be signed.
pub(crate) fn sign(
    headers: &mut HeaderMap,
    secrets: &Secrets,
    names: SigningNames<'_>,
    (method, url, body): (Method, &Url, &[u8]),
    now: SystemTime,
) -> Result<(), EgressError> {
    let identity = Credentials::new(
        credential(secrets, names.access_key_id)?,
        credential(secrets, names.secret_access_key)?,
        secrets.get(names.session_token).map(str::to_owned),
        None,
        "hermes",
    )
    .into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(names.region)
        .name(names.service)
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .map_err(|_| unsigned())?
        .into();
    let signed_headers = headers.iter().filter(|(name, _)| is_signed(name));
    let signed_headers =
        signed_headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let request =
        SignableRequest::new(method.as_str(), url.as_str(), signed_headers, SignableBody::Bytes(body))
            .map_err(|_| unsigned())?;
    let (instructions, _signature) =
        http_request::sign(request, &params).map_err(|_| unsigned())?.into_parts();
    for header in instructions.into_parts().0 {
        let mut value = HeaderValue::from_str(header.value()).map_err(|_| unsigned())?;
        value.set_sensitive(header.sensitive());
        headers.insert(HeaderName::from_static(header.name()), value);
    }
    Ok(())
}

/// The signer's own headers are left to it, whatever the adapter put there.
fn is_signed(name: &HeaderName) -> bool {
    let own = matches!(name.as_str(), "x-amz-date" | "x-amz-security-token");
    *name == CONTENT_TYPE || (name.as_str().starts_with("x-amz-") && !own)
}

fn unsigned() -> EgressError {
    EgressError::Credentials("the request could not be signed".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use reqwest::header::AUTHORIZATION;
    use serde_json::Value;

    use super::*;

    /// 2026-01-02T03:04:05Z, the time of every vector.
    const VECTOR_TIME_S: u64 = 1_767_323_045;

    const NAMES: SigningNames<'_> = SigningNames {
        access_key_id: "id",
        secret_access_key: "secret",
        session_token: "session",
        region: "eu-west-1",
        service: "ses",
    };

    fn vectors() -> Vec<Value> {
        serde_json::from_str(include_str!("../../tests/vectors/sigv4.json")).unwrap()
    }

    fn sign_vector(vector: &Value, headers: &mut HeaderMap) {
        let text = |key: &str| vector[key].as_str();
        let pairs = [
            ("id", text("access_key_id")),
            ("secret", text("secret_access_key")),
            ("session", text("session_token")),
        ];
        let known = pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        let method = if text("method") == Some("POST") { Method::Post } else { Method::Get };
        let url = Url::parse(text("url").unwrap()).unwrap();
        let body = text("body").unwrap().as_bytes();
        let now = UNIX_EPOCH + Duration::from_millis(VECTOR_TIME_S * 1000 + 678);
        sign(headers, &Secrets(known.collect()), NAMES, (method, &url, body), now).unwrap();
    }

    #[test]
    fn every_vector_gets_its_exact_authorization() {
        for vector in vectors() {
            let mut headers = HeaderMap::new();
            if let Some(content_type) = vector["headers_signed"]["content-type"].as_str() {
                headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
            }
            // Not covered by the signature: proxies may change it.
            headers.insert("user-agent", "hermes".parse().unwrap());
            sign_vector(&vector, &mut headers);
            let got = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
            assert_eq!(got("authorization"), vector["authorization"].as_str(), "{}", vector["name"]);
            assert_eq!(got("x-amz-date"), vector["amz_date"].as_str());
            assert_eq!(got("x-amz-security-token"), vector["session_token"].as_str());
        }
        assert_eq!(vectors().len(), 4);
    }

    #[test]
    fn an_adapter_cannot_choose_date_or_session_token() {
        let vector = &vectors()[1];
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, "application/json".parse().unwrap());
        headers.append("x-amz-date", "20000101T000000Z".parse().unwrap());
        headers.append("x-amz-date", "20000102T000000Z".parse().unwrap());
        headers.append("x-amz-security-token", "mine".parse().unwrap());
        sign_vector(vector, &mut headers);
        assert_eq!(headers[AUTHORIZATION], vector["authorization"].as_str().unwrap());
        assert_eq!(headers.get_all("x-amz-date").iter().count(), 1);
    }

    #[test]
    fn a_missing_key_is_named() {
        let url = Url::parse("https://email.eu-west-1.amazonaws.com/").unwrap();
        let refusal =
            sign(&mut HeaderMap::new(), &Secrets::default(), NAMES, (Method::Get, &url, &[]), UNIX_EPOCH);
        assert_eq!(refusal, Err(EgressError::Credentials("the credential id is missing".into())));
    }
}
