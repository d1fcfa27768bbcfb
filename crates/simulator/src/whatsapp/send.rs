//! `POST /{version}/{phone-number-id}/messages`.

use std::sync::Arc;

use axum::{extract::Request, response::Response};
use http::{StatusCode, request::Parts};
use serde_json::{Map, Value, json};

use super::{
    Number, fault,
    fault::Fault,
    lookup::Kept,
    message::{self, Message, Recipient},
    status::{self, Receipts, Status},
    wamid,
    webhook::{self, Person, Subject},
};
use crate::{
    answer,
    carrier::{self, History, Refusal, Submission},
    clock::UnixMillis,
    inbound,
    log::Provider,
    receipts::Outgoing,
    reference::Reference,
    script::{Behaviour, ReceiptEvent},
    world::World,
};

const REQUEST_BYTES_MAX: usize = 256 * 1024;

/// What the ending of a number means here only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Plain,
    /// 9921: free-form messages are refused, for nobody wrote to us in the last day.
    WindowClosed,
    /// 9922: the same, told by webhook.
    WindowClosedLater,
    /// 9923: delivered, then marketing is stopped in the app.
    StopsMarketing,
    /// 9924: delivered and read.
    Reads,
    /// 9925: read, and nothing is told of the delivery.
    ReadsOnly,
}

/// A checked request.
struct Submitted {
    number: Arc<Number>,
    message: Message,
    person: Person,
    subject: Subject,
    manner: Manner,
    reference: Option<Reference>,
}

pub(super) async fn send(world: &Arc<World>, id: &str, request: Request) -> Response {
    let refuse = |reference, recipient: &str, fault: Fault| {
        carrier::refuse(world, Provider::WhatsApp, reference, recipient, fault.into_response())
    };
    let Ok((parts, body)) = inbound::read(request, REQUEST_BYTES_MAX).await else {
        return refuse(None, "", fault::parameter("The request is too large."));
    };
    let number = match world.whatsapp.authorize(&parts.headers, &parts.method, id) {
        Ok(number) => number,
        Err(fault) => return refuse(None, "", fault),
    };
    let body = parse(&parts, &body);
    let (reference, input) = (message::reference(&body), message::input(&body));
    let message = match message::check(&body, &number.account) {
        Ok(message) => message,
        Err(fault) => return refuse(reference, input, fault),
    };
    let submitted = Submitted::new(number, message, reference);
    if submitted.manner == Manner::WindowClosed && submitted.message.category.is_none() {
        let fault = Fault::known(StatusCode::BAD_REQUEST, fault::WINDOW_CLOSED);
        return refuse(submitted.reference, input, fault);
    }
    carrier::carry(world, submitted).await
}

/// What Graph cannot read as JSON has no parameters, so the first one needed is missing.
fn parse(parts: &Parts, body: &[u8]) -> Map<String, Value> {
    let is_json = inbound::has_content_type(&parts.headers, "application/json");
    if is_json { serde_json::from_slice(body).unwrap_or_default() } else { Map::new() }
}

impl Submitted {
    fn new(number: Arc<Number>, message: Message, reference: Option<Reference>) -> Self {
        let (person, name) = match &message.recipient {
            // Users have an id of their own for each business, which is not the number.
            Recipient::Phone { wa_id } => {
                let user = format!("{}/{wa_id}", number.account.business_account_id);
                (Person::new(Some(wa_id.clone()), format!("US.{}", wamid::digits(&user))), wa_id)
            }
            Recipient::User { id } => (Person::new(None, id.clone()), id),
        };
        let subject = Subject {
            id: wamid::random(name),
            callback_data: message.callback_data.clone(),
            category: message.category.clone(),
        };
        let manner = Manner::of(name);
        Self { number, message, person, subject, manner, reference }
    }

