//! SES: strictness, answers, SNS events and the subscription handshake.

use base64::{Engine, engine::general_purpose::STANDARD};
use hermes_simulator::{SesAccount, demo};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    receiver::{Received, Receiver},
    sim::{Answer, Sim, answer, email, rsa_sha256},
    specs,
};

const SEND: &str = "/v2/email/outbound-emails";

async fn start_subscribed() -> (Sim, Receiver) {
    let receiver = Receiver::start().await;
    let endpoint = receiver.url("/receipts/ses/prv_1");
    let sim = Sim::start().await;
    sim.running.subscribe_sns(demo::SES_CONFIGURATION_SET, &endpoint).unwrap();
    (sim, receiver)
}

/// Checks an SNS message's signature and where it says its certificate is; returns it.
async fn verified(sim: &Sim, received: &Received, keys: &[&str]) -> Value {
    let message = received.json();
    let signed: String =
        keys.iter().map(|key| format!("{key}\n{}\n", message[*key].as_str().unwrap())).collect();
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../schema/providers/vectors-ses.json")).unwrap();
    let key = vectors["sns"]["private_key_pem_test_only"].as_str().unwrap();
    let expected = STANDARD.encode(rsa_sha256(key, signed.as_bytes()));
    assert_eq!((&message["SignatureVersion"], &message["Signature"]), (&"2".into(), &expected.into()));
    let certificate_url = message["SigningCertURL"].as_str().unwrap();
    let certificate = sim.get(certificate_url.strip_prefix(sim.running.base_url()).unwrap()).await;
    assert_eq!(certificate.body, vectors["sns"]["certificate_pem"].as_str().unwrap());
    assert_eq!(received.header("content-type"), "text/plain; charset=UTF-8");
    assert_eq!(received.header("x-amz-sns-message-type"), message["Type"].as_str().unwrap());
    message
}

const NOTIFICATION: [&str; 6] = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"];

