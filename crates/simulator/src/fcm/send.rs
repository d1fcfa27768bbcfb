//! `POST /v1/projects/{project}/messages:send`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use http::{StatusCode, request::Parts};
use serde_json::{Map, Value, json};

use super::{
    Fcm,
    fault::{self, Fault},
    message::{Message, Target, validates_only},
};
use crate::{
    answer,
    carrier::{self, History, Refusal, Submission},
    clock::{self, UnixMillis},
    inbound,
    log::Provider,
    receipts::Outgoing,
    reference::Reference,
    script::{Behaviour, ReceiptEvent},
    world::World,
};

const REQUEST_BYTES_MAX: usize = 1024 * 1024;

/// A checked request.
struct Push {
    project: String,
    target: Target,
    reference: Option<Reference>,
}

pub(super) async fn send(
    State(world): State<Arc<World>>,
    Path(project): Path<String>,
    request: Request,
) -> Response {
    let refuse = |reference, recipient: &str, fault: Fault| {
        carrier::refuse(&world, Provider::Fcm, reference, recipient, fault.into_response())
    };
    let Ok((parts, body)) = inbound::read(request, REQUEST_BYTES_MAX).await else {
        return refuse(None, "", fault::unreadable("Request payload size exceeds the limit: 1048576 bytes."));
    };
    let request = match authenticate_and_parse(&world.fcm, &project, &parts, &body) {
        Ok(request) => request,
        Err(fault) => return refuse(None, "", fault),
    };
    let Some(message) = Message::of(&request) else {
        return refuse(None, "", fault::invalid_argument("The message is not set."));
    };
    let violations = world.fcm.schema.check(&request);
    if !violations.is_empty() {
        return refuse(message.reference(), "", fault::violations(&violations));
    }
    let target = match message.target() {
        Ok(target) => target,
        Err(fault) => return refuse(message.reference(), "", fault),
    };
    if let Err(fault) = message.check(&target) {
        return refuse(message.reference(), target.text(), fault);
    }
    if validates_only(&request) {
        return validated(&project, &target);
    }
    carrier::carry(&world, Push { reference: message.reference(), project, target }).await
}

fn authenticate_and_parse(
    fcm: &Fcm,
    project: &str,
    parts: &Parts,
    body: &[u8],
) -> Result<Map<String, Value>, Fault> {
    fcm.tokens.check(&parts.headers, project, clock::now())?;
    if !inbound::has_content_type(&parts.headers, "application/json") {
        return Err(fault::unreadable(
            "Invalid JSON payload received. The content type must be application/json.",
        ));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(request)) => Ok(request),
        Ok(_) => Err(fault::unreadable("Invalid JSON payload received. Root element must be a message.")),
        Err(cause) => Err(fault::unreadable(format!(
            "Invalid JSON payload received. Unexpected token at line {} column {}.",
            cause.line(),
            cause.column()
        ))),
    }
}

/// Nothing was delivered; no submission is recorded either.
fn validated(project: &str, target: &Target) -> Response {
    match behaviour(target) {
        Behaviour::InvalidRecipient => fault::invalid_token().into_response(),
        Behaviour::Undelivered => fault::unregistered().into_response(),
        _ => success(project, "fake_message_id"),
    }
}

fn behaviour(target: &Target) -> Behaviour {
    match target {
        Target::Device(token) => Behaviour::of_token(token),
        Target::Topic(_) => Behaviour::Deliver,
    }
}

fn success(project: &str, id: &str) -> Response {
    answer::json(StatusCode::OK, &json!({ "name": format!("projects/{project}/messages/{id}") }))
}

impl Submission for Push {
    const PROVIDER: Provider = Provider::Fcm;

    fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    fn recipient(&self) -> &str {
        self.target.text()
    }

    fn behaviour(&self) -> Behaviour {
        // Without receipts there is no "accepted, then undelivered": a device that is gone is refused.
        match behaviour(&self.target) {
            Behaviour::Undelivered => Behaviour::InvalidRecipient,
            other => other,
        }
    }

    fn keep(&self, _world: &World, _accepted_at: UnixMillis, _history: History) {}

    fn accepted(&self) -> Response {
        let id = format!("0:{}%{:016x}", clock::now() * 1000, rand::random::<u64>());
        success(&self.project, &id)
    }

    fn refused(&self, refusal: Refusal) -> Response {
        let fault = match refusal {
            Refusal::Throttled => fault::quota_exceeded(&self.project),
            Refusal::Unavailable => fault::unavailable(),
            Refusal::InvalidRecipient if behaviour(&self.target) == Behaviour::Undelivered => {
                fault::unregistered()
            }
            Refusal::InvalidRecipient => fault::invalid_token(),
            Refusal::ServerError => fault::internal(),
        };
        fault.into_response()
    }

    fn receipts(&self, _world: &World, _event: ReceiptEvent, _at: UnixMillis) -> Vec<Outgoing> {
        Vec::new()
    }
}
