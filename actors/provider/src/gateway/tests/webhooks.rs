use super::*;
use crate::fakes::{Reply, answer, connection};
use hermes_ports::{
    adapter::{AdapterFault, Received, WebhookRefusal},
    egress::EgressError,
    http::{Method, Webhook},
    provider_gateway::ReceiveError,
};

fn webhook(body: &str) -> Webhook {
    Webhook {
        method: Method::Post,
        url: "https://hermes.test/receipts/fake".to_owned(),
        headers: Vec::new(),
        body: body.to_owned().into(),
        received_at: UnixMillis(0),
    }
}

#[tokio::test(start_paused = true)]
async fn a_certificate_is_fetched_once_a_day_and_connection() {
    let world = World::new([connection(1, 1_000), connection(2, 1_000)]).await;
    world.egress.always(answer(200, &[], "-----BEGIN CERTIFICATE-----\nMII="));
    let receive = async |number| world.gateway.receive(connection_id(number), webhook("signed")).await;
    let empty = Ok(Ok(Received { entries: Vec::new(), unreadable: 0, reply: None }));
    for _ in 0..3 {
        assert_eq!(receive(1).await, empty);
    }
    assert_eq!(world.egress.sent(), 1);
    assert_eq!(receive(2).await, empty);
    assert_eq!(world.egress.sent(), 2, "connections do not share what they fetched");
    tokio::time::sleep(Duration::from_secs(24 * 3_600)).await;
    assert_eq!(receive(1).await, empty);
    assert_eq!(world.egress.sent(), 3);
}

#[tokio::test(start_paused = true)]
async fn other_answers_are_not_kept() {
    let world = World::new([connection(1, 1_000)]).await;
    world.egress.always(answer(200, &[], "<SubscriptionConfirmed/>"));
    for _ in 0..2 {
        world.gateway.receive(connection_id(1), webhook("signed")).await.unwrap().unwrap();
    }
    assert_eq!(world.egress.sent(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_cannot_be_read_says_why() {
    let world = World::new([connection(1, 1_000)]).await;
    world.egress.always(Reply::Fails(EgressError::Lost("x".into())));
    let receive = async |number, body| world.gateway.receive(connection_id(number), webhook(body)).await;
    assert_eq!(receive(1, "signed").await, Err(ReceiveError::Fetch));
    assert_eq!(receive(1, "garbage").await, Ok(Err(WebhookRefusal::Malformed)));
    assert_eq!(receive(9, "signed").await, Err(ReceiveError::UnknownConnection));
    let breach = receive(1, "submits").await;
    assert!(matches!(breach, Err(ReceiveError::Adapter(AdapterFault::Contract(_)))), "{breach:?}");
    assert_eq!(world.egress.sent(), 1, "a webhook submits nothing");
}

#[tokio::test(start_paused = true)]
async fn a_check_proves_credentials_without_a_permit() {
    let held = Connection { held: true, ..connection(1, 1) };
    let world = World::new([held]).await;
    assert!(matches!(world.gateway.check(connection_id(1)).await, Some(Outcome::Accepted(_))));
    world.egress.always(answer(403, &[], ""));
    assert!(matches!(world.gateway.check(connection_id(1)).await, Some(Outcome::Rejected(_))));
    assert_eq!(world.gateway.check(connection_id(9)).await, None);
    assert_eq!(world.egress.requests.lock()[0].1, "https://api.fake.test/account");
}
