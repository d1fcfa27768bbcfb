//! Twilio Programmable Messaging, API version 2010-04-01.
//!
//! Magic numbers work as with test credentials (`To` +15005550001 …0009, `From` +15005550001, …0007, …0008),
//! except that
//! `From` +15005550006 is an ordinary sender here and gets callbacks. Scheduling, content templates and the feedback
//! sub-resource are not played: asking for them is refused.

mod auth;
mod callback;
mod fault;
mod form;
mod lookup;
mod message;
mod send;
mod signature;

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use http::Uri;
use parking_lot::RwLock;

use crate::{TwilioAccount, ledger::Ledger, world::World};

use auth::Login;
use message::Message;

/// Twilio's accounts and messages.
#[derive(Debug)]
pub(crate) struct Twilio {
    /// By the user name that logs in: account SID or API key SID.
    logins: RwLock<HashMap<String, Login>>,
    messages: Ledger<Message>,
}

impl Twilio {
    pub(crate) fn new(messages_max: usize) -> Self {
        Self { logins: RwLock::default(), messages: Ledger::new(messages_max) }
    }

    pub(crate) fn add_account(&self, account: TwilioAccount) {
        let account = Arc::new(account);
        let mut logins = self.logins.write();
        if let (Some(sid), Some(secret)) = (&account.api_key_sid, &account.api_key_secret) {
            logins.insert(sid.clone(), Login { password: secret.clone(), account: Arc::clone(&account) });
        }
        let login = Login { password: account.auth_token.clone(), account: Arc::clone(&account) };
        logins.insert(account.account_sid.clone(), login);
    }

    pub(crate) fn forget_messages(&self) {
        self.messages.clear();
    }
}

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/2010-04-01/Accounts/{account_json}", get(lookup::account).fallback(method_not_allowed))
        .route(
            "/2010-04-01/Accounts/{account}/Messages.json",
            post(send::send).get(lookup::search).fallback(method_not_allowed),
        )
        .route(
            "/2010-04-01/Accounts/{account}/Messages/{message_json}",
            get(lookup::message).fallback(method_not_allowed),
        )
}

/// The answer to a path that Twilio does not have.
pub(crate) fn not_found(uri: &Uri) -> Response {
    fault::not_found(uri.path()).into_response()
}

async fn method_not_allowed() -> Response {
    fault::METHOD_NOT_ALLOWED.into_response()
}
