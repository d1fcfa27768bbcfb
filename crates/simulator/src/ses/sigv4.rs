//! Checks AWS Signature Version 4 by computing it again from what was received.

use http::{HeaderMap, Method, Uri, header};
use ring::{digest, hmac};

use super::fault::Fault;
use crate::{
    SesAccount,
    clock::{self, UnixMillis},
    inbound::header_text,
};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "ses";
/// How far the caller's clock may be off.
const SKEW_MAX_MS: i64 = 5 * 60 * 1000;

/// The parts of an `Authorization` header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Authorization<'a> {
    pub(super) access_key_id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

/// What was signed.
#[derive(Debug)]
pub(super) struct Signed<'a> {
    pub(super) method: &'a Method,
    /// As sent on the wire.
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

impl<'a> Authorization<'a> {
    pub(super) fn parse(headers: &'a HeaderMap) -> Result<Self, Fault> {
        let text = header_text(headers, header::AUTHORIZATION).ok_or_else(|| {
            Fault::forbidden("MissingAuthenticationTokenException", "Missing Authentication Token")
        })?;
        let incomplete = || {
            Fault::forbidden(
                "IncompleteSignatureException",
                "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters.",
            )
        };
        let parameters = text.strip_prefix(ALGORITHM).ok_or_else(incomplete)?;
        let parameter = |name: &str| {
            let mut parameters = parameters.split(',').map(str::trim);
            parameters.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        let mut scope = parameter("Credential").ok_or_else(incomplete)?.split('/');
        let mut next = || scope.next().ok_or_else(incomplete);
        let authorization = Self {
            access_key_id: next()?,
            date: next()?,
            region: next()?,
            service: next()?,
            signed_headers: parameter("SignedHeaders").ok_or_else(incomplete)?,
            signature: parameter("Signature").ok_or_else(incomplete)?,
        };
        if scope.next() == Some("aws4_request") && scope.next().is_none() {
            Ok(authorization)
        } else {
            Err(incomplete())
        }
    }

    /// Whether `signed` was signed by `account` at most five minutes from `now`.
    pub(super) fn check(
        &self,
        account: &SesAccount,
        signed: &Signed<'_>,
        now: UnixMillis,
    ) -> Result<(), Fault> {
        let amz_date = header_text(signed.headers, "x-amz-date").unwrap_or_default();
        check_time(amz_date, now)?;
        self.check_scope(account, amz_date)?;
        self.check_signed_headers(signed)?;
        check_token(account, signed.headers)?;
        let verified = self.verify(account, signed, amz_date)?;
        verified.map_err(|()| {
            mismatch(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                 Access Key and signing method. Consult the service documentation for details.",
            )
        })
    }

    fn check_scope(&self, account: &SesAccount, amz_date: &str) -> Result<(), Fault> {
        if self.service != SERVICE {
            return Err(mismatch("Credential should be scoped to correct service: 'ses'."));
        }
        if self.region != account.region {
            return Err(mismatch("Credential should be scoped to a valid region."));
        }
        if !amz_date.starts_with(self.date) || self.date.len() != 8 {
            return Err(mismatch(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date.",
            ));
        }
        Ok(())
    }

    /// Host and every `x-amz-` header must be signed; so must the content type, which decides how the body is
    /// read.
    fn check_signed_headers(&self, signed: &Signed<'_>) -> Result<(), Fault> {
        let is_signed = |name: &str| self.signed_headers.split(';').any(|signed| signed == name);
        let must_be_signed =
            |name: &&str| name.starts_with("x-amz-") || matches!(*name, "host" | "content-type");
        let all_signed =
            signed.headers.keys().map(header::HeaderName::as_str).filter(must_be_signed).all(is_signed);
        if all_signed && is_signed("host") && is_signed("x-amz-date") {
            Ok(())
        } else {
            Err(mismatch("'Host', 'Content-Type' and all 'x-amz-' headers must be 'SignedHeader's."))
        }
    }

    /// Computes the signature again; the inner result is whether it is the one given.
    fn verify(
        &self,
        account: &SesAccount,
        signed: &Signed<'_>,
        amz_date: &str,
    ) -> Result<Result<(), ()>, Fault> {
        let canonical = self.canonical_request(signed)?;
        let scope = format!("{}/{}/{}/aws4_request", self.date, self.region, self.service);
        let string_to_sign =
            format!("{ALGORITHM}\n{amz_date}\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
        let key = hmac_sha256(format!("AWS4{}", account.secret_access_key).as_bytes(), self.date);
        let key = hmac_sha256(key.as_ref(), self.region);
        let key = hmac_sha256(key.as_ref(), self.service);
        let key = hmac_sha256(key.as_ref(), "aws4_request");
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_ref());
        let given = hex::decode(self.signature).unwrap_or_default();
        Ok(hmac::verify(&key, string_to_sign.as_bytes(), &given).map_err(|_| ()))
    }

    fn canonical_request(&self, signed: &Signed<'_>) -> Result<String, Fault> {
        let mut text = format!(
            "{}\n{}\n{}\n",
            signed.method,
            encode_once_more(signed.uri.path()),
            canonical_query(signed.uri.query().unwrap_or_default())
        );
        for name in self.signed_headers.split(';') {
            let values = signed.headers.get_all(name).iter().map(|value| value.to_str().map(collapse_spaces));
            let values: Result<Vec<_>, _> = values.collect();
            let values = values.map_err(|_| mismatch("A signed header is not printable ASCII."))?;
            if values.is_empty() {
                return Err(mismatch("A signed header is missing from the request."));
            }
            text.extend([name, ":", &values.join(","), "\n"]);
        }
        let body_hash = sha256_hex(signed.body);
        let declared = header_text(signed.headers, "x-amz-content-sha256");
        if declared.is_some_and(|declared| declared != body_hash) {
            return Err(mismatch(
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ));
        }
        text.extend(["\n", self.signed_headers, "\n", &body_hash]);
        Ok(text)
    }
}

fn mismatch(message: &'static str) -> Fault {
    Fault::forbidden("SignatureDoesNotMatch", message)
}

fn check_time(amz_date: &str, now: UnixMillis) -> Result<(), Fault> {
    let at = clock::parse_amz_date(amz_date).ok_or_else(|| {
        Fault::forbidden(
            "IncompleteSignatureException",
            "Authorization header requires existence of 'X-Amz-Date'.",
        )
    })?;
    let trouble = match at - now {
        skew if skew < -SKEW_MAX_MS => "Signature expired",
        skew if skew > SKEW_MAX_MS => "Signature not yet current",
        _ => return Ok(()),
    };
    Err(Fault::forbidden(
        "InvalidSignatureException",
        format!("{trouble}: {amz_date} is more than 5 min. away"),
    ))
}

fn check_token(account: &SesAccount, headers: &HeaderMap) -> Result<(), Fault> {
    let given = header_text(headers, "x-amz-security-token");
    if given == account.session_token.as_deref() { Ok(()) } else { Err(unknown_key()) }
}

/// The answer to an access key or token that nobody has.
pub(super) fn unknown_key() -> Fault {
    Fault::forbidden("UnrecognizedClientException", "The security token included in the request is invalid.")
}

fn hmac_sha256(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

fn collapse_spaces(value: &str) -> String {
    value.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Percent-encodes the path as it came, escapes included: all services but S3 sign it so.
fn encode_once_more(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The query as sent, sorted; a name without a value gets an empty one.
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
        .collect();
    pairs.sort();
    pairs.join("&")
}

#[cfg(test)]
mod tests;
