//! Messente's Omnichannel API, version 1, as far as SMS goes.
//!
//! One `sms` message a call: other channels and lists of fallbacks are refused as not available on this account.
//! There is no field for a reference of ours; it is read from the `ref` parameter of `dlr_url`. Scheduled
//! messages wait and can be cancelled. Nothing happens to a message for a number on the account's blacklist, and nobody is
//! told. Bulk calls, the rest of the phonebook, prices and the balance are not played.

mod blacklist;
mod callback;
mod fault;
mod fields;
mod lookup;
mod message;
mod parts;
mod request;
mod send;
mod signature;

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use http::HeaderMap;
use parking_lot::RwLock;

use crate::{
    MessenteAccount,
    credentials::{basic, same},
    ledger::Ledger,
    suppressed::Suppressed,
    world::World,
};

use fault::Problem;
use message::Omnimessage;

/// Messente's accounts and messages.
#[derive(Debug)]
pub(crate) struct Messente {
    /// By API user name.
    accounts: RwLock<HashMap<String, Arc<MessenteAccount>>>,
    messages: Ledger<Omnimessage>,
    /// Numbers that nothing is sent to, by API user name.
    pub(crate) blacklist: Suppressed,
}

impl Messente {
    pub(crate) fn new(messages_max: usize) -> Self {
        Self {
            accounts: RwLock::default(),
            messages: Ledger::new(messages_max),
            blacklist: Suppressed::default(),
        }
    }

    pub(crate) fn add_account(&self, account: MessenteAccount) {
        self.accounts.write().insert(account.username.clone(), Arc::new(account));
    }

    pub(crate) fn forget_messages(&self) {
        self.messages.clear();
    }

    fn log_in(&self, headers: &HeaderMap) -> Result<Arc<MessenteAccount>, Problem> {
        let found = basic(headers).and_then(|(username, password)| {
            let account = self.accounts.read().get(&username).cloned()?;
            same(&account.password, &password).then_some(account)
        });
        found.ok_or_else(fault::unauthorized)
    }
}

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/v1/omnimessage", post(send::send).fallback(method_not_allowed))
        .route("/v1/omnimessage/{id}", axum::routing::delete(lookup::cancel).fallback(method_not_allowed))
        .route(
            "/v1/phonebook/blacklist",
            get(blacklist::list).post(blacklist::add).fallback(method_not_allowed),
        )
        .route(
            "/v1/phonebook/blacklist/{phone}",
            get(blacklist::find).delete(blacklist::remove).fallback(method_not_allowed),
        )
        .route("/v1/omnimessage/{id}/status", get(lookup::status).fallback(method_not_allowed))
}

/// Whether an unknown path is one that Messente would answer for.
pub(crate) fn owns(path: &str) -> bool {
    path.starts_with("/v1/omnimessage") || path.starts_with("/v1/phonebook")
}

/// The answer to a path that Messente does not have, or that is not played.
pub(crate) fn not_found() -> Response {
    fault::not_found("The requested resource was not found").into_response()
}

async fn method_not_allowed() -> Response {
    fault::method_not_allowed().into_response()
}
