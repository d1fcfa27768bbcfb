//! `POST /2010-04-01/Accounts/{AccountSid}/Messages.json`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use http::{HeaderValue, StatusCode};
use url::Url;

use super::{auth, callback, fault, fault::Fault, form::Form, message::Message};
use crate::{
    TwilioAccount, answer,
    carrier::{self, History, Refusal, Submission},
    clock::{self, UnixMillis},
    inbound,
    log::Provider,
    receipts::Outgoing,
    reference::Reference,
    script::{Behaviour, ReceiptEvent},
    world::World,
};

/// Room for 1,600 escaped characters and ten long media URLs.
const REQUEST_BYTES_MAX: usize = 256 * 1024;

/// A checked request.
pub(super) struct Sms {
    pub(super) account: Arc<TwilioAccount>,
    pub(super) message: Message,
    pub(super) callback: Option<Callback>,
    reference: Option<Reference>,
}

/// Where receipts go. The text is what is signed: parsing it may have changed its spelling.
pub(super) struct Callback {
    pub(super) text: String,
    pub(super) url: Url,
}

pub(super) async fn send(
    State(world): State<Arc<World>>,
    Path(account): Path<String>,
    request: Request,
) -> Response {
    let Ok((parts, body)) = inbound::read(request, REQUEST_BYTES_MAX).await else {
        return carrier::refuse(&world, Provider::Twilio, None, "", fault::TOO_LARGE.into_response());
    };
    let account = match auth::log_in(&world.twilio, &parts.headers, &account, parts.uri.path()) {
        Ok(account) => account,
        Err(fault) => return carrier::refuse(&world, Provider::Twilio, None, "", fault.into_response()),
    };
    // A body of another type has no parameters, so the first required one is missing.
    let is_form = inbound::has_content_type(&parts.headers, "application/x-www-form-urlencoded");
    let form = if is_form { Form::parse(&body) } else { Form::default() };
    let callback = match form.check(&account) {
        Ok(callback) => callback,
        Err(fault) => {
            return carrier::refuse(
                &world,
                Provider::Twilio,
                form.reference(),
                &form.to,
                fault.into_response(),
            );
        }
    };
    let sid =
        format!("{}{:032x}", if form.media_urls.is_empty() { "SM" } else { "MM" }, rand::random::<u128>());
    let sms = Sms {
        reference: form.reference(),
        message: Message::new(sid, &account.account_sid, &form, clock::now()),
        callback: callback.and_then(|url| Some(Callback { text: form.status_callback?, url })),
        account,
    };
    carrier::carry(&world, sms).await
}

impl Submission for Sms {
    const PROVIDER: Provider = Provider::Twilio;

    fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    fn recipient(&self) -> &str {
        &self.message.to
    }

    fn behaviour(&self) -> Behaviour {
        Behaviour::of_phone(&self.message.to)
    }

    fn segments(&self) -> Option<usize> {
        Some(self.message.parts())
    }

    fn keep(&self, world: &World, accepted_at: UnixMillis, history: History) {
        world.twilio.messages.keep(&self.message.sid, || self.message.accepted(accepted_at, history));
    }

    fn accepted(&self) -> Response {
        let mut response = answer::json(StatusCode::CREATED, &self.message.resource(self.message.created_at));
        response.headers_mut().insert("twilio-concurrent-requests", HeaderValue::from_static("1"));
        response
    }

    fn refused(&self, refusal: Refusal) -> Response {
        let fault: Fault = match refusal {
            Refusal::Throttled => fault::TOO_MANY_REQUESTS,
            Refusal::Unavailable => fault::MAINTENANCE,
            Refusal::InvalidRecipient => fault::invalid_to(&self.message.to),
            Refusal::ServerError => fault::INTERNAL,
        };
        fault.into_response()
    }

    fn receipts(&self, _world: &World, event: ReceiptEvent, at: UnixMillis) -> Vec<Outgoing> {
        callback::outgoing(self, event, at).into_iter().collect()
    }
}
