//! Messente, Omnichannel API v1.
//!
//! A submission is an *omnimessage* with exactly one message in it, known here by the omnimessage's id: reports
//! name it, and it is what a status is asked by.

mod blacklist;
mod codes;
mod receipts;

use hermes_adapter_sdk::{
    Provider, Submission, accepted, base_url, by_status,
    contract::{
        Acceptance, Auth, BasicAuth, Channel, Content, Descriptor, Destination, Effect, ErrorClass,
        HttpRequest, HttpResponse, Idempotency, Level, LookupQuery, Outcome, Received, Refusal, SendCall,
        Webhook,
    },
    credential, failure, get, host, json, optional_credential, optional_setting, pick, post_json, refused,
    refused_with, sanitized,
    suppression_list::{Answer, Operation},
    with_code,
};
use serde_json::{Map, Value, json};

struct Messente;

hermes_adapter_sdk::adapter!(Messente);

impl Provider for Messente {
    fn descriptor() -> Descriptor {
        Descriptor {
            name: "messente".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            channels: vec![Channel::Sms],
            credentials: vec![
                credential("username", "API username"),
                credential("password", "API password; also the key of report signatures"),
                optional_credential("inbound_secret", "shared secret of the inbound number"),
            ],
            config: vec![
                optional_setting("sender", "sender name or number; otherwise the account's default"),
                optional_setting(
                    "text_store",
                    "what Messente keeps: `nostore` (default), `plaintext`, `sha256`",
                ),
                optional_setting("priority", "`low`, `regular` or `high`"),
            ],
            hosts: vec!["api.messente.com".to_owned()],
            idempotency: Idempotency::None,
            confirms: vec![(Channel::Sms, Level::Delivered)],
            default_rate_per_s: 100,
            has_lookup: true,
            account_setting: None,
        }
    }

    fn request(call: SendCall) -> Result<Submission, Outcome> {
        let (Destination::Sms(to), Content::Sms(content)) = (&call.to, &call.content) else {
            return Err(refused_with(ErrorClass::Unknown, "this adapter carries SMS only"));
        };
        if !content.media_urls.is_empty() {
            return Err(refused_with(ErrorClass::ProviderFault, "Messente's SMS carries no media"));
        }
        let mut message = Map::new();
        message.insert("channel".to_owned(), json!("sms"));
        message.insert("text".to_owned(), json!(content.text.as_deref().unwrap_or_default()));
        message.insert("ttl".to_owned(), json!(call.valid_for_s));
        if let Some(sender) = call.sender.clone().or_else(|| setting("sender")) {
            message.insert("sender".to_owned(), json!(sender));
        }
        let mut body = json!({
            "to": to,
            "dlr_url": call.callback_url,
            "text_store": setting("text_store").unwrap_or_else(|| "nostore".to_owned()),
            "messages": [message],
        });
        if let (Some(priority), Some(fields)) = (setting("priority"), body.as_object_mut()) {
            fields.insert("priority".to_owned(), json!(priority));
        }
        let request = post_json(url("/omnimessage"), &body, auth(), Effect::Submits);
        Ok(Submission { request, notes: Vec::new() })
    }

    fn outcome(response: &HttpResponse, _notes: &[u8]) -> Outcome {
        let answer = json(&response.body);
        match (response.status, pick(&answer, "/omnimessage_id")) {
            (200..=299, Some(id)) => accepted(Some(id.to_owned()), None),
            _ => refusal(response, &answer),
        }
    }

    fn receipts(webhook: &Webhook) -> Result<Received, Refusal> {
        receipts::read(webhook)
    }

    /// Messente has no call that only logs in: the status of a message that cannot exist is not found for whoever
    /// is known.
    fn check() -> Result<HttpRequest, Outcome> {
        Ok(get(url("/omnimessage/00000000-0000-4000-8000-000000000000/status"), auth()))
    }

    fn checked(response: &HttpResponse) -> Outcome {
        match response.status {
            404 => accepted(None, None),
            _ => refusal(response, &json(&response.body)),
        }
    }

    fn lookup(query: LookupQuery) -> Option<Submission> {
        let id = sanitized(query.provider_message_id.as_deref()?, 60);
        let request = get(url(&format!("/omnimessage/{id}/status")), auth());
        Some(Submission { request, notes: Vec::new() })
    }

    fn found(response: &HttpResponse, _notes: &[u8]) -> Outcome {
        let answer = json(&response.body);
        let status = answer.pointer("/statuses/0").filter(|_| response.status == 200);
        let Some(status) = status else {
            return Outcome::Unknown(refused("Messente tells nothing about it"));
        };
        match receipts::status(status) {
            Some(Ok(level)) => Outcome::Accepted(Acceptance {
                provider_message_id: pick(&answer, "/omnimessage_id").map(str::to_owned),
                level: Some(level),
                segments: receipts::segments(status),
                cost: receipts::cost(status),
            }),
            Some(Err(end)) => Outcome::Rejected(receipts::failure_of(end)),
            None => Outcome::Unknown(refused("its status is not known yet")),
        }
    }

    fn list_channel() -> Option<Channel> {
        Some(Channel::Sms)
    }

    fn list(operation: Operation) -> Result<Submission, Answer> {
        Ok(blacklist::request(operation))
    }

    fn listed(response: &HttpResponse, notes: &[u8]) -> Answer {
        blacklist::answer(response, notes)
    }
}

fn setting(name: &str) -> Option<String> {
    host::get_config(name).filter(|text| !text.is_empty())
}

fn auth() -> Auth {
    Auth::Basic(BasicAuth { user: "username".to_owned(), password: "password".to_owned() })
}

fn url(path: &str) -> String {
    format!("{}/v1{path}", base_url().unwrap_or_else(|| "https://api.messente.com".to_owned()))
}

fn refusal(response: &HttpResponse, answer: &Value) -> Outcome {
    let error = answer.pointer("/errors/0");
    let Some((error, code)) = error.and_then(|error| Some((error, pick(error, "/code")?))) else {
        return by_status(response);
    };
    let told = |class, detail: &str| failure(class, code.to_owned(), detail);
    match code {
        "101" | "107" => Outcome::Rejected(told(ErrorClass::Unknown, "the request was refused")),
        "102" | "103" => {
            Outcome::Rejected(told(ErrorClass::Auth, "the credentials or our address were refused"))
        }
        "104" => Outcome::ServerError(told(ErrorClass::ProviderFault, "Messente failed")),
        "105" | "106" => {
            let (class, detail) = codes::by_source(pick(error, "/source").unwrap_or_default());
            Outcome::Rejected(told(class, detail))
        }
        _ => with_code(by_status(response), code),
    }
}
