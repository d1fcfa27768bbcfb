//! Amazon SES v2, with events through SNS.

mod errors;
mod events;
mod lookup;
mod message;
mod mime;
mod receipts;
mod sns;
mod suppression;

use hermes_adapter_sdk::{
    Provider, Submission, accepted, base_url, by_status,
    contract::{
        Auth, AwsAuth, Channel, Content, Descriptor, Destination, Effect, ErrorClass, HttpRequest,
        HttpResponse, Idempotency, Level, LookupQuery, Outcome, ReceiveStep, Received, Refusal, SendCall,
        Webhook,
    },
    credential, get, host, json, optional_credential, optional_setting, pick, post_json, refused_with,
    setting,
    suppression_list::{Answer, Operation},
};
use serde_json::Value;

/// Regions with SES; each has its own host, identities and quotas.
const REGIONS: [&str; 30] = [
    "af-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-5",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];
/// Signed for when a replaced host makes the region irrelevant.
const REGION_OF_NO_MATTER: &str = "us-east-1";

struct Ses;

hermes_adapter_sdk::adapter!(Ses);

impl Provider for Ses {
    fn descriptor() -> Descriptor {
        let hosts = |service: &str| REGIONS.map(|region| format!("{service}.{region}.amazonaws.com"));
        Descriptor {
            name: "ses".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            channels: vec![Channel::Email],
            credentials: vec![
                hermes_adapter_sdk::identifier("access_key_id", "AWS access key id"),
                credential("secret_access_key", "AWS secret access key"),
                optional_credential("session_token", "token of temporary credentials"),
            ],
            config: vec![
                setting("region", "AWS region, such as eu-west-1"),
                optional_setting("from", "sender: a verified address, also as Name <address>"),
                optional_setting("configuration_set", "configuration set that publishes events to SNS"),
                optional_setting("tenant_name", "SES tenant that the messages belong to"),
                optional_setting("feedback_address", "verified address that bounces are mailed to"),
                optional_setting("sns_topic_arns", "topics whose events are accepted"),
            ],
            hosts: hosts("email").into_iter().chain(hosts("sns")).collect(),
            idempotency: Idempotency::None,
            confirms: vec![(Channel::Email, Level::Delivered)],
            default_rate_per_s: 14,
            has_lookup: true,
            account_setting: None,
        }
    }

    fn request(call: SendCall) -> Result<Submission, Outcome> {
        let SendCall {
            to: Destination::Email(to),
            content: Content::Email(content),
            ref reference,
            ref tags,
            ..
        } = call
        else {
            return Err(refused_with(ErrorClass::Unknown, "this adapter carries email only"));
        };
        let from = call.sender.or_else(|| host::get_config("from")).filter(|from| !from.is_empty());
        let from =
            from.ok_or_else(|| refused_with(ErrorClass::SenderRejected, "the connection has no sender"))?;
        let mail = message::Mail {
            reference,
            from: message::Mailbox::parse(&from)?,
            to: &to,
            sent_at_ms: call.expires_at_ms.saturating_sub(u64::from(call.valid_for_s) * 1_000),
        };
        let body = message::build(&mail, message::tags(reference, tags), content)?;
        let (endpoint, auth) = endpoint()?;
        let request = post_json(format!("{endpoint}/v2/email/outbound-emails"), &body, auth, Effect::Submits);
        Ok(Submission { request, notes: to.into_bytes() })
    }

    fn outcome(response: &HttpResponse, notes: &[u8]) -> Outcome {
        let answer = json(&response.body);
        match (response.status, pick(&answer, "/MessageId")) {
            (200..=299, Some(id)) => accepted(Some(id.to_owned()), None),
            (200..=299, None) => by_status(response),
            _ => errors::refusal(response, &answer, &String::from_utf8_lossy(notes)),
        }
    }

    fn receipts(_webhook: &Webhook) -> Result<Received, Refusal> {
        // `receive` below replaces this: SNS signatures need a certificate first.
        Err(Refusal::BadSignature)
    }

    fn receive(webhook: &Webhook) -> ReceiveStep {
        receipts::begin(webhook)
    }

    fn resume_receive(webhook: &Webhook, state: &[u8], response: &HttpResponse) -> ReceiveStep {
        receipts::resume(webhook, state, response)
    }

    fn check() -> Result<HttpRequest, Outcome> {
        let (endpoint, auth) = endpoint()?;
        Ok(get(format!("{endpoint}/v2/email/account"), auth))
    }

    fn checked(response: &HttpResponse) -> Outcome {
        let answer = json(&response.body);
        if pick(&answer, "/EnforcementStatus") == Some("SHUTDOWN") {
            return refused_with(ErrorClass::Auth, "SES has shut the account down");
        }
        match (response.status, answer.pointer("/SendingEnabled").and_then(Value::as_bool)) {
            (200..=299, Some(true)) => accepted(None, None),
            (200..=299, Some(false)) => refused_with(ErrorClass::Auth, "sending is paused for the account"),
            (200..=299, None) => by_status(response),
            _ => errors::refusal(response, &answer, ""),
        }
    }

    fn lookup(query: LookupQuery) -> Option<Submission> {
        lookup::request(&query)
    }

    fn found(response: &HttpResponse, notes: &[u8]) -> Outcome {
        lookup::outcome(response, notes)
    }

    fn list_channel() -> Option<Channel> {
        Some(Channel::Email)
    }

    fn list(operation: Operation) -> Result<Submission, Answer> {
        suppression::request(operation)
    }

    fn listed(response: &HttpResponse, notes: &[u8]) -> Answer {
        suppression::answer(response, notes)
    }
}

/// The host of the connection's region or its replacement, and how to sign for it.
fn endpoint() -> Result<(String, Auth), Outcome> {
    let plain = |region: &String| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !region.is_empty() && region.bytes().all(allowed)
    };
    let region = host::get_config("region").filter(plain);
    let base = base_url();
    let region = region.or_else(|| base.is_some().then(|| REGION_OF_NO_MATTER.to_owned()));
    let region = region.ok_or_else(|| refused_with(ErrorClass::Auth, "region is missing or malformed"))?;
    let endpoint = base.unwrap_or_else(|| format!("https://email.{region}.amazonaws.com"));
    let auth = Auth::AwsSigv4(AwsAuth {
        access_key_id: "access_key_id".to_owned(),
        secret_access_key: "secret_access_key".to_owned(),
        session_token: "session_token".to_owned(),
        region,
        service: "ses".to_owned(),
    });
    Ok((endpoint, auth))
}
