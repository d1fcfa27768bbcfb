//! The three ways to log in: secret in the body, HTTP Basic, and signed parameters.

use std::sync::Arc;

use http::HeaderMap;

use super::{fault, fault::Fault, form::Parameters, signature};
use crate::{
    credentials::{basic, same},
    vonage::{Vonage, account::Account},
};

/// How far the caller's clock may be off, in seconds.
const SKEW_MAX_S: i64 = 300;

/// The account that logs in.
pub(super) fn log_in(
    vonage: &Vonage,
    headers: &HeaderMap,
    parameters: &Parameters,
    now_s: i64,
) -> Result<Arc<Account>, Fault> {
    let given = basic(headers);
    let secret = match &given {
        Some((_, secret)) => Some(secret.as_str()),
        None => parameters.get("api_secret"),
    };
    let sig = parameters.get("sig");
    if sig.is_some() && secret.is_some() {
        return Err(fault::TWO_LOGINS);
    }
    let key = match (&given, parameters.get("api_key")) {
        (Some((user, _)), Some(key)) if user != key => return Err(fault::BAD_CREDENTIALS),
        (Some((user, _)), _) => user,
        (None, Some(key)) => key,
        (None, None) => return Err(fault::missing("api_key")),
    };
    match (secret, sig) {
        (Some(secret), _) => vonage.log_in(key, secret).ok_or(fault::BAD_CREDENTIALS),
        (None, Some(sig)) => {
            let account = vonage.account(key).ok_or(fault::BAD_CREDENTIALS)?;
            check_signature(&account, parameters, sig, now_s)?;
            Ok(account)
        }
        (None, None) => Err(fault::missing("api_secret")),
    }
}

/// An account without a signature method cannot sign.
fn check_signature(account: &Account, parameters: &Parameters, sig: &str, now_s: i64) -> Result<(), Fault> {
    let settings = &account.settings;
    let method = settings.signature_method.ok_or(fault::BAD_SIGNATURE)?;
    let timestamp = parameters.get("timestamp").ok_or_else(|| fault::missing("timestamp"))?;
    let signed = parameters.all().filter(|(name, _)| *name != "sig");
    let expected = signature::sign(method, &settings.signature_secret, signed);
    let is_recent = timestamp.parse::<i64>().is_ok_and(|at| at.abs_diff(now_s) <= SKEW_MAX_S.unsigned_abs());
    if is_recent && same(&expected, &sig.to_ascii_uppercase()) { Ok(()) } else { Err(fault::BAD_SIGNATURE) }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use http::{HeaderValue, header};

    use super::*;
    use crate::{VonageAccount, VonageSignatureMethod, demo, vonage::read_accounts};

    const NOW_S: i64 = 1_795_485_600;
    const EVERY_METHOD: [VonageSignatureMethod; 5] = [
        VonageSignatureMethod::Md5Hash,
        VonageSignatureMethod::Md5Hmac,
        VonageSignatureMethod::Sha1Hmac,
        VonageSignatureMethod::Sha256Hmac,
        VonageSignatureMethod::Sha512Hmac,
    ];

    fn vonage(signature_method: Option<VonageSignatureMethod>) -> Vonage {
        let vonage = Vonage::new(0);
        let account = VonageAccount { signature_method, ..demo::vonage() };
        read_accounts(vec![account]).unwrap().into_iter().for_each(|account| vonage.add_account(account));
        vonage
    }

    /// The status that refuses the form; 0 if it logs in.
    fn status(vonage: &Vonage, basic: Option<&str>, form: &str) -> u8 {
        let authorization = basic.map(|text| {
            let value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(text))).unwrap();
            (header::AUTHORIZATION, value)
        });
        let headers = HeaderMap::from_iter(authorization);
        log_in(vonage, &headers, &Parameters::parse(form.as_bytes()), NOW_S)
            .map_or_else(|fault| fault.status, |_| 0)
    }

    #[test]
    fn every_way_in_has_its_refusals() {
        let right = Some("abcd1234:abcdef0123456789");
        for (basic, form, expected) in [
            (None, "api_key=abcd1234&api_secret=abcdef0123456789", 0),
            (right, "", 0),
            (right, "api_key=abcd1234", 0),
            (right, "api_key=other000", 4),
            (Some("abcd1234:wrong"), "", 4),
            (Some("abcd1234:wrong"), "api_key=abcd1234&api_secret=abcdef0123456789", 4),
            (None, "api_key=abcd1234&api_secret=wrong", 4),
            (None, "api_key=other000&api_secret=abcdef0123456789", 4),
            (None, "", 2),
            (None, "api_key=&api_secret=abcdef0123456789", 2),
            (None, "api_key=abcd1234", 2),
            (None, "api_key=abcd1234&api_secret=abcdef0123456789&sig=00", 32),
            (right, "sig=00", 32),
            (None, "api_key=abcd1234&sig=00", 2),
            (None, "api_key=abcd1234&sig=00&timestamp=1795485600", 14),
            (None, "api_key=other000&sig=00&timestamp=1795485600", 4),
        ] {
            let vonage = vonage(Some(VonageSignatureMethod::Md5Hash));
            assert_eq!(status(&vonage, basic, form), expected, "{basic:?} {form}");
        }
    }

    fn signed(method: VonageSignatureMethod, timestamp: &str) -> String {
        let parameters =
            [("api_key", "abcd1234"), ("text", "a=b&c"), ("timestamp", timestamp), ("to", "4520123456")];
        let sig = signature::sign(method, &demo::vonage().signature_secret, parameters);
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(parameters).append_pair("sig", &sig).finish()
    }

    #[test]
    fn every_method_signs_and_only_the_accounts_own_opens() {
        for method in EVERY_METHOD {
            let form = signed(method, "1795485600");
            assert_eq!(status(&vonage(Some(method)), None, &form), 0, "{method:?}");
            assert_eq!(
                status(&vonage(Some(method)), None, &form.to_lowercase().replace("%3db%26c", "%3Db%26c")),
                0
            );
            assert_eq!(status(&vonage(Some(method)), None, &form.replace("4520123456", "4520123457")), 14);
            assert_eq!(status(&vonage(None), None, &form), 14);
            for other in EVERY_METHOD.into_iter().filter(|other| *other != method) {
                assert_eq!(status(&vonage(Some(other)), None, &form), 14, "{method:?} is not {other:?}");
            }
        }
    }

    #[test]
    fn a_signature_is_good_for_five_minutes() {
        let method = VonageSignatureMethod::Sha256Hmac;
        for (timestamp, expected) in
            [("1795485300", 0), ("1795485900", 0), ("1795485299", 14), ("1795485901", 14), ("soon", 14)]
        {
            assert_eq!(
                status(&vonage(Some(method)), None, &signed(method, timestamp)),
                expected,
                "{timestamp}"
            );
        }
    }
}
