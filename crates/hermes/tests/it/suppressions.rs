//! A recipient's STOP, from the provider's callback to the message that is not sent.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{Server, StartOptions, attempts, cascade, sms};

const LIMIT: Duration = Duration::from_secs(30);

/// An SMS through one connection to the number whose owner says STOP as soon as it has arrived.
fn to_whoever_stops() -> Value {
    let mut body = sms("9912", 20);
    body["cascade"]["steps"][0]["providers"] = json!(["twilio"]);
    body
}

/// The tenant's rules, once there are some.
async fn rules(server: &Server) -> Vec<Value> {
    let until = Instant::now() + LIMIT;
    loop {
        let (status, list) = server.get("/v1/suppressions", &server.tenant_key).await.unwrap();
        assert_eq!(status, 200, "{list}");
        let rules = list["data"].as_array().unwrap();
        if !rules.is_empty() {
            return rules.clone();
        }
        assert!(Instant::now() < until, "no suppression within {LIMIT:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn refused(server: &Server, body: &Value) -> Value {
    let (status, problem) = server.post("/v1/messages", &server.tenant_key, body).await.unwrap();
    assert_eq!(status, 422, "{problem}");
    problem
}

#[tokio::test]
async fn a_stop_stops_the_next_message_over_a_crash_until_the_rule_is_removed() {
    let mut server = Server::start();
    let id = server.send(&to_whoever_stops()).await;
    assert_eq!(server.ended(&id, LIMIT).await["status"], "delivered");
    let rule = rules(&server).await.remove(0);
    assert_eq!(
        (&rule["reason"], &rule["source"], &rule["channel"]),
        (&"opt_out".into(), &"inbound".into(), &"sms".into())
    );
    assert_eq!(rule["sender"], Value::Null, "every sender, also those of other connections");
    assert_eq!(refused(&server, &sms("9912", 20)).await["code"], "recipient_suppressed");

    server.kill();
    server.restart(&StartOptions::default()).expect("it starts");
    let problem = refused(&server, &sms("9912", 20)).await;
    assert_eq!((&problem["code"], &problem["layer"]), (&"recipient_suppressed".into(), &"dnc".into()));
    let by_email = cascade("9912", "0001", "0001", 20);
    let (status, reply) = server.post("/v1/messages", &server.tenant_key, &by_email).await.unwrap();
    assert_eq!((status, &reply["warnings"][0]["code"]), (202, &"recipient_suppressed".into()));
    let message = server.ended(reply["id"].as_str().unwrap(), LIMIT).await;
    assert_eq!((&message["status"], &message["channel"]), (&"delivered".into(), &"email".into()));

    let path = format!("{}/v1/suppressions/{}", server.api, rule["id"].as_str().unwrap());
    let removed = server.client.delete(path).bearer_auth(&server.tenant_key).send().await.unwrap();
    assert_eq!(removed.status().as_u16(), 204);
    let id = server.send(&to_whoever_stops()).await;
    assert_eq!(server.ended(&id, LIMIT).await["status"], "delivered");
}

#[tokio::test]
async fn a_stop_in_the_middle_of_a_cascade_stops_its_later_sms() {
    let server = Server::start();
    // The email is silent for as long as the STOP needs to come.
    let mut body = cascade("9912", "9902", "0001", 10);
    let steps = &mut body["cascade"]["steps"];
    let (sms, email) = (steps[0].clone(), steps[1].clone());
    (steps[0], steps[1]) = (email, sms);
    let waiting = server.send(&body).await;
    server.until(&waiting, LIMIT, |message| attempts(message).len() == 1).await;
    server.send(&to_whoever_stops()).await;
    rules(&server).await;
    assert_eq!(attempts(&server.message(&waiting).await).len(), 1, "the STOP came too late for this test");

    let message = server.ended(&waiting, LIMIT).await;
    let steps: Vec<_> = attempts(&message).into_iter().map(|(step, _)| step).collect();
    assert_eq!(steps, [0, 2], "email, then push: {message:#}");
    let timeline = server.events(&waiting).await;
    let suppressed: Vec<_> = timeline.iter().filter(|entry| entry["type"] == "step.suppressed").collect();
    assert_eq!((suppressed.len(), &suppressed[0]["step"]), (1, &json!(1)), "{timeline:?}");
    assert_eq!(
        (&suppressed[0]["attempt"], &suppressed[0]["data"]["class"]),
        (&Value::Null, &json!("opted_out"))
    );
    assert_eq!(server.requests_of(&waiting).await.len(), 2, "nothing reached the SMS provider");
}

#[tokio::test]
async fn what_a_provider_has_on_its_own_list_is_suppressed_from_then_on() {
    let server = Server::start();
    let mut body = sms("0001", 20);
    // Twilio's test number of somebody who said STOP there.
    body["to"]["phone"] = json!("+15005550004");
    body["cascade"]["steps"][0]["providers"] = json!(["twilio"]);
    let id = server.send(&body).await;
    let message = server.ended(&id, LIMIT).await;
    assert_eq!(message["attempts"][0]["error"]["class"], "opted_out", "{message:#}");
    let rule = rules(&server).await.remove(0);
    let expected = json!(["opt_out", "provider", "+15005550004", "15005550006"]);
    assert_eq!(json!([rule["reason"], rule["source"], rule["address"], rule["sender"]]), expected);
    assert_eq!(refused(&server, &body).await["code"], "recipient_suppressed");
}
