//! Vonage: the Messages API v1, or the older SMS API where the connection says `api` = `sms`.
//!
//! Both take numbers in E.164 without the plus.

mod codes;
mod gsm7;
mod jwt;
mod lookup;
mod messages;
mod sig;
mod sms;
mod sms_receipts;

use hermes_adapter_sdk::{
    Provider, Submission, base_url,
    contract::{
        Auth, BasicAuth, Channel, Content, Descriptor, Destination, ErrorClass, HttpRequest, HttpResponse,
        Idempotency, JwtAuth, Level, LookupQuery, Outcome, Received, Refusal, SendCall, Webhook,
    },
    digits, host, refused_with,
};

/// A request's token: Vonage's own libraries take 15 minutes.
const TOKEN_VALID_FOR_S: u32 = 900;

struct Vonage;

hermes_adapter_sdk::adapter!(Vonage);

impl Provider for Vonage {
    fn descriptor() -> Descriptor {
        Descriptor {
            name: "vonage".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            channels: vec![Channel::Sms],
            credentials: vec![
                hermes_adapter_sdk::optional_identifier(
                    "application_id",
                    "id of the application (Messages API)",
                ),
                hermes_adapter_sdk::optional_credential("private_key", "the application's private key, PEM"),
                hermes_adapter_sdk::optional_identifier("api_key", "API key of the account"),
                hermes_adapter_sdk::optional_credential("api_secret", "API secret of the account"),
                hermes_adapter_sdk::optional_credential(
                    "signature_secret",
                    "key that callbacks are signed with",
                ),
            ],
            config: vec![
                hermes_adapter_sdk::optional_setting("api", "`messages` (default) or `sms`"),
                hermes_adapter_sdk::optional_setting(
                    "from",
                    "sender: number or at most 11 letters and digits",
                ),
                hermes_adapter_sdk::optional_setting(
                    "signature_method",
                    "SMS API: md5hash (default), md5, sha1, sha256 or sha512",
                ),
            ],
            hosts: ["api.nexmo.com", "*.nexmo.com", "rest.nexmo.com"].map(str::to_owned).to_vec(),
            idempotency: Idempotency::None,
            confirms: vec![(Channel::Sms, Level::Delivered)],
            default_rate_per_s: 30,
            has_lookup: true,
            account_setting: None,
        }
    }

    fn request(call: SendCall) -> Result<Submission, Outcome> {
        let (Destination::Sms(to), Content::Sms(content)) = (&call.to, &call.content) else {
            return Err(refused_with(ErrorClass::Unknown, "this adapter carries SMS only"));
        };
        if !content.media_urls.is_empty() {
            return Err(refused_with(ErrorClass::ProviderFault, "Vonage's SMS carries no media"));
        }
        let from = call.sender.clone().or_else(|| setting("from"));
        let from = from.ok_or_else(|| refused_with(ErrorClass::SenderRejected, "there is no sender"))?;
        let text = content.text.as_deref().unwrap_or_default();
        let sms = Sms { to: digits(to), from: digits(&from), text };
        let request = if is_sms_api() { sms::request(&sms, &call) } else { messages::request(&sms, &call) };
        Ok(Submission { request: request?, notes: Vec::new() })
    }

    fn outcome(response: &HttpResponse, _notes: &[u8]) -> Outcome {
        if is_sms_api() { sms::outcome(response) } else { messages::outcome(response) }
    }

    fn receipts(webhook: &Webhook) -> Result<Received, Refusal> {
        // What is not signed by a token can only be the SMS API's.
        if is_sms_api() { sms_receipts::read(webhook) } else { messages::receipts(webhook) }
    }

    fn check() -> Result<HttpRequest, Outcome> {
        if is_sms_api() { sms::check() } else { messages::check() }
    }

    fn checked(response: &HttpResponse) -> Outcome {
        if is_sms_api() { sms::checked(response) } else { messages::checked(response) }
    }

    fn lookup(query: LookupQuery) -> Option<Submission> {
        lookup::request(&query)
    }

    fn found(response: &HttpResponse, _notes: &[u8]) -> Outcome {
        lookup::outcome(response)
    }
}

/// One message, with numbers as Vonage wants them.
struct Sms<'a> {
    to: &'a str,
    from: &'a str,
    text: &'a str,
}

fn setting(name: &str) -> Option<String> {
    host::get_config(name).filter(|text| !text.is_empty())
}

fn is_sms_api() -> bool {
    setting("api").as_deref() == Some("sms")
}

fn url(default_base: &str, path: &str) -> String {
    format!("{}{path}", base_url().unwrap_or_else(|| default_base.to_owned()))
}

/// API key and secret.
fn account_auth() -> Result<Auth, Outcome> {
    if host::has_credential("api_key") && host::has_credential("api_secret") {
        return Ok(Auth::Basic(BasicAuth { user: "api_key".to_owned(), password: "api_secret".to_owned() }));
    }
    Err(refused_with(ErrorClass::Auth, "api_key or api_secret is missing"))
}

/// The application's id, if its key is there too.
fn application() -> Option<String> {
    setting("application_id").filter(|_| host::has_credential("private_key"))
}

/// The application's token, else API key and secret: Vonage sends status callbacks to applications only.
fn application_auth() -> Result<Auth, Outcome> {
    match application() {
        Some(id) => Ok(Auth::Jwt(JwtAuth {
            key: "private_key".to_owned(),
            claims: vec![("application_id".to_owned(), id)],
            valid_for_s: TOKEN_VALID_FOR_S,
        })),
        None => account_auth(),
    }
}
