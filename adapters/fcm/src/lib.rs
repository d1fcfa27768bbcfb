//! Firebase Cloud Messaging, HTTP v1. It confirms nothing beyond its own acceptance and sends no webhooks.

mod errors;
mod message;

use hermes_adapter_sdk::{
    Provider, Submission, accepted, base_url, by_status,
    contract::{
        Auth, Channel, Content, Descriptor, Destination, Effect, ErrorClass, GoogleAuth, HttpRequest,
        HttpResponse, Idempotency, Level, Outcome, Received, Refusal, SendCall, Webhook,
    },
    credential, host, json, optional_setting, pick, post_json, refused_with, setting,
};
use serde_json::{Value, json};

/// Google's scope for sending.
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
/// A token that no app has: an answer about it proves that project and credentials were accepted.
const NO_TOKEN: &str = "hermes-credential-check";

struct Fcm;

hermes_adapter_sdk::adapter!(Fcm);

impl Provider for Fcm {
    fn descriptor() -> Descriptor {
        Descriptor {
            name: "fcm".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            channels: vec![Channel::Push],
            credentials: vec![credential("service_account", "the service account's JSON key")],
            config: vec![
                setting("project_id", "Firebase project id"),
                optional_setting("token_uri", "where access tokens come from, instead of the key's own"),
            ],
            hosts: vec!["fcm.googleapis.com".to_owned(), "oauth2.googleapis.com".to_owned()],
            idempotency: Idempotency::None,
            confirms: vec![(Channel::Push, Level::Sent)],
            default_rate_per_s: 500,
            has_lookup: false,
            account_setting: None,
        }
    }

    fn request(call: SendCall) -> Result<Submission, Outcome> {
        let (Destination::Push(to), Content::Push(content)) = (&call.to, &call.content) else {
            return Err(refused_with(ErrorClass::Unknown, "this adapter carries push only"));
        };
        let message = message::build(&call, &to.token, content)?;
        let request = request(&json!({ "message": message }), Effect::Submits)?;
        Ok(Submission { notes: request.body.clone(), request })
    }

    fn outcome(response: &HttpResponse, _notes: &[u8]) -> Outcome {
        let answer = json(&response.body);
        match (response.status, pick(&answer, "/name")) {
            (200..=299, Some(name)) => accepted(Some(name.to_owned()), Some(Level::Sent)),
            (200..=299, None) => by_status(response),
            _ => errors::refusal(response, &answer),
        }
    }

    /// An access token may have been revoked while it was cached; the host drops it on 401.
    fn again(response: &HttpResponse, notes: &[u8]) -> Option<HttpRequest> {
        let stale = response.status == 401 && errors::fcm_code(&json(&response.body)).is_none();
        let body = if stale { serde_json::from_slice::<Value>(notes).ok()? } else { return None };
        request(&body, Effect::Submits).ok()
    }

    fn receipts(_webhook: &Webhook) -> Result<Received, Refusal> {
        Err(Refusal::BadSignature)
    }

    fn check() -> Result<HttpRequest, Outcome> {
        let body =
            json!({ "validate_only": true, "message": { "token": NO_TOKEN, "data": { "hermes": "check" } } });
        request(&body, Effect::Safe)
    }

    fn checked(response: &HttpResponse) -> Outcome {
        match Self::outcome(response, &[]) {
            Outcome::Rejected(failure) if failure.class == ErrorClass::RecipientPermanent => {
                accepted(None, None)
            }
            other => other,
        }
    }
}

fn request(body: &Value, effect: Effect) -> Result<HttpRequest, Outcome> {
    let plain =
        |id: &String| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let project = host::get_config("project_id").filter(plain);
    let project =
        project.ok_or_else(|| refused_with(ErrorClass::Auth, "project_id is missing or malformed"))?;
    let base = base_url().unwrap_or_else(|| "https://fcm.googleapis.com".to_owned());
    let auth =
        Auth::GoogleServiceAccount(GoogleAuth { key: "service_account".to_owned(), scope: SCOPE.to_owned() });
    Ok(post_json(format!("{base}/v1/projects/{project}/messages:send"), body, auth, effect))
}
