//! Twilio Programmable Messaging, the `Messages` resource of API 2010-04-01.

mod errors;
mod lookup;
mod receipts;
mod signature;

use hermes_adapter_sdk::{
    Provider, Submission, base_url,
    contract::{
        Acceptance, Auth, BasicAuth, Channel, Content, Descriptor, Destination, Effect, ErrorClass,
        HttpRequest, HttpResponse, Idempotency, Level, LookupQuery, Outcome, Price, Received, Refusal,
        SendCall, SmsContent, Webhook,
    },
    get, host, identifier, json, optional_credential, optional_identifier, optional_setting, pick, post_form,
    refused_with,
};
use serde_json::Value;

/// Longest time a message may wait in Twilio's queue, in seconds.
const VALIDITY_S_MAX: u32 = 36_000;

#[cfg(not(feature = "next"))]
const VERSION: &str = env!("CARGO_PKG_VERSION");
#[cfg(feature = "next")]
const VERSION: &str = "1.99.0";

struct Twilio;

hermes_adapter_sdk::adapter!(Twilio);

impl Provider for Twilio {
    fn descriptor() -> Descriptor {
        Descriptor {
            name: "twilio".to_owned(),
            version: VERSION.to_owned(),
            channels: vec![Channel::Sms],
            credentials: vec![
                identifier("account_sid", "Account SID (AC...)"),
                hermes_adapter_sdk::credential(
                    "auth_token",
                    "auth token; also the key of webhook signatures",
                ),
                optional_identifier(
                    "api_key_sid",
                    "API key SID (SK...) to log in with instead of the auth token",
                ),
                optional_credential("api_key_secret", "secret of the API key"),
                optional_credential(
                    "webhook_shared_key",
                    "shared key that webhooks are signed with, where set up",
                ),
            ],
            config: vec![
                optional_setting("from", "sender: E.164 number, short code or alphanumeric id"),
                optional_setting("messaging_service_sid", "Messaging Service (MG...) that picks the sender"),
            ],
            hosts: vec!["api.twilio.com".to_owned()],
            idempotency: Idempotency::Lookup,
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
        let senders = senders(call.sender.as_deref());
        if senders.is_empty() {
            return Err(refused_with(ErrorClass::SenderRejected, "the connection has no sender"));
        }
        let validity = call.valid_for_s.clamp(1, VALIDITY_S_MAX).to_string();
        let mut fields = vec![("To", to.as_str())];
        fields.extend(senders.iter().map(|(name, value)| (*name, value.as_str())));
        fields.extend(body_fields(content));
        fields
            .extend([("StatusCallback", call.callback_url.as_str()), ("ValidityPeriod", validity.as_str())]);
        let request = post_form(account_url("/Messages.json")?, &fields, auth(), Effect::Submits);
        Ok(Submission { request, notes: Vec::new() })
    }

    fn outcome(response: &HttpResponse, _notes: &[u8]) -> Outcome {
        let answer = json(&response.body);
        match (response.status, pick(&answer, "/sid")) {
            (200..=299, Some(_)) => accepted(&answer),
            _ => errors::refusal(response, &answer),
        }
    }

    fn receipts(webhook: &Webhook) -> Result<Received, Refusal> {
        let fields = signature::verified_fields(webhook)?;
        Ok(receipts::read(webhook, &fields))
    }

    fn check() -> Result<HttpRequest, Outcome> {
        // API keys of the standard kind may send and read messages but not read the account.
        let resource = if by_key() { "/Messages.json?PageSize=1" } else { ".json" };
        Ok(get(account_url(resource)?, auth()))
    }

    fn checked(response: &HttpResponse) -> Outcome {
        let answer = json(&response.body);
        match (response.status, pick(&answer, "/status")) {
            (200..=299, Some("active")) => hermes_adapter_sdk::accepted(None, None),
            (200..=299, None) if answer.pointer("/messages").is_some_and(Value::is_array) => {
                hermes_adapter_sdk::accepted(None, None)
            }
            (200..=299, Some(_)) => refused_with(ErrorClass::Funds, "the account is not active"),
            _ => errors::refusal(response, &answer),
        }
    }

    fn lookup(query: LookupQuery) -> Option<Submission> {
        lookup::request(query)
    }

    fn found(response: &HttpResponse, notes: &[u8]) -> Outcome {
        lookup::outcome(response, notes)
    }
}

/// Length of an identifier: two letters and 32 hexadecimal digits.
const SID_CHARS: usize = 34;

/// A sender named by the message stands alone; otherwise the connection's service, number or both.
fn senders(named: Option<&str>) -> Vec<(&'static str, String)> {
    let is_service = |sender: &str| sender.len() == SID_CHARS && sender.starts_with("MG");
    match named {
        Some(sender) if is_service(sender) => vec![("MessagingServiceSid", sender.to_owned())],
        Some(sender) => vec![("From", sender.to_owned())],
        None => {
            let setting =
                |field, name| Some((field, host::get_config(name).filter(|text| !text.is_empty())?));
            let service = setting("MessagingServiceSid", "messaging_service_sid");
            service.into_iter().chain(setting("From", "from")).collect()
        }
    }
}

fn body_fields(content: &SmsContent) -> impl Iterator<Item = (&'static str, &str)> {
    let text = content.text.iter().map(|text| ("Body", text.as_str()));
    text.chain(content.media_urls.iter().map(|url| ("MediaUrl", url.as_str())))
}

/// An API key logs in where there is one; the path always names the account.
fn auth() -> Auth {
    let (user, password) =
        if by_key() { ("api_key_sid", "api_key_secret") } else { ("account_sid", "auth_token") };
    Auth::Basic(BasicAuth { user: user.to_owned(), password: password.to_owned() })
}

fn by_key() -> bool {
    host::has_credential("api_key_sid") && host::has_credential("api_key_secret")
}

fn account_url(tail: &str) -> Result<String, Outcome> {
    let account =
        host::get_config("account_sid").filter(|sid| sid.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let account =
        account.ok_or_else(|| refused_with(ErrorClass::Auth, "account_sid is missing or malformed"))?;
    let base = base_url().unwrap_or_else(|| "https://api.twilio.com".to_owned());
    Ok(format!("{base}/2010-04-01/Accounts/{account}{tail}"))
}

/// Reads a message resource that Twilio holds: accepted, with how far it got, or already failed.
fn accepted(message: &Value) -> Outcome {
    if let Some(failure) = receipts::failure_of(message) {
        return Outcome::Rejected(failure);
    }
    let segments =
        pick(message, "/num_segments").and_then(|text| text.parse().ok()).filter(|count| *count > 0);
    let amount = pick(message, "/price").map(|price| price.trim_start_matches('-').to_owned());
    let currency = pick(message, "/price_unit").map(str::to_owned);
    Outcome::Accepted(Acceptance {
        provider_message_id: pick(message, "/sid").map(str::to_owned),
        level: pick(message, "/status").and_then(receipts::level),
        segments,
        cost: amount.zip(currency).map(|(amount, currency)| Price { amount, currency }),
    })
}
