//! Reading the account and the insights of a message.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    fault::{self, Fault},
    send::{Email, authenticate},
};
use crate::{
    SesAccount, answer,
    carrier::History,
    clock::{self, UnixMillis},
    inbound,
    script::ReceiptEvent,
    world::World,
};

/// A `GET` has no body to speak of.
const REQUEST_BYTES_MAX: usize = 1024;

/// An email that SES took over.
pub(super) struct Sent {
    pub(super) email: Email,
    pub(super) history: History,
}

async fn authenticated(world: &World, request: Request) -> Result<Arc<SesAccount>, Fault> {
    let (parts, body) = inbound::read(request, REQUEST_BYTES_MAX).await.map_err(|_| fault::TOO_LARGE)?;
    authenticate(world, &parts, &body)
}

pub(super) fn respond(result: Result<Value, Fault>) -> Response {
    match result {
        Ok(body) => fault::with_request_id(answer::json(StatusCode::OK, &body)),
        Err(fault) => fault.into_response(),
    }
}

/// `GET /v2/email/account`.
pub(super) async fn account(State(world): State<Arc<World>>, request: Request) -> Response {
    respond(authenticated(&world, request).await.map(|_| {
        json!({
            "DedicatedIpAutoWarmupEnabled": false,
            "EnforcementStatus": "HEALTHY",
            "ProductionAccessEnabled": true,
            "SendQuota": { "Max24HourSend": 1_000_000.0, "MaxSendRate": 10_000.0, "SentLast24Hours": 0.0 },
            "SendingEnabled": true,
            "SuppressionAttributes": { "SuppressedReasons": ["BOUNCE", "COMPLAINT"] },
        })
    }))
}

/// `GET /v2/email/insights/{MessageId}/`.
pub(super) async fn insights(
    State(world): State<Arc<World>>,
    Path(message): Path<String>,
    request: Request,
) -> Response {
    let found = authenticated(&world, request).await.and_then(|account| {
        let sent = world.ses.messages.find(&message);
        sent.filter(|sent| sent.email.account.access_key_id == account.access_key_id)
            .ok_or_else(|| Fault::not_found("Message does not exist."))
    });
    respond(found.map(|sent| report(&sent, clock::now())))
}

fn report(sent: &Sent, now: UnixMillis) -> Value {
    let email = &sent.email;
    let accepted = json!({ "Timestamp": seconds(email.created_at), "Type": "SEND", "Details": {} });
    let mut events = vec![accepted];
    events.extend(sent.history.until(now).filter_map(|(at, event)| event_of(event, at)));
    events[1..].reverse();
    let tags: Value = email.tags.iter().map(|tag| json!({ "Name": tag.name, "Value": tag.value })).collect();
    let insights: Value = email
        .recipients
        .iter()
        .map(|address| json!({ "Destination": address, "Isp": "Simulator", "Events": events }))
        .collect();
    json!({
        "MessageId": email.message_id,
        "FromEmailAddress": email.from,
        "Subject": email.subject,
        "EmailTags": tags,
        "Insights": insights,
    })
}

/// `None` for what insights do not have a word for, and for the SEND that is listed anyway.
fn event_of(event: ReceiptEvent, at: UnixMillis) -> Option<Value> {
    let bounce = |sub_type: &str| {
        json!({ "Bounce": {
            "BounceType": "PERMANENT",
            "BounceSubType": sub_type,
            "DiagnosticCode": "smtp; 550 5.1.1 user unknown",
        }})
    };
    let (event_type, details) = match event {
        ReceiptEvent::Sent => return None,
        ReceiptEvent::Delivered => ("DELIVERY", json!({})),
        ReceiptEvent::Undelivered => ("BOUNCE", bounce("NoEmail")),
        ReceiptEvent::Suppressed => ("BOUNCE", bounce("OnAccountSuppressionList")),
        ReceiptEvent::Complained => {
            ("COMPLAINT", json!({ "Complaint": { "ComplaintFeedbackType": "abuse" } }))
        }
        ReceiptEvent::OptedOut => ("SUBSCRIPTION", json!({})),
    };
    Some(json!({ "Timestamp": seconds(at), "Type": event_type, "Details": details }))
}

/// Epoch seconds, as AWS writes times in JSON.
pub(super) fn seconds(at: UnixMillis) -> Value {
    // Exact to the millisecond for any time of this century.
    #[expect(clippy::cast_precision_loss, reason = "the format is a JSON number of seconds")]
    let seconds = at as f64 / 1000.0;
    json!(seconds)
}
