//! Acme SMS, a provider that does not exist: a complete adapter to begin from. `docs/adapters.md` walks through it.

use hermes_adapter_sdk::{
    Provider, Submission, accepted, base_url, by_status,
    contract::{
        Auth, Channel, Content, Descriptor, Destination, Effect, Entry, ErrorClass, HttpRequest,
        HttpResponse, Idempotency, Level, Outcome, ReceiptStatus, Received, Refusal, SendCall, Webhook,
    },
    credential, failure, get, header, hex,
    host::{self, Hash},
    inbound, json, keyword_kind, nothing, pick, post_json, receipt, refused_with, rfc3339_ms, same_bytes,
    setting,
};
use serde_json::{Value, json};

struct Acme;

hermes_adapter_sdk::adapter!(Acme);

impl Provider for Acme {
    fn descriptor() -> Descriptor {
        Descriptor {
            name: "acme".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            channels: vec![Channel::Sms],
            credentials: vec![
                credential("api_token", "token of the API"),
                credential("webhook_secret", "key that callbacks are signed with"),
            ],
            config: vec![setting("from", "sender of messages that name none")],
            hosts: vec!["api.acme.example".to_owned()],
            // Acme refuses a second message with the same reference.
            idempotency: Idempotency::Native,
            confirms: vec![(Channel::Sms, Level::Delivered)],
            default_rate_per_s: 50,
            has_lookup: false,
            account_setting: None,
        }
    }

    fn request(call: SendCall) -> Result<Submission, Outcome> {
        let (Destination::Sms(to), Content::Sms(content)) = (&call.to, &call.content) else {
            return Err(refused_with(ErrorClass::Unknown, "this adapter carries SMS only"));
        };
        let from = call.sender.or_else(|| host::get_config("from"));
        let from = from.ok_or_else(|| refused_with(ErrorClass::SenderRejected, "there is no sender"))?;
        let body = json!({
            "to": to,
            "from": from,
            "text": content.text.as_deref().unwrap_or_default(),
            "reference": call.reference,
            "callback_url": call.callback_url,
            "valid_for_s": call.valid_for_s,
        });
        let request = post_json(url("/v1/messages"), &body, auth(), Effect::Submits);
        Ok(Submission { request, notes: Vec::new() })
    }

    fn outcome(response: &HttpResponse, _notes: &[u8]) -> Outcome {
        let answer = json(&response.body);
        if let (201, Some(id)) = (response.status, pick(&answer, "/id")) {
            return accepted(Some(id.to_owned()), None);
        }
        match pick(&answer, "/error/code").and_then(rejection) {
            Some((class, detail)) => {
                let code = pick(&answer, "/error/code").map(str::to_owned);
                Outcome::Rejected(failure(class, code, detail))
            }
            // 429 with its Retry-After, 401, 5xx and what nobody has thought of.
            None => by_status(response),
        }
    }

    fn receipts(webhook: &Webhook) -> Result<Received, Refusal> {
        let given = header(&webhook.headers, "x-acme-signature").unwrap_or_default();
        let expected = hex(&host::hmac(Hash::Sha256, "webhook_secret", &webhook.body));
        if !same_bytes(expected.as_bytes(), given.as_bytes()) {
            return Err(Refusal::BadSignature);
        }
        let event = json(&webhook.body);
        match pick(&event, "/type") {
            Some("status") => Ok(status(&event)),
            Some("inbound") => Ok(from_person(&event)),
            Some(_) => Ok(nothing()),
            None => Err(Refusal::Malformed),
        }
    }

    fn check() -> Result<HttpRequest, Outcome> {
        Ok(get(url("/v1/account"), auth()))
    }

    fn checked(response: &HttpResponse) -> Outcome {
        if response.status == 200 { accepted(None, None) } else { by_status(response) }
    }
}

fn url(path: &str) -> String {
    format!("{}{path}", base_url().unwrap_or_else(|| "https://api.acme.example".to_owned()))
}

/// By the credential's name: the adapter never sees its value.
fn auth() -> Auth {
    Auth::Bearer("api_token".to_owned())
}

fn rejection(code: &str) -> Option<(ErrorClass, &'static str)> {
    Some(match code {
        "bad_recipient" => (ErrorClass::RecipientPermanent, "the recipient's number is not valid"),
        "bad_sender" => (ErrorClass::SenderRejected, "the sender is not allowed"),
        "opted_out" => (ErrorClass::OptedOut, "the recipient opted out"),
        "no_credit" => (ErrorClass::Funds, "the account has no credit"),
        _ => return None,
    })
}

fn status(event: &Value) -> Received {
    let code = pick(event, "/error").map(str::to_owned);
    let status = match pick(event, "/status") {
        Some("sent") => ReceiptStatus::Reached(Level::Sent),
        Some("delivered") => ReceiptStatus::Reached(Level::Delivered),
        Some("undelivered") => {
            let (class, detail) = code
                .as_deref()
                .and_then(rejection)
                .unwrap_or((ErrorClass::RecipientPermanent, "could not be delivered"));
            ReceiptStatus::Undelivered(failure(class, code, detail))
        }
        Some("expired") => {
            ReceiptStatus::Expired(failure(ErrorClass::RecipientTemporary, code, "its validity ran out"))
        }
        _ => return nothing(),
    };
    let reference = pick(event, "/reference").map(str::to_owned);
    let mut receipt = receipt(reference, pick(event, "/id").map(str::to_owned), status);
    receipt.provider_time_ms = pick(event, "/at").and_then(rfc3339_ms);
    Received { entries: vec![Entry::Receipt(receipt)], reply: None }
}

fn from_person(event: &Value) -> Received {
    let (text, to) = (pick(event, "/text").unwrap_or_default(), pick(event, "/to").map(str::to_owned));
    let entry = |from: &str| {
        let kind = keyword_kind(from, text);
        Entry::Inbound(inbound(Channel::Sms, from.to_owned(), to.clone(), kind))
    };
    Received { entries: pick(event, "/from").map(entry).into_iter().collect(), reply: None }
}
