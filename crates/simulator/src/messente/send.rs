//! `POST /v1/omnimessage`.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request as HttpRequest, State},
    response::Response,
};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};
use url::Url;

use super::{
    callback, fault,
    fault::Problem,
    message::{Omnimessage, parts, random_id},
    request::{self, Request},
};
use crate::{
    MessenteAccount, answer,
    carrier::{self, History, Refusal, Submission},
    clock::{self, UnixMillis},
    inbound,
    log::Provider,
    receipts::Outgoing,
    reference::Reference,
    script::{Behaviour, ReceiptEvent},
    world::World,
};

const REQUEST_BYTES_MAX: usize = 256 * 1024;

/// A checked request.
pub(super) struct Sms {
    pub(super) message: Omnimessage,
    dlr_url: Option<Url>,
    reference: Option<Reference>,
    /// The account sends nothing to this number.
    blacklisted: bool,
}

#[derive(Serialize)]
struct Accepted<'a> {
    messages: [AcceptedMessage<'a>; 1],
    omnimessage_id: &'a str,
    to: &'a str,
}

#[derive(Serialize)]
struct AcceptedMessage<'a> {
    channel: &'static str,
    message_id: &'a str,
    sender: &'a str,
}

pub(super) async fn send(State(world): State<Arc<World>>, request: HttpRequest) -> Response {
    let refuse = |reference, recipient: &str, response| {
        carrier::refuse(&world, Provider::Messente, reference, recipient, response)
    };
    let Ok((parts, body)) = inbound::read(request, REQUEST_BYTES_MAX).await else {
        return refuse(None, "", Problem::unreadable("The request body is too large").into_response());
    };
    let account = match world.messente.log_in(&parts.headers) {
        Ok(account) => account,
        Err(problem) => return refuse(None, "", problem.into_response()),
    };
    let body = match parse(&parts.headers, &body) {
        Ok(body) => body,
        Err(problem) => return refuse(None, "", problem.into_response()),
    };
    let reference = request::reference(&body);
    match request::check(&body, &account) {
        Ok(request) => {
            let blacklisted = world.messente.blacklist.get(&account.username, &request.to).is_some();
            let sms = Sms { blacklisted, ..Sms::new(account, request, reference) };
            carrier::carry(&world, sms).await
        }
        Err(problems) => {
            let recipient = body.get("to").and_then(Value::as_str).unwrap_or_default();
            refuse(reference, recipient, fault::response(&problems))
        }
    }
}

fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Problem> {
    if !inbound::has_content_type(headers, "application/json") {
        return Err(Problem::unreadable("The content type must be application/json"));
    }
    serde_json::from_slice(body).map_err(|_| Problem::unreadable("The request body is not a JSON object"))
}

impl Sms {
    fn new(account: Arc<MessenteAccount>, request: Request, reference: Option<Reference>) -> Self {
        let message = Omnimessage {
            omnimessage_id: random_id(),
            message_id: random_id(),
            parts: parts(&request.text),
            to: request.to,
            sender: request.sender,
            time_to_send: request.time_to_send,
            cancelled: Arc::default(),
            accepted_at: clock::now(),
            history: History::default(),
            account,
        };
        Self { message, dlr_url: request.dlr_url, reference, blacklisted: false }
    }

    /// The message's own URL for reports, else the account's.
    pub(super) fn report_url(&self) -> Option<Url> {
        self.dlr_url.clone().or_else(|| self.message.account.dlr_url.clone())
    }
}

impl Submission for Sms {
    const PROVIDER: Provider = Provider::Messente;

    fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    fn recipient(&self) -> &str {
        &self.message.to
    }

    fn behaviour(&self) -> Behaviour {
        // Taken as any other, and never heard of again.
        if self.blacklisted { Behaviour::Silent } else { Behaviour::of_phone(&self.message.to) }
    }

    fn segments(&self) -> Option<usize> {
        Some(self.message.parts)
    }

    fn held_for(&self, accepted_at: UnixMillis) -> Duration {
        let wait = self.message.time_to_send.map_or(0, |due| due.saturating_sub(accepted_at));
        Duration::from_millis(u64::try_from(wait).unwrap_or(0))
    }

    fn keep(&self, world: &World, accepted_at: UnixMillis, history: History) {
        let id = &self.message.omnimessage_id;
        world.messente.messages.keep(id, || Omnimessage { accepted_at, history, ..self.message.clone() });
    }

    fn accepted(&self) -> Response {
        let message = &self.message;
        let accepted =
            AcceptedMessage { channel: "sms", message_id: &message.message_id, sender: &message.sender };
        let body =
            Accepted { messages: [accepted], omnimessage_id: &message.omnimessage_id, to: &message.to };
        answer::json(StatusCode::CREATED, &body)
    }

    fn refused(&self, refusal: Refusal) -> Response {
        match refusal {
            Refusal::Throttled => fault::too_many_requests(),
            Refusal::Unavailable => fault::unavailable().into_response(),
            Refusal::InvalidRecipient => Problem::invalid("to", "Invalid phone number").into_response(),
            Refusal::ServerError => fault::internal().into_response(),
        }
    }

    fn receipts(&self, _world: &World, event: ReceiptEvent, at: UnixMillis) -> Vec<Outgoing> {
        callback::outgoing(self, event, at).into_iter().collect()
    }
}
