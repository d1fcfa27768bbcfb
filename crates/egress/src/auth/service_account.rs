//! The key of a Google service account, and the assertions signed with it (RFC 7523).

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use hermes_ports::egress::EgressError;
use serde::{Deserialize, Serialize};

use super::jwt::{BadKey, Signer};

/// Google accepts an hour at most.
const ASSERTION_LIFETIME: Duration = Duration::from_hours(1);
/// Google's token endpoint. The assertion names it whatever `token_uri` says, as Google's own clients do.
pub(crate) const GOOGLE_TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// A service account that can sign.
pub(crate) struct ServiceAccount {
    email: String,
    key_id: Option<String>,
    key: Signer,
    /// Where it wants its tokens from, if it says so.
    pub(crate) token_uri: Option<String>,
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount").finish_non_exhaustive()
    }
}

/// The JSON file that Google hands out.
#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key: String,
    private_key_id: Option<String>,
    token_uri: Option<String>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'static str,
    iat: u64,
    exp: u64,
}

impl ServiceAccount {
    /// Reads a key file.
    ///
    /// # Errors
    /// `Credentials`; nothing of the file is repeated.
    pub(crate) fn read(key_file: &str) -> Result<Self, EgressError> {
        let file: KeyFile = serde_json::from_str(key_file).map_err(|_| unusable("is not a key file"))?;
        let key = Signer::read(&file.private_key).map_err(|BadKey(why)| unusable(why))?;
        Ok(Self { email: file.client_email, key_id: file.private_key_id, key, token_uri: file.token_uri })
    }

    /// A signed JWT that asks for `scope`.
    ///
    /// # Errors
    /// `Credentials` when signing fails.
    pub(crate) fn assertion(&self, scope: &str, now: SystemTime) -> Result<String, EgressError> {
        let iat = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let exp = iat + ASSERTION_LIFETIME.as_secs();
        let claims = Claims { iss: &self.email, scope, aud: GOOGLE_TOKEN_URI, iat, exp };
        self.key.token(self.key_id.as_deref(), &claims).map_err(|BadKey(why)| unusable(why))
    }
}

fn unusable(why: &str) -> EgressError {
    EgressError::Credentials(format!("the service account {why}"))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use serde_json::Value;

    use super::*;

    fn vector() -> Value {
        serde_json::from_str(include_str!("../../tests/vectors/service_account.json")).unwrap()
    }

    #[test]
    fn the_assertion_of_the_vector_is_made_byte_for_byte() {
        let vector = vector();
        let account = ServiceAccount::read(&vector["service_account"].to_string()).unwrap();
        let now = UNIX_EPOCH + Duration::from_millis(1_767_323_045_678);
        let scope = "https://www.googleapis.com/auth/firebase.messaging";
        assert_eq!(account.assertion(scope, now).unwrap(), vector["assertion"].as_str().unwrap());
        assert_eq!(account.token_uri.as_deref(), Some(GOOGLE_TOKEN_URI));
        assert_eq!(format!("{account:?}"), "ServiceAccount { .. }");
    }

    #[test]
    fn an_unusable_key_file_is_refused_without_a_word_of_it() {
        let mut broken = vector()["service_account"].clone();
        broken["private_key"] = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n".into();
        for file in ["s3cret", "{\"client_email\":\"s3cret\"}", &broken.to_string()] {
            let refusal = ServiceAccount::read(file).unwrap_err().to_string();
            assert!(!refusal.contains("s3cret") && !refusal.contains("c2VjcmV0"), "{refusal}");
        }
    }
}
