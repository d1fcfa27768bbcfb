//! HTTP Basic log-in.

use std::sync::Arc;

use http::HeaderMap;

use super::{Twilio, fault, fault::Fault};
use crate::{
    TwilioAccount,
    credentials::{basic, same},
};

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
    let account = basic(headers)
        .and_then(|(user, password)| {
            let logins = twilio.logins.read();
            let login = logins.get(&user)?;
            same(&login.password, &password).then(|| Arc::clone(&login.account))
        })
        .ok_or(fault::UNAUTHENTICATED)?;
    if account.account_sid == account_in_path { Ok(account) } else { Err(fault::not_found(path)) }
}