    fn statuses(&self, event: ReceiptEvent) -> Vec<Status> {
        let receipts = match self.manner {
            Manner::Reads => Receipts::DeliveredAndRead,
            Manner::ReadsOnly => Receipts::Read,
            _ => Receipts::Delivered,
        };
        let is_late = self.manner == Manner::WindowClosedLater;
        let failure = if is_late { fault::WINDOW_CLOSED } else { fault::UNDELIVERABLE };
        status::of_event(event, receipts, failure)
    }

    /// The price is told when the message is sent, and with the first word of its arrival.
    fn is_priced(&self, status: Status) -> bool {
        match status {
            Status::Sent | Status::Delivered => true,
            Status::Read => self.manner == Manner::ReadsOnly,
            Status::Failed(_) => false,
        }
    }
}

impl Manner {
    fn of(recipient: &str) -> Self {
        match recipient.len().checked_sub(4).and_then(|start| recipient.get(start..)) {
            Some("9921") => Self::WindowClosed,
            Some("9922") => Self::WindowClosedLater,
            Some("9923") => Self::StopsMarketing,
            Some("9924") => Self::Reads,
            Some("9925") => Self::ReadsOnly,
            _ => Self::Plain,
        }
    }
}

impl Submission for Submitted {
    const PROVIDER: Provider = Provider::WhatsApp;

    fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    fn recipient(&self) -> &str {
        self.person.wa_id.as_deref().unwrap_or(&self.person.user_id)
    }

    fn behaviour(&self) -> Behaviour {
        match self.manner {
            Manner::WindowClosedLater if self.message.category.is_none() => Behaviour::Undelivered,
            Manner::StopsMarketing => Behaviour::DeliveredThenStop,
            _ => Behaviour::of_phone(self.recipient()),
        }
    }

    fn keep(&self, world: &World, _accepted_at: UnixMillis, history: History) {
        world.whatsapp.messages.keep(&self.subject.id, || {
            let told = |(at, event)| self.statuses(event).into_iter().map(move |status| (at, status));
            Kept {
                phone_number_id: self.number.account.phone_number_id.clone(),
                id: self.subject.id.clone(),
                history: history.0.iter().copied().flat_map(told).collect(),
            }
        });
    }

    fn accepted(&self) -> Response {
        let mut contact = json!({ "input": self.message.input });
        match &self.message.recipient {
            Recipient::Phone { wa_id } => contact["wa_id"] = json!(wa_id),
            Recipient::User { id } => contact["user_id"] = json!(id),
        }
        let mut message = json!({ "id": self.subject.id });
        if self.message.category.is_some() {
            message["message_status"] = json!("accepted");
        }
        let body = json!({ "messaging_product": "whatsapp", "contacts": [contact], "messages": [message] });
        answer::json(StatusCode::OK, &body)
    }

    fn refused(&self, refusal: Refusal) -> Response {
        let fault = match refusal {
            Refusal::Throttled => Fault::known(StatusCode::TOO_MANY_REQUESTS, fault::RATE_LIMIT),
            Refusal::Unavailable => fault::unavailable(),
            Refusal::InvalidRecipient => Fault::known(StatusCode::BAD_REQUEST, fault::UNDELIVERABLE),
            Refusal::ServerError => fault::internal(),
        };
        fault.into_response()
    }

    fn receipts(&self, world: &World, event: ReceiptEvent, at: UnixMillis) -> Vec<Outgoing> {
        let Some(app) = &self.number.app else { return Vec::new() };
        let changes = match event {
            ReceiptEvent::OptedOut if self.manner == Manner::StopsMarketing => {
                vec![webhook::stopped(&self.number, &self.person, at)]
            }
            ReceiptEvent::OptedOut => {
                vec![webhook::inbound(&self.number, &self.person, "STOP", &self.subject.id, at)]
            }
            event => {
                let told = |status| {
                    let is_priced = self.is_priced(status);
                    webhook::status(&self.number, &self.person, &self.subject, status, is_priced, at)
                };
                self.statuses(event).into_iter().map(told).collect()
            }
        };
        app.tell(world, changes)
    }
}
