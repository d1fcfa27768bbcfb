//! Amazon SES v2, and the part of SNS that carries its events.
//!
//! Every request's signature is recomputed from the bytes received. Events go through the configuration set's
//! topic to the endpoints subscribed to it, signed with a test key whose certificate the simulator serves.
//! Endpoints subscribe through `POST /sim/subscriptions` or [`crate::SimulatorOptions::sns_endpoints`].
//!
//! An address on the suppression list of the account, or of the SES tenant that is named, is taken and then bounced.
//! The mailbox simulator's addresses (`success@`, `bounce@`, `complaint@`, `suppressionlist@`, `ooto@` at
//! `simulator.amazonses.com`) work. `+9912` ends in a Subscription event, the only opt-out SES has besides complaints.

mod check;
mod event;
mod fault;
mod read;
mod request;
mod send;
mod sigv4;
mod sns;
mod suppression;
mod topics;

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use parking_lot::RwLock;

use crate::{SesAccount, SnsSignatureVersion, ledger::Ledger, suppressed::Suppressed, world::World};

use read::Sent;
pub(crate) use sns::{BadKey, Signer};
pub(crate) use topics::Topics;

/// SES accounts, messages and topics.
#[derive(Debug)]
pub(crate) struct Ses {
    /// By access key id.
    accounts: RwLock<HashMap<String, Arc<SesAccount>>>,
    messages: Ledger<Sent>,
    /// Suppression lists, by access key id; those of SES tenants by `<access key id>/<tenant>`.
    pub(crate) suppressed: Suppressed,
    pub(crate) topics: Topics,
    pub(crate) signer: Signer,
}

impl Ses {
    pub(crate) fn new(messages_max: usize, version: SnsSignatureVersion) -> Result<Self, BadKey> {
        Ok(Self {
            accounts: RwLock::default(),
            messages: Ledger::new(messages_max),
            suppressed: Suppressed::default(),
            topics: Topics::default(),
            signer: Signer::new(version)?,
        })
    }

    pub(crate) fn add_account(&self, account: SesAccount) {
        for (set, topic) in &account.configuration_sets {
            self.topics.bind(set, topic);
        }
        self.accounts.write().insert(account.access_key_id.clone(), Arc::new(account));
    }

    pub(crate) fn forget_messages(&self) {
        self.messages.clear();
    }
}

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/v2/email/outbound-emails", post(send::send).fallback(unknown_operation))
        .route("/v2/email/account", get(read::account).fallback(unknown_operation))
        .route(
            "/v2/email/suppression/addresses",
            get(suppression::list).put(suppression::put).fallback(unknown_operation),
        )
        .route(
            "/v2/email/suppression/addresses/{address}",
            get(suppression::get).delete(suppression::delete).fallback(unknown_operation),
        )
        .route("/v2/email/insights/{message}/", get(read::insights).fallback(unknown_operation))
        .route(sns::CERTIFICATE_PATH, get(sns::certificate))
        .route("/", get(topics::act_on_link))
}

/// The answer to a path or method that SES does not have.
pub(crate) async fn unknown_operation() -> Response {
    fault::UNKNOWN_OPERATION.into_response()
}
