//! Cryptography that guests reach by name of a secret.

use ::hmac::{Hmac, Mac as _};
use md5::{Digest as _, Md5};
use ring::{digest, hmac, signature};
use subtle::ConstantTimeEq;
use x509_parser::{pem::parse_x509_pem, time::ASN1Time};

use crate::bindings::wit_host::{Hash, RsaHash};

/// HMAC of `data`.
pub(crate) fn hmac(algorithm: Hash, key: &[u8], data: &[u8]) -> Vec<u8> {
    let algorithm = match algorithm {
        Hash::Md5 => return hmac_md5(key, data),
        Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => hmac::HMAC_SHA256,
        Hash::Sha512 => hmac::HMAC_SHA512,
    };
    hmac::sign(&hmac::Key::new(algorithm, key), data).as_ref().to_vec()
}

/// ring has no MD5.
fn hmac_md5(key: &[u8], data: &[u8]) -> Vec<u8> {
    // Never an error: HMAC takes keys of any length.
    let keyed = Hmac::<Md5>::new_from_slice(key);
    keyed.map(|keyed| keyed.chain_update(data).finalize().into_bytes().to_vec()).unwrap_or_default()
}

/// Hash of `parts`, one after the other.
pub(crate) fn digest(algorithm: Hash, parts: &[&[u8]]) -> Vec<u8> {
    let algorithm = match algorithm {
        Hash::Md5 => {
            let whole = parts.iter().fold(Md5::new(), |hash, part| hash.chain_update(part));
            return whole.finalize().to_vec();
        }
        Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha512 => &digest::SHA512,
    };
    let mut hash = digest::Context::new(algorithm);
    parts.iter().for_each(|part| hash.update(part));
    hash.finish().as_ref().to_vec()
}

/// SHA-256 of `data`.
pub(crate) fn sha256(data: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    hash
}

/// Whether both are equal, in a time that depends on the lengths alone.
pub(crate) fn equal(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// Whether `signature` over `data` is by the key of this certificate, valid at `now_s` (Unix seconds).
///
/// Keys of less than 2048 bits are refused. The chain is not followed: where a certificate may come
/// from is the adapter's rule, and its transport is authenticated by TLS.
pub(crate) fn verify_rsa(hash: RsaHash, pem: &str, now_s: i64, data: &[u8], signature: &[u8]) -> bool {
    let Ok((_, pem)) = parse_x509_pem(pem.as_bytes()) else { return false };
    let Ok(certificate) = pem.parse_x509() else { return false };
    let Ok(now) = ASN1Time::from_timestamp(now_s) else { return false };
    if pem.label != "CERTIFICATE" || !certificate.validity().is_valid_at(now) {
        return false;
    }
    let algorithm = match hash {
        RsaHash::Sha1 => &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        RsaHash::Sha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
    };
    let key = certificate.public_key().subject_public_key.as_ref();
    signature::UnparsedPublicKey::new(algorithm, key).verify(data, signature).is_ok()
}
