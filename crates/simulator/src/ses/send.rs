//! `POST /v2/email/outbound-emails`.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Request, State},
    response::Response,
};
use http::{StatusCode, request::Parts};
use serde_json::json;

use super::{
    check, event,
    fault::{self, Fault},
    read::Sent,
    request::{SendEmail, Tag, bare_address},
    sigv4::{self, Authorization, Signed},
    suppression,
};
use crate::{
    SesAccount, answer,
    carrier::{self, History, Refusal, Submission},
    clock::{self, UnixMillis},
    inbound,
    log::Provider,
    receipts::Outgoing,
    reference::Reference,
    script::{Behaviour, ReceiptEvent},
    world::World,
};

/// 40 MB of message, as base64 in JSON.
const REQUEST_BYTES_MAX: usize = 56 * 1024 * 1024;
/// The tag that carries our reference.
const REFERENCE_TAG: &str = "hermes_ref";
const MAILBOX_SIMULATOR: &str = "@simulator.amazonses.com";

/// A checked request, reduced to what events and lookups tell.
#[derive(Clone)]
pub(super) struct Email {
    pub(super) message_id: String,
    pub(super) account: Arc<SesAccount>,
    pub(super) from: String,
    pub(super) recipients: Vec<String>,
    pub(super) subject: Option<String>,
    pub(super) tags: Vec<Tag>,
    pub(super) configuration_set: Option<String>,
    pub(super) created_at: UnixMillis,
    reference: Option<Reference>,
    /// The first recipient is on the suppression list.
    suppressed: bool,
}

pub(super) async fn send(State(world): State<Arc<World>>, request: Request) -> Response {
    let refuse = |reference, recipient: &str, fault: Fault| {
        carrier::refuse(&world, Provider::Ses, reference, recipient, fault.into_response())
    };
    let Ok((parts, body)) = inbound::read(request, REQUEST_BYTES_MAX).await else {
        return refuse(None, "", fault::TOO_LARGE);
    };
    let (account, request) = match authenticate(&world, &parts, &body).and_then(|account| {
        let request = parse(&parts, &body)?;
        Ok((account, request))
    }) {
        Ok(checked) => checked,
        Err(fault) => return refuse(None, "", fault),
    };
    let reference = request.tag(REFERENCE_TAG).and_then(Reference::parse);
    if let Err(fault) = check::check(&request, &account, &world.ses.topics) {
        return refuse(reference, bare_address(request.first_recipient()), fault);
    }
    let suppressed = suppression::holds(&world, &account, &request);
    carrier::carry(&world, Email { suppressed, ..Email::new(request, account, reference) }).await
}

/// The account whose key signed the request.
pub(super) fn authenticate(world: &World, parts: &Parts, body: &Bytes) -> Result<Arc<SesAccount>, Fault> {
    let authorization = Authorization::parse(&parts.headers)?;
    let account = world.ses.accounts.read().get(authorization.access_key_id).cloned();
    let account = account.ok_or_else(sigv4::unknown_key)?;
    let signed = Signed { method: &parts.method, uri: &parts.uri, headers: &parts.headers, body };
    authorization.check(&account, &signed, clock::now())?;
    Ok(account)
}

fn parse(parts: &Parts, body: &Bytes) -> Result<SendEmail, Fault> {
    if !inbound::has_content_type(&parts.headers, "application/json") {
        return Err(fault::UNSUPPORTED_MEDIA_TYPE);
    }
    // The parser's own words may quote values; only the place is passed on.
    serde_json::from_slice(body).map_err(|cause| {
        Fault::serialization(format!(
            "Cannot read the request at line {} column {}",
            cause.line(),
            cause.column()
        ))
    })
}

impl Email {
    fn new(request: SendEmail, account: Arc<SesAccount>, reference: Option<Reference>) -> Self {
        let created_at = clock::now();
        let recipients = request.destination.iter().flat_map(|destination| destination.recipients());
        Self {
            message_id: new_message_id(created_at),
            from: request.from_email_address.clone().unwrap_or_default(),
            recipients: recipients.map(|address| bare_address(address).to_owned()).collect(),
            subject: request.subject().map(str::to_owned),
            configuration_set: request
                .configuration_set_name
                .or_else(|| account.default_configuration_set.clone()),
            tags: request.email_tags.unwrap_or_default(),
            account,
            created_at,
            reference,
            suppressed: false,
        }
    }
}

/// `0102018f3c0a1b2c-5d6e7f80-1234-4abc-9def-0123456789ab-000000`.
fn new_message_id(created_at: UnixMillis) -> String {
    format!("0102{created_at:012x}-{}-000000", super::sns::random_uuid())
}

impl Submission for Email {
    const PROVIDER: Provider = Provider::Ses;

    fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    fn recipient(&self) -> &str {
        self.recipients.first().map_or("", |recipient| recipient)
    }

    fn behaviour(&self) -> Behaviour {
        if self.suppressed {
            return Behaviour::Suppressed;
        }
        let recipient = self.recipient().to_ascii_lowercase();
        match recipient
            .strip_suffix(MAILBOX_SIMULATOR)
            .map(|local| local.split('+').next().unwrap_or_default())
        {
            Some("bounce") => Behaviour::Undelivered,
            Some("complaint") => Behaviour::Complained,
            Some("suppressionlist") => Behaviour::Suppressed,
            Some(_) | None => Behaviour::of_email(&recipient),
        }
    }

    fn keep(&self, world: &World, _accepted_at: UnixMillis, history: History) {
        world.ses.messages.keep(&self.message_id, || Sent { email: self.clone(), history });
    }

    fn accepted(&self) -> Response {
        fault::with_request_id(answer::json(StatusCode::OK, &json!({ "MessageId": self.message_id })))
    }

    fn refused(&self, refusal: Refusal) -> Response {
        let fault = match refusal {
            Refusal::Throttled => fault::THROTTLED,
            Refusal::Unavailable => fault::UNAVAILABLE,
            Refusal::InvalidRecipient => Fault::bad_request("Domain contains illegal character"),
            Refusal::ServerError => fault::INTERNAL,
        };
        fault.into_response()
    }

    fn receipts(&self, world: &World, event: ReceiptEvent, at: UnixMillis) -> Vec<Outgoing> {
        let set = self.configuration_set.as_deref();
        let Some((set, topic)) = set.and_then(|set| Some((set, world.ses.topics.topic_of(set)?))) else {
            return Vec::new();
        };
        let message = event::event(self, set, event, at).to_string();
        let repeats_as = format!("{}/{event:?}", self.message_id);
        world.ses.signer.notifications(
            &world.base_url,
            &topic,
            &world.ses.topics.endpoints(&topic),
            &repeats_as,
            message,
            at,
        )
    }
}
