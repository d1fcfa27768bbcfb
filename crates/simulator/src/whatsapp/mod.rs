//! WhatsApp Business Cloud API, on Meta's Graph.
//!
//! Besides the endings that every phone number has, four are read here only: 9921 has its customer service
//! window closed and says so at once, 9922 says so by webhook (templates pass both); 9923 is delivered, then the
//! user stops marketing in the app; 9924 is delivered and read, 9925 read with no word of the delivery.
//!
//! Webhooks go to the one callback URL of the number's app, once that has passed Meta's handshake. Any version of
//! Graph is answered alike. Groups, media upload, the call for marketing messages, read marks and blocking are not
//! played.

mod app;
mod content;
mod envelope;
mod fault;
mod handshake;
mod interactive;
mod lookup;
mod message;
mod param;
mod send;
mod status;
mod template;
mod wamid;
mod webhook;

use std::{collections::HashMap, sync::Arc};

use axum::{extract::Request, response::Response};
use http::{HeaderMap, Method, header};
use parking_lot::RwLock;
use tokio::runtime::Handle;

use crate::{WhatsAppAccount, credentials::same, inbound::header_text, ledger::Ledger, world::World};

use app::App;
use fault::Fault;
use lookup::Kept;

pub(crate) use handshake::Answer;

/// The numbers that send, and their messages.
#[derive(Debug)]
pub(crate) struct WhatsApp {
    /// By phone number id.
    numbers: RwLock<HashMap<String, Arc<Number>>>,
    messages: Ledger<Kept>,
    /// Asks callback URLs; receipts have a client of their own.
    client: reqwest::Client,
    runtime: Handle,
}

/// A number and where its webhooks go.
#[derive(Debug)]
struct Number {
    account: WhatsAppAccount,
    app: Option<Arc<App>>,
}

impl WhatsApp {
    /// Keeps the runtime it is made on: handshakes run there.
    pub(crate) fn new(messages_max: usize) -> Result<Self, reqwest::Error> {
        Ok(Self {
            numbers: RwLock::default(),
            messages: Ledger::new(messages_max),
            client: handshake::client()?,
            runtime: Handle::current(),
        })
    }

    pub(crate) fn forget_messages(&self) {
        self.messages.clear();
    }

    /// Sets a number; saving a callback URL starts its handshake. Numbers of one app share what is known of it.
    fn set(&self, account: WhatsAppAccount) -> Option<Arc<App>> {
        let mut numbers = self.numbers.write();
        let app = account.callback_url.as_ref().map(|url| {
            let known = numbers.values().filter_map(|number| number.app.as_ref());
            let mut known = known.filter(|app| app.is_of(&account, url));
            known.next().cloned().unwrap_or_else(|| Arc::new(App::new(&account, url.clone())))
        });
        let number = Number { app: app.clone(), account };
        numbers.insert(number.account.phone_number_id.clone(), Arc::new(number));
        app
    }

    /// The number that the request may act for.
    fn authorize(&self, headers: &HeaderMap, method: &Method, id: &str) -> Result<Arc<Number>, Fault> {
        let bearer = header_text(headers, header::AUTHORIZATION);
        let token = bearer.and_then(|value| value.strip_prefix("Bearer ")).ok_or_else(fault::no_token)?;
        let numbers = self.numbers.read();
        let opens = |number: &Arc<Number>| same(&number.account.access_token, token);
        match numbers.get(id).filter(|number| opens(number)) {
            Some(number) => Ok(Arc::clone(number)),
            None if numbers.values().any(opens) => Err(fault::no_such_object(method, id)),
            None => Err(fault::bad_token()),
        }
    }
}

/// Sets numbers and asks their callback URLs.
pub(crate) fn add_accounts(world: &Arc<World>, accounts: Vec<WhatsAppAccount>) {
    for account in accounts {
        if let Some(app) = world.whatsapp.set(account) {
            world.whatsapp.runtime.spawn(handshake::run(Arc::downgrade(world), app));
        }
    }
}

/// Repeats the handshake of a number's callback URL; `None` if it has none.
pub(crate) async fn verify(world: &World, phone_number_id: &str) -> Option<Answer> {
    let app = world.whatsapp.numbers.read().get(phone_number_id)?.app.clone()?;
    Some(handshake::ask_and_settle(world, &app).await)
}

/// Whether the path is Graph's: only its versions have a dot (`/v23.0/…`).
pub(crate) fn owns(path: &str) -> bool {
    let version = path.strip_prefix("/v").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    version.split_once('.').is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}

/// Answers a request whose path is Graph's. Graph reads paths as an object and an edge of it, so these are not
/// routes: the object could be anything.
pub(crate) async fn answer(world: Arc<World>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let mut parts = path.split('/').skip(2);
    let (id, edge, rest) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    match (request.method().as_str(), edge, rest) {
        ("POST", Some("messages"), None) => send::send(&world, id, request).await,
        ("GET", Some("message_history"), None) => lookup::history(&world, id, &request),
        ("GET", None, None) => lookup::number(&world, id, &request),
        (_, None | Some("messages" | "message_history"), None) => {
            fault::no_such_object(request.method(), id).into_response()
        }
        _ => fault::unknown_path(&path).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_graphs_versions_have_a_dot() {
        for path in ["/v23.0/1/messages", "/v23.0/1", "/v9.12"] {
            assert!(owns(path), "{path}");
        }
        for path in ["/v1/omnimessage", "/v2/email/x", "/2010-04-01/Accounts/AC1", "/v.1/1", "/vx.0/1", "/"] {
            assert!(!owns(path), "{path}");
        }
    }
}
