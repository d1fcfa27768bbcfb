//! `[secrets]` and `[bootstrap]`.

use crate::reader::Reader;
use crate::secret::{Secret, SecretKey};

/// Keys of our own. Whether a missing one is made or refused is the command's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    /// Encrypts the providers' credentials at rest.
    pub credentials_key: Option<SecretKey>,
    /// The key before it, while `hermes key rotate-credentials` has not run.
    pub previous_credentials_key: Option<SecretKey>,
    /// Keys the hashes under which API keys are stored.
    pub hash_key: Option<SecretKey>,
}

/// What the first start creates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bootstrap {
    /// The first operator's key.
    pub operator_key: Option<Secret>,
}

const OPERATOR_KEY_PREFIX: &str = "hak_";
/// Shorter keys can be guessed.
const OPERATOR_KEY_CHARS_MIN: usize = 16;

impl Secrets {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        Self {
            credentials_key: read_key(reader, "secrets.credentials_key", "secrets.credentials_key_file"),
            previous_credentials_key: read_key(
                reader,
                "secrets.previous_credentials_key",
                "secrets.previous_credentials_key_file",
            ),
            hash_key: read_key(reader, "secrets.hash_key", "secrets.hash_key_file"),
        }
    }
}

impl Bootstrap {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        let key = "bootstrap.operator_key";
        let operator_key = reader.secret(key);
        let well_formed = |secret: &Secret| {
            let rest = secret.expose().strip_prefix(OPERATOR_KEY_PREFIX);
            rest.is_some_and(|rest| rest.len() >= OPERATOR_KEY_CHARS_MIN)
        };
        if operator_key.as_ref().is_some_and(|secret| !well_formed(secret)) {
            let problem =
                format!("expected {OPERATOR_KEY_PREFIX:?} and at least {OPERATOR_KEY_CHARS_MIN} characters");
            reader.problem(key, problem);
        }
        Self { operator_key }
    }
}

/// A key given in place or in a file, but not both.
fn read_key(reader: &mut Reader, key: &str, key_file: &str) -> Option<SecretKey> {
    let (inline, path) = (reader.secret(key), reader.optional_path(key_file));
    let (text, source) = match (inline, path) {
        (None, None) => return None,
        (Some(_), Some(_)) => {
            reader.problem(key_file, format!("must not be set together with {key}"));
            return None;
        }
        (Some(secret), None) => (Ok(secret.expose().to_owned()), key),
        (None, Some(path)) => (std::fs::read_to_string(path), key_file),
    };
    let decoded = text
        .map_err(|error| format!("the file cannot be read: {error}"))
        .and_then(|text| SecretKey::from_base64(&text));
    decoded.map_err(|problem| reader.problem(source, problem)).ok()
}
