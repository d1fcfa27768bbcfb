//! Vonage: the SMS API (`/sms/json`), the Messages API v1 for SMS (`/v1/messages`), and the part of the
//! Reports API that finds messages by id (`/v2/reports/records`).
//!
//! The three share accounts and the memory of messages, and little else: each has its own log-in rules, errors
//! and callbacks.
//!
//! Not played, and refused where asked for: answers in XML, other channels than SMS, failover messages,
//! callbacks of version 0.1, reports by date. The SMS API accepts all parts of a text or none.

mod account;
mod front_end;
mod jwt;
mod messages;
mod numbers;
mod problem;
mod record;
mod records;
mod sms;
mod stable;

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use http::{HeaderMap, StatusCode};
use parking_lot::RwLock;

use crate::{credentials, ledger::Ledger, world::World};

use account::Account;
use record::Record;

pub(crate) use account::{BadAccount, read_accounts};

/// Vonage's accounts and messages.
#[derive(Debug)]
pub(crate) struct Vonage {
    known: RwLock<Known>,
    records: Ledger<Record>,
}

#[derive(Debug, Default)]
struct Known {
    by_key: HashMap<String, Arc<Account>>,
    by_application: HashMap<String, Arc<Account>>,
}

impl Vonage {
    pub(crate) fn new(messages_max: usize) -> Self {
        Self { known: RwLock::default(), records: Ledger::new(messages_max) }
    }

    pub(crate) fn add_account(&self, account: Account) {
        let account = Arc::new(account);
        let api_key = &account.settings.api_key;
        let mut known = self.known.write();
        // The application of the account that is replaced may have had another id.
        known.by_application.retain(|_, other| other.settings.api_key != *api_key);
        if let Some(application) = &account.settings.application {
            known.by_application.insert(application.id.clone(), Arc::clone(&account));
        }
        known.by_key.insert(api_key.clone(), Arc::clone(&account));
    }

    pub(crate) fn forget_messages(&self) {
        self.records.clear();
    }

    fn account(&self, api_key: &str) -> Option<Arc<Account>> {
        self.known.read().by_key.get(api_key).cloned()
    }

    fn account_of_application(&self, id: &str) -> Option<Arc<Account>> {
        self.known.read().by_application.get(id).cloned()
    }

    /// The account that a key and its secret open.
    fn log_in(&self, api_key: &str, api_secret: &str) -> Option<Arc<Account>> {
        self.account(api_key).filter(|account| credentials::same(&account.settings.api_secret, api_secret))
    }

    /// The same, as HTTP Basic.
    fn log_in_basic(&self, headers: &HeaderMap) -> Option<Arc<Account>> {
        let (api_key, api_secret) = credentials::basic(headers)?;
        self.log_in(&api_key, &api_secret)
    }
}

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/sms/json", post(sms::send).fallback(method_not_allowed))
        .route("/v1/messages", post(messages::send).fallback(method_not_allowed))
        .route("/v2/reports/records", get(records::find).fallback(method_not_allowed))
}

/// Whether an unknown path looks like one of Vonage's.
pub(crate) fn owns(path: &str) -> bool {
    ["/sms/", "/v1/messages/", "/v2/reports"].iter().any(|start| path.starts_with(start))
}

/// The answer to a path that Vonage does not have.
pub(crate) fn not_found() -> Response {
    front_end::answer(StatusCode::NOT_FOUND)
}

async fn method_not_allowed() -> Response {
    front_end::answer(StatusCode::METHOD_NOT_ALLOWED)
}
