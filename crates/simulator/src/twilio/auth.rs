//! HTTP Basic log-in.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, header};
use ring::digest::{SHA256, digest};

use super::{Twilio, fault, fault::Fault};
use crate::{TwilioAccount, inbound::header_text};

/// One way to log in to an account.
pub(super) struct Login {
    pub(super) password: String,
    pub(super) account: Arc<TwilioAccount>,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("account", &self.account).finish_non_exhaustive()
    }
}

/// The account that logs in, which must be the one in the path.
pub(super) fn log_in(
    twilio: &Twilio,
    headers: &HeaderMap,
    account_in_path: &str,
    path: &str,
) -> Result<Arc<TwilioAccount>, Fault> {
    let account = basic_credentials(headers)
        .and_then(|(user, password)| {
            let logins = twilio.logins.read();
            let login = logins.get(&user)?;
            same(&login.password, &password).then(|| Arc::clone(&login.account))
        })
        .ok_or(fault::UNAUTHENTICATED)?;
    if account.account_sid == account_in_path { Ok(account) } else { Err(fault::not_found(path)) }
}

fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, encoded) = header_text(headers, header::AUTHORIZATION)?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

/// Compares digests, so that the time taken tells nothing about where the texts differ.
fn same(expected: &str, given: &str) -> bool {
    digest(&SHA256, expected.as_bytes()).as_ref() == digest(&SHA256, given.as_bytes()).as_ref()
}
