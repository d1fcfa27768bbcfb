//! A webhook from SNS: certificate first, then the event; a subscription is confirmed on the way.

use hermes_adapter_sdk::{
    contract::{Auth, HttpResponse, Pending, ReceiveStep, Refusal, Webhook},
    get, header,
    host::{self, LogLevel},
    nothing,
};

use crate::{
    events,
    sns::{Envelope, Kind},
};

/// The certificate is being fetched.
const CERTIFICATE: &[u8] = b"certificate";
/// A verified subscription is being confirmed.
const CONFIRMATION: &[u8] = b"confirmation";

/// Checks everything that needs no certificate, then asks for it.
pub(crate) fn begin(webhook: &Webhook) -> ReceiveStep {
    // Raw delivery carries no signature at all.
    if header(&webhook.headers, "x-amz-sns-rawdelivery") == Some("true") {
        return refused(Refusal::BadSignature);
    }
    let Some(envelope) = Envelope::read(&webhook.body) else { return refused(Refusal::Malformed) };
    match envelope.certificate_url().filter(|_| envelope.topic_is_ours()) {
        Some(url) => fetch(url, CERTIFICATE),
        None => refused(Refusal::BadSignature),
    }
}

/// Goes on with the certificate, or with the answer to a confirmation.
pub(crate) fn resume(webhook: &Webhook, state: &[u8], response: &HttpResponse) -> ReceiveStep {
    let fetched = (200..=299).contains(&response.status);
    if state == CONFIRMATION {
        let level = if fetched { LogLevel::Info } else { LogLevel::Warn };
        host::log(level, &format!("subscription confirmation answered with status {}", response.status));
        return if fetched { ReceiveStep::Done(Ok(nothing())) } else { refused(Refusal::SendAgain) };
    }
    let envelope = Envelope::read(&webhook.body).filter(|_| state == CERTIFICATE);
    let Some(envelope) = envelope else { return refused(Refusal::Malformed) };
    if !fetched {
        return refused(Refusal::SendAgain); // SNS takes any 4xx for final.
    }
    let certificate = String::from_utf8_lossy(&response.body);
    if !envelope.topic_is_ours() || !envelope.is_signed_by(&certificate) {
        return refused(Refusal::BadSignature);
    }
    verified(&envelope)
}

fn verified(envelope: &Envelope) -> ReceiveStep {
    match envelope.kind {
        Kind::Notification => {
            let message = envelope.get("Message").unwrap_or_default();
            ReceiveStep::Done(Ok(events::read(message)))
        }
        Kind::SubscriptionConfirmation => match envelope.subscribe_url() {
            Some(url) => fetch(url, CONFIRMATION),
            None => refused(Refusal::Malformed),
        },
        Kind::UnsubscribeConfirmation => {
            host::log(LogLevel::Warn, "a subscription to the events of this connection was removed");
            ReceiveStep::Done(Ok(nothing()))
        }
    }
}

fn fetch(url: &str, state: &[u8]) -> ReceiveStep {
    ReceiveStep::Request(Pending { request: get(url.to_owned(), Auth::None), state: state.to_vec() })
}

fn refused(refusal: Refusal) -> ReceiveStep {
    ReceiveStep::Done(Err(refusal))
}