async fn next_event(sim: &Sim, receiver: &mut Receiver) -> Value {
    let message = verified(sim, &receiver.next().await, &NOTIFICATION).await;
    serde_json::from_str(message["Message"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn signatures_are_checked_for_real() {
    let sim = Sim::start().await;
    let body = email("alice@example.net").to_string();
    let refusal = async |account: SesAccount, sent: &str| {
        let request = sim.ses(&account, Method::POST, SEND, &body).body(sent.to_owned());
        let answer = answer(request).await;
        let (status, code) = answer.aws_error();
        (status, code.to_owned())
    };
    let wrong_secret = SesAccount { secret_access_key: "wrong".into(), ..demo::ses() };
    let wrong_key = SesAccount { access_key_id: "AKIANOBODY".into(), ..demo::ses() };
    let token = SesAccount { session_token: Some("unexpected".into()), ..demo::ses() };
    let region = SesAccount { region: "us-east-1".into(), ..demo::ses() };
    assert_eq!(refusal(wrong_secret, &body).await, (403, "SignatureDoesNotMatch".into()));
    assert_eq!(refusal(wrong_key, &body).await, (403, "UnrecognizedClientException".into()));
    assert_eq!(refusal(token, &body).await, (403, "UnrecognizedClientException".into()));
    assert_eq!(refusal(region, &body).await, (403, "SignatureDoesNotMatch".into()));
    assert_eq!(
        refusal(demo::ses(), &body.replace("Hello", "Hallo")).await,
        (403, "SignatureDoesNotMatch".into())
    );
    let unsigned = sim.post(SEND, email("alice@example.net")).await;
    assert_eq!(unsigned.aws_error(), (403, "MissingAuthenticationTokenException"));
    assert_eq!(unsigned.json(), json!({ "message": "Missing Authentication Token" }));
}

#[tokio::test]
async fn malformed_and_invalid_requests_are_refused_in_awss_words() {
    let sim = Sim::start().await;
    let not_json = sim.ses(&demo::ses(), Method::POST, SEND, "{");
    assert_eq!(answer(not_json).await.aws_error(), (400, "SerializationException"));
    let mut wrong_type = email("alice@example.net");
    wrong_type["Destination"]["ToAddresses"] = json!("alice@example.net");
    assert_eq!(sim.ses_post(&wrong_type).await.aws_error(), (400, "SerializationException"));
    let mut missing = email("alice@example.net");
    missing["Content"] = Value::Null;
    assert_eq!(sim.ses_post(&missing).await.aws_error(), (400, "BadRequestException"));
    let mut set = email("alice@example.net");
    set["ConfigurationSetName"] = json!("missing");
    let set = sim.ses_post(&set).await;
    assert_eq!(set.aws_error(), (404, "NotFoundException"));
    assert_eq!(set.json()["message"], "Configuration set <missing> does not exist.");
    let path = sim.get("/v2/email/nothing").await;
    assert_eq!(path.aws_error(), (404, "UnknownOperationException"));
}

#[tokio::test]
async fn a_delivery_event_is_signed_and_carries_our_tags() {
    let (sim, mut receiver) = start_subscribed().await;
    let sent = sim.email("alice@example.net").await;
    assert_eq!(sent.status, 200, "{}", sent.body);
    specs::ses_output("SendEmailResponse", &sent.json());
    let received = receiver.next().await;
    assert_eq!(received.uri.path(), "/receipts/ses/prv_1");
    let message = verified(&sim, &received, &NOTIFICATION).await;
    assert_eq!(message["TopicArn"], demo::SES_TOPIC_ARN);
    let event: Value = serde_json::from_str(message["Message"].as_str().unwrap()).unwrap();
    assert_eq!(event["eventType"], "Delivery");
    assert_eq!(event["mail"]["messageId"], sent.json()["MessageId"]);
    assert_eq!(event["mail"]["tags"]["hermes_ref"], json!(["msg_mail-1"]));
    assert_eq!(event["mail"]["tags"]["ses:configuration-set"], json!(["hermes"]));
    assert_eq!(event["delivery"]["recipients"], json!(["alice@example.net"]));
}

#[tokio::test]
async fn the_mailbox_simulator_bounces_complains_and_suppresses() {
    let (sim, mut receiver) = start_subscribed().await;
    sim.email("bounce@simulator.amazonses.com").await;
    let bounce = next_event(&sim, &mut receiver).await;
    assert_eq!(
        (&bounce["eventType"], &bounce["bounce"]["bounceSubType"]),
        (&"Bounce".into(), &"NoEmail".into())
    );
    sim.email("suppressionlist@simulator.amazonses.com").await;
    let suppressed = next_event(&sim, &mut receiver).await;
    assert_eq!(suppressed["bounce"]["bounceSubType"], "OnAccountSuppressionList");
    sim.email("complaint@simulator.amazonses.com").await;
    assert_eq!(next_event(&sim, &mut receiver).await["eventType"], "Delivery");
    let complaint = next_event(&sim, &mut receiver).await;
    assert_eq!(complaint["complaint"]["complaintFeedbackType"], "abuse");
    sim.email("ann+9912@example.net").await;
    assert_eq!(next_event(&sim, &mut receiver).await["eventType"], "Delivery");
    let stop = next_event(&sim, &mut receiver).await;
    assert_eq!(stop["subscription"]["newTopicPreferences"]["unsubscribeAll"], true);
}

#[tokio::test]
async fn an_endpoint_given_at_start_hears_of_its_own_configuration_set() {
    let mut receiver = Receiver::start().await;
    let endpoint = receiver.url("/sns");
    let sim = Sim::start_with(|options| {
        options.sns_endpoints.insert("acme".into(), vec![endpoint]);
    })
    .await;
    let mut acme = email("alice@example.net");
    acme["ConfigurationSetName"] = json!("acme");
    assert_eq!(sim.email("alice@example.net").await.status, 200);
    let sent = sim.ses_post(&acme).await.json();
    let event = next_event(&sim, &mut receiver).await;
    assert_eq!(event["mail"]["messageId"], sent["MessageId"]);
}

#[tokio::test]
async fn a_repeated_event_is_the_same_sns_message() {
    let (sim, mut receiver) = start_subscribed().await;
    sim.email("ann+9904@example.net").await;
    let (first, second) = (receiver.next().await, receiver.next().await);
    assert_eq!(first.body, second.body);
    assert_eq!(first.header("x-amz-sns-message-id"), second.header("x-amz-sns-message-id"));
}

#[tokio::test]
async fn an_endpoint_hears_nothing_before_it_confirms() {
    let sim = Sim::start().await;
    let mut receiver = Receiver::start().await;
    let new = json!({ "topic_arn": demo::SES_TOPIC_ARN, "endpoint": receiver.url("/sns") });
    let subscribed = sim.post("/sim/subscriptions", new).await;
    assert_eq!((subscribed.status.as_u16(), subscribed.json()["confirmed"].clone()), (202, false.into()));
    let keys = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
    let confirmation = verified(&sim, &receiver.next().await, &keys).await;
    assert_eq!(confirmation["Type"], "SubscriptionConfirmation");

    // Unconfirmed, the first email's event goes nowhere; the second's is the first thing heard.
    let unheard = sim.email("alice@example.net").await.json()["MessageId"].clone();
    sim.no_receipt_waits().await;
    let url = confirmation["SubscribeURL"].as_str().unwrap();
    let confirmed = sim.get(url.strip_prefix(sim.running.base_url()).unwrap()).await;
    assert_eq!(confirmed.status, 200);
    let arn = subscribed.json()["subscription_arn"].as_str().unwrap().to_owned();
    assert!(
        confirmed.body.contains(&format!("<SubscriptionArn>{arn}</SubscriptionArn>")),
        "{}",
        confirmed.body
    );
    let heard = sim.email("alice@example.net").await.json()["MessageId"].clone();
    assert_ne!(heard, unheard);
    assert_eq!(next_event(&sim, &mut receiver).await["mail"]["messageId"], heard);
}

#[tokio::test]
async fn the_account_and_insights_match_the_service_model() {
    let (sim, mut receiver) = start_subscribed().await;
    let get = async |path: &str| answer(sim.ses(&demo::ses(), Method::GET, path, "")).await;
    let account = get("/v2/email/account").await;
    assert_eq!(account.json()["EnforcementStatus"], "HEALTHY");
    specs::ses_output("GetAccountResponse", &account.json());
    let sent = sim.email("ann+9901@example.net").await.json();
    receiver.next().await;
    let path = format!("/v2/email/insights/{}/", sent["MessageId"].as_str().unwrap());
    let insights = get(&path).await.json();
    specs::ses_output("GetMessageInsightsResponse", &insights);
    let events = insights["Insights"][0]["Events"].as_array().unwrap();
    let types: Vec<_> = events.iter().map(|event| event["Type"].as_str().unwrap()).collect();
    assert_eq!(types, ["SEND", "BOUNCE"]);
    assert_eq!(get("/v2/email/insights/unknown/").await.aws_error(), (404, "NotFoundException"));
    assert_eq!(sim.get("/v2/email/account").await.aws_error(), (403, "MissingAuthenticationTokenException"));
}

const SUPPRESSION: &str = "/v2/email/suppression/addresses";
/// Signed as a path whose signs are encoded twice.
const ALICE: &str = "/v2/email/suppression/addresses/alice%2Btag%40example.net";

async fn suppression(sim: &Sim, method: Method, path: &str, body: &str) -> Answer {
    answer(sim.ses(&demo::ses(), method, path, body).body(body.to_owned())).await
}

async fn suppress(sim: &Sim, address: &str, reason: &str) -> Answer {
    let body = json!({ "EmailAddress": address, "Reason": reason }).to_string();
    suppression(sim, Method::PUT, SUPPRESSION, &body).await
}

#[tokio::test]
async fn the_suppression_list_is_kept_as_published() {
    let sim = Sim::start().await;
    let forged = sim.ses(&demo::ses(), Method::GET, SUPPRESSION, "forged").body("other");
    assert_eq!(answer(forged).await.aws_error().0, 403);
    assert_eq!(
        suppress(&sim, "alice+tag@example.net", "MOOD").await.aws_error(),
        (400, "BadRequestException")
    );
    assert_eq!(suppress(&sim, "alice", "BOUNCE").await.aws_error(), (400, "BadRequestException"));
    for _ in 0..2 {
        let put = suppress(&sim, "alice+tag@example.net", "COMPLAINT").await;
        assert_eq!((put.status.as_u16(), put.json()), (200, json!({})));
    }
    let found = suppression(&sim, Method::GET, ALICE, "").await;
    specs::ses_output("GetSuppressedDestinationResponse", &found.json());
    let told = &found.json()["SuppressedDestination"];
    assert_eq!(
        (&told["EmailAddress"], &told["Reason"]),
        (&"alice+tag@example.net".into(), &"COMPLAINT".into())
    );
    assert_eq!(suppression(&sim, Method::DELETE, ALICE, "").await.status, 200);
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(suppression(&sim, method, ALICE, "").await.aws_error(), (404, "NotFoundException"));
    }
}

#[tokio::test]
async fn the_suppression_list_is_read_in_pages() {
    let sim = Sim::start().await;
    for (address, reason) in
        [("a@example.net", "BOUNCE"), ("b@example.net", "COMPLAINT"), ("c@example.net", "BOUNCE")]
    {
        assert_eq!(suppress(&sim, address, reason).await.status, 200);
    }
    let page = async |query: &str| {
        let page = suppression(&sim, Method::GET, &format!("{SUPPRESSION}?{query}"), "").await;
        if page.status == 200 {
            specs::ses_output("ListSuppressedDestinationsResponse", &page.json());
        }
        page
    };
    let addresses = |page: &Answer| -> Vec<Value> {
        let listed = page.json()["SuppressedDestinationSummaries"].clone();
        listed.as_array().unwrap().iter().map(|summary| summary["EmailAddress"].clone()).collect()
    };
    let first = page("PageSize=2").await;
    assert_eq!(addresses(&first), ["a@example.net", "b@example.net"]);
    let token: String =
        form_urlencoded::byte_serialize(first.json()["NextToken"].as_str().unwrap().as_bytes()).collect();
    let last = page(&format!("NextToken={token}&PageSize=2")).await;
    assert_eq!((addresses(&last), &last.json()["NextToken"]), (vec!["c@example.net".into()], &Value::Null));
    assert_eq!(addresses(&page("PageSize=9&Reason=COMPLAINT").await), ["b@example.net"]);
    assert!(addresses(&page("StartDate=2100-01-02T03%3A04%3A05Z").await).is_empty());
    assert_eq!(page("NextToken=expired").await.aws_error(), (400, "InvalidNextTokenException"));
    assert_eq!(page("PageSize=1001").await.aws_error(), (400, "BadRequestException"));
}

#[tokio::test]
async fn a_message_to_a_suppressed_address_is_taken_and_bounced() {
    let (sim, mut receiver) = start_subscribed().await;
    assert_eq!(suppress(&sim, "alice@example.net", "BOUNCE").await.status, 200);
    sim.email("alice@example.net").await;
    let bounce = next_event(&sim, &mut receiver).await;
    assert_eq!(
        (&bounce["eventType"], &bounce["bounce"]["bounceSubType"]),
        (&"Bounce".into(), &"OnAccountSuppressionList".into())
    );
}
