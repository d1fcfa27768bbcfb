//! Which endpoints hear of which configuration set: sets publish to topics, endpoints subscribe to topics.

use std::{collections::HashMap, fmt, sync::Arc};

use axum::{extract::State, response::Response};
use http::{StatusCode, Uri};
use parking_lot::RwLock;
use serde::Serialize;
use url::Url;

use super::sns::random_uuid;
use crate::{answer, inbound::query_parameter, world::World};

/// Topics and their subscriptions.
#[derive(Default)]
pub(crate) struct Topics {
    /// Configuration set → topic ARN.
    sets: RwLock<HashMap<String, String>>,
    subscriptions: RwLock<Vec<Subscription>>,
}

/// An endpoint that wants, or is asked to confirm that it wants, what a topic carries.
#[derive(Clone, Serialize)]
pub(crate) struct Subscription {
    #[serde(rename = "subscription_arn")]
    pub(crate) arn: String,
    pub(crate) topic_arn: String,
    pub(crate) endpoint: Url,
    /// Proves that the confirmation reached the endpoint.
    #[serde(skip)]
    pub(crate) token: String,
    pub(crate) confirmed: bool,
}

impl fmt::Debug for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topics")
            .field("subscriptions", &self.subscriptions.read().len())
            .finish_non_exhaustive()
    }
}

impl Topics {
    /// Makes `configuration_set` publish to `topic_arn`.
    pub(crate) fn bind(&self, configuration_set: &str, topic_arn: &str) {
        self.sets.write().insert(configuration_set.to_owned(), topic_arn.to_owned());
    }

    /// The topic that a configuration set publishes to; `None` if there is no such set.
    pub(crate) fn topic_of(&self, configuration_set: &str) -> Option<String> {
        self.sets.read().get(configuration_set).cloned()
    }

    /// The topic meant by an ARN or a configuration set's name. An unknown name becomes a set with a topic of
    /// its own.
    pub(crate) fn topic_for(&self, arn_or_set: &str) -> String {
        if arn_or_set.starts_with("arn:") {
            return arn_or_set.to_owned();
        }
        let mut sets = self.sets.write();
        let own = || format!("arn:aws:sns:eu-west-1:123456789012:{arn_or_set}");
        sets.entry(arn_or_set.to_owned()).or_insert_with(own).clone()
    }

    /// Subscribes an endpoint, as yet unconfirmed. Subscribing again returns the same subscription.
    pub(crate) fn subscribe(&self, topic_arn: &str, endpoint: Url) -> Subscription {
        let mut subscriptions = self.subscriptions.write();
        let known =
            subscriptions.iter().find(|known| known.topic_arn == topic_arn && known.endpoint == endpoint);
        if let Some(known) = known {
            return known.clone();
        }
        let subscription = Subscription {
            arn: format!("{topic_arn}:{}", random_uuid()),
            topic_arn: topic_arn.to_owned(),
            endpoint,
            token: format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>()),
            confirmed: false,
        };
        subscriptions.push(subscription.clone());
        subscription
    }

    /// Confirms by token; `None` if no subscription of that topic has it.
    pub(crate) fn confirm(&self, topic_arn: &str, token: &str) -> Option<Subscription> {
        let mut subscriptions = self.subscriptions.write();
        let found =
            subscriptions.iter_mut().find(|known| known.topic_arn == topic_arn && known.token == token)?;
        found.confirmed = true;
        Some(found.clone())
    }

    /// Whether there was such a subscription.
    pub(crate) fn unsubscribe(&self, arn: &str) -> bool {
        let mut subscriptions = self.subscriptions.write();
        let before = subscriptions.len();
        subscriptions.retain(|known| known.arn != arn);
        subscriptions.len() < before
    }

    /// The confirmed subscriptions of a topic.
    pub(super) fn endpoints(&self, topic_arn: &str) -> Vec<Subscription> {
        let subscriptions = self.subscriptions.read();
        subscriptions
            .iter()
            .filter(|known| known.confirmed && known.topic_arn == topic_arn)
            .cloned()
            .collect()
    }

    pub(crate) fn all(&self) -> Vec<Subscription> {
        self.subscriptions.read().clone()
    }
}

/// `GET /?Action=…`: the links in SNS messages.
pub(super) async fn act_on_link(State(world): State<Arc<World>>, uri: Uri) -> Response {
    let parameter = |name| query_parameter(uri.query(), name).unwrap_or_default();
    let topics = &world.ses.topics;
    match &*parameter("Action") {
        "ConfirmSubscription" => match topics.confirm(&parameter("TopicArn"), &parameter("Token")) {
            Some(subscription) => confirmed(&subscription.arn),
            None => error("InvalidParameter", "Invalid token"),
        },
        "Unsubscribe" if topics.unsubscribe(&parameter("SubscriptionArn")) => xml(
            StatusCode::OK,
            format!(
                "<UnsubscribeResponse xmlns=\"{NAMESPACE}\"><ResponseMetadata><RequestId>{}</RequestId>\
                 </ResponseMetadata></UnsubscribeResponse>",
                random_uuid()
            ),
        ),
        "Unsubscribe" => error("NotFound", "Subscription does not exist"),
        _ => error("InvalidAction", "The action or operation requested is invalid"),
    }
}

const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// An ARN has no character that XML would need escaped, unless a caller chose the topic so; then it is left
/// out.
fn confirmed(arn: &str) -> Response {
    let arn = if arn.contains(['<', '>', '&']) { "" } else { arn };
    xml(
        StatusCode::OK,
        format!(
            "<ConfirmSubscriptionResponse xmlns=\"{NAMESPACE}\"><ConfirmSubscriptionResult><SubscriptionArn>{arn}\
             </SubscriptionArn></ConfirmSubscriptionResult><ResponseMetadata><RequestId>{}</RequestId>\
             </ResponseMetadata></ConfirmSubscriptionResponse>",
            random_uuid()
        ),
    )
}

fn error(code: &str, message: &str) -> Response {
    xml(
        StatusCode::BAD_REQUEST,
        format!(
            "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}\
             </Message></Error><RequestId>{}</RequestId></ErrorResponse>",
            random_uuid()
        ),
    )
}

fn xml(status: StatusCode, body: String) -> Response {
    answer::bytes(status, "text/xml", body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_confirmed_endpoint_hears_and_only_until_it_leaves() {
        let topics = Topics::default();
        let topic = topics.topic_for("news");
        assert_eq!(topics.topic_of("news").as_ref(), Some(&topic));
        let endpoint = Url::parse("http://127.0.0.1:1/r").unwrap();
        let subscription = topics.subscribe(&topic, endpoint.clone());
        assert_eq!(topics.subscribe(&topic, endpoint).arn, subscription.arn);
        assert!(topics.endpoints(&topic).is_empty());
        assert!(topics.confirm(&topic, "guess").is_none());
        topics.confirm(&topic, &subscription.token).unwrap();
        assert_eq!(topics.endpoints(&topic).len(), 1);
        assert!(topics.unsubscribe(&subscription.arn));
        assert!(!topics.unsubscribe(&subscription.arn));
        assert!(topics.endpoints(&topic).is_empty());
    }
}
