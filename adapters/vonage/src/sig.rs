//! The `sig` parameter of the SMS API's callbacks.

use hermes_adapter_sdk::{
    contract::Refusal,
    hex,
    host::{self, Hash},
    same_bytes,
};

use crate::setting;

/// How old a callback may be, in seconds. Deliveries are repeated for a day, each time signed anew.
const AGE_S_MAX: u64 = 600;
const SECRET: &str = "signature_secret";

/// Checks the signature over the decoded parameters.
pub(crate) fn verify(parameters: &[(String, String)], now_s: u64) -> Result<(), Refusal> {
    let value = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let given = value("sig").ok_or(Refusal::BadSignature)?.to_ascii_lowercase();
    let at = value("timestamp").and_then(|at| at.parse::<u64>().ok()).ok_or(Refusal::BadSignature)?;
    let expected = hex(&signature(signed(parameters).as_bytes()));
    if !same_bytes(expected.as_bytes(), given.as_bytes()) || at.abs_diff(now_s) > AGE_S_MAX {
        return Err(Refusal::BadSignature);
    }
    Ok(())
}

/// `&name=value` of each parameter by name, with `&` and `=` in values replaced.
fn signed(parameters: &[(String, String)]) -> String {
    let mut sorted: Vec<_> = parameters.iter().filter(|(name, _)| name != "sig").collect();
    sorted.sort();
    let part = |(name, value): &(String, String)| format!("&{name}={}", value.replace(['&', '='], "_"));
    sorted.into_iter().map(part).collect()
}

fn signature(signed: &[u8]) -> Vec<u8> {
    match setting("signature_method").as_deref() {
        Some("md5") => host::hmac(Hash::Md5, SECRET, signed),
        Some("sha1") => host::hmac(Hash::Sha1, SECRET, signed),
        Some("sha256") => host::hmac(Hash::Sha256, SECRET, signed),
        Some("sha512") => host::hmac(Hash::Sha512, SECRET, signed),
        // The account's default.
        Some(_) | None => host::digest_with_secret(Hash::Md5, SECRET, signed),
    }
}
