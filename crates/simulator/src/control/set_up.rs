//! Changing how the simulator behaves, and who it knows.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    response::Response,
};
use http::StatusCode;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use url::Url;

use super::{REQUEST_BYTES_MAX, Refused};
use crate::{
    Accounts, answer, clock, inbound, whatsapp,
    world::{Scenario, World},
};

/// Most statuses in one WhatsApp webhook; more would pass the 3 MB that Meta keeps to.
const STATUSES_MAX: usize = 1000;

async fn body<T: DeserializeOwned>(request: Request) -> Result<T, Refused> {
    let (_, body) = inbound::read(request, REQUEST_BYTES_MAX).await.map_err(|_| "the body is too large")?;
    serde_json::from_slice(&body).map_err(|cause| {
        let place = format!("line {} column {}", cause.line(), cause.column());
        Refused(format!("the body is not the JSON expected here ({place})"))
    })
}

/// What is absent stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenarioChange {
    receipt_delay_ms: Option<u64>,
    intermediate_receipts: Option<bool>,
    loss_rate: Option<f64>,
    failure_rate: Option<f64>,
    latency_ms: Option<u64>,
    whatsapp_statuses_per_webhook: Option<usize>,
}

fn scenario_json(scenario: Scenario) -> Value {
    json!({
        "receipt_delay_ms": millis(scenario.receipt_delay),
        "intermediate_receipts": scenario.intermediate_receipts,
        "loss_rate": scenario.loss_rate,
        "failure_rate": scenario.failure_rate,
        "latency_ms": millis(scenario.latency),
        "whatsapp_statuses_per_webhook": scenario.statuses_per_webhook,
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(super) async fn scenario(State(world): State<Arc<World>>) -> Response {
    answer::json(StatusCode::OK, &scenario_json(world.scenario()))
}

pub(super) async fn set_scenario(
    State(world): State<Arc<World>>,
    request: Request,
) -> Result<Response, Refused> {
    let change: ScenarioChange = body(request).await?;
    let is_share = |rate: &Option<f64>| rate.is_none_or(|rate| (0.0..=1.0).contains(&rate));
    if !is_share(&change.loss_rate) || !is_share(&change.failure_rate) {
        return Err("rates are between 0 and 1".into());
    }
    if change.whatsapp_statuses_per_webhook.is_some_and(|count| !(1..=STATUSES_MAX).contains(&count)) {
        return Err("a webhook has between 1 and 1000 statuses".into());
    }
    let mut scenario = world.scenario.write();
    scenario.receipt_delay = change.receipt_delay_ms.map_or(scenario.receipt_delay, Duration::from_millis);
    scenario.intermediate_receipts = change.intermediate_receipts.unwrap_or(scenario.intermediate_receipts);
    scenario.loss_rate = change.loss_rate.unwrap_or(scenario.loss_rate);
    scenario.failure_rate = change.failure_rate.unwrap_or(scenario.failure_rate);
    scenario.latency = change.latency_ms.map_or(scenario.latency, Duration::from_millis);
    scenario.statuses_per_webhook =
        change.whatsapp_statuses_per_webhook.unwrap_or(scenario.statuses_per_webhook);
    Ok(answer::json(StatusCode::OK, &scenario_json(*scenario)))
}

/// By topic, or by a configuration set that publishes to it (made if it does not exist); both bind the set to
/// the topic.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSubscription {
    topic_arn: Option<String>,
    configuration_set: Option<String>,
    endpoint: Url,
}

pub(super) async fn subscribe(
    State(world): State<Arc<World>>,
    request: Request,
) -> Result<Response, Refused> {
    let new: NewSubscription = body(request).await?;
    if !matches!(new.endpoint.scheme(), "http" | "https") {
        return Err("the endpoint must be an http or https URL".into());
    }
    let topics = &world.ses.topics;
    let topic = match (new.topic_arn, new.configuration_set) {
        (None, None) => return Err("`topic_arn` or `configuration_set` is needed".into()),
        (Some(topic), None) => topics.topic_for(&topic),
        (None, Some(set)) => topics.topic_for(&set),
        (Some(topic), Some(set)) => {
            topics.bind(&set, &topic);
            topic
        }
    };
    let subscription = topics.subscribe(&topic, new.endpoint);
    if !subscription.confirmed {
        let (context, pending, now) = (Arc::clone(&world), subscription.clone(), clock::now());
        world.receipts.schedule(Duration::ZERO, move || {
            context.ses.signer.confirmation(&context.base_url, &pending, now).into_iter().collect()
        });
    }
    Ok(answer::json(StatusCode::ACCEPTED, &subscription))
}

pub(super) async fn subscriptions(State(world): State<Arc<World>>) -> Response {
    answer::json(StatusCode::OK, &json!({ "data": world.ses.topics.all() }))
}

pub(super) async fn add_accounts(
    State(world): State<Arc<World>>,
    request: Request,
) -> Result<Response, Refused> {
    let accounts: Accounts = body(request).await?;
    match world.add_accounts(accounts) {
        Ok(()) => Ok(answer::empty(StatusCode::NO_CONTENT)),
        Err(fault) => Err(Refused(fault.to_string())),
    }
}

/// A WhatsApp number.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NumberName {
    phone_number_id: String,
}

pub(super) async fn verify_callback(
    State(world): State<Arc<World>>,
    request: Request,
) -> Result<Response, Refused> {
    let NumberName { phone_number_id } = body(request).await?;
    let answer = whatsapp::verify(&world, &phone_number_id).await;
    let reason = match answer.ok_or("there is no such number, or it has no callback URL")? {
        whatsapp::Answer::Confirmed => None,
        whatsapp::Answer::Refused(reason) | whatsapp::Answer::Unreachable(reason) => Some(reason),
    };
    Ok(answer::json(StatusCode::OK, &json!({ "verified": reason.is_none(), "reason": reason })))
}

pub(super) async fn revoke_tokens(State(world): State<Arc<World>>) -> Response {
    world.fcm.revoke_tokens();
    answer::empty(StatusCode::NO_CONTENT)
}

/// An address for the list of an account; `account` is a user name of Messente or an access key id of SES.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suppress {
    provider: String,
    account: String,
    address: String,
}

fn suppressed_json(world: &World) -> Value {
    json!({
        "messente": world.messente.blacklist.addresses(),
        "ses": world.ses.suppressed.addresses(),
    })
}

pub(super) async fn suppressions(State(world): State<Arc<World>>) -> Response {
    answer::json(StatusCode::OK, &suppressed_json(&world))
}

pub(super) async fn suppress(State(world): State<Arc<World>>, request: Request) -> Result<Response, Refused> {
    let Suppress { provider, account, address } = body(request).await?;
    let _ = match provider.as_str() {
        "messente" => world.messente.blacklist.add(&account, &address, ""),
        "ses" => world.ses.suppressed.add(&account, &address.to_ascii_lowercase(), "COMPLAINT"),
        _ => return Err("provider must be messente or ses".into()),
    };
    Ok(answer::json(StatusCode::OK, &suppressed_json(&world)))
}
