//! Messente: strictness, answers, reports, every scripted ending.

use std::time::{Duration, Instant};

use hermes_simulator::{Accounts, MessenteAccount, demo};
use reqwest::{Method, RequestBuilder};
use ring::hmac;
use serde_json::{Value, json};

use crate::{
    receiver::{Received, Receiver},
    sim::{Answer, Sim, answer},
    specs,
};

const SEND: &str = "/v1/omnimessage";

fn request(sim: &Sim, method: Method, path: &str) -> RequestBuilder {
    let account = demo::messente();
    sim.request(method, path).basic_auth(account.username, Some(account.password))
}

async fn post(sim: &Sim, body: &Value) -> Answer {
    let request = request(sim, Method::POST, SEND).header("content-type", "application/json");
    answer(request.body(body.to_string())).await
}

fn message(to: &str, dlr_url: &str) -> Value {
    json!({ "to": to, "dlr_url": dlr_url, "messages": [{ "channel": "sms", "sender": "Acme", "text": "Hi" }] })
}

async fn send(sim: &Sim, to: &str, receiver: &Receiver) -> Answer {
    post(sim, &message(to, &receiver.url("/receipts/messente/prv_1?ref=msg_1.1"))).await
}

async fn status(sim: &Sim, sent: &Answer) -> Value {
    let id = sent.json()["omnimessage_id"].as_str().unwrap().to_owned();
    let found = answer(request(sim, Method::GET, &format!("{SEND}/{id}/status"))).await;
    assert_eq!(found.status, 200, "{}", found.body);
    specs::messente_answer("/v1/omnimessage/{omnimessageId}/status", "get", 200, &found.json());
    found.json()["statuses"][0].clone()
}

/// The report, whose signature and form are as published.
fn report(received: &Received) -> Value {
    assert_signed(received, &demo::messente().password);
    specs::messente_report(&received.json());
    received.json()
}

fn assert_signed(received: &Received, key: &str) {
    let expected = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), &received.body);
    assert_eq!(received.header("x-messente-signature"), hex::encode(expected));
    assert_eq!(received.header("content-type"), "application/json");
}

async fn reports(receiver: &mut Receiver, count: usize) -> Vec<Value> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(report(&receiver.next().await)["status"].clone());
    }
    statuses
}

fn problem(answer: &Answer) -> (u16, Value, Value) {
    specs::messente_error(&answer.json());
    let problem = &answer.json()["errors"][0];
    (answer.status.as_u16(), problem["code"].clone(), problem["source"].clone())
}

#[tokio::test]
async fn an_accepted_message_is_reported_and_found_again() {
    let sim = Sim::start().await;
    let mut receiver = Receiver::start().await;
    let sent = send(&sim, "+37251000000", &receiver).await;
    specs::messente_answer(SEND, "post", sent.status.as_u16(), &sent.json());
    assert_eq!((sent.status.as_u16(), &sent.json()["to"]), (201, &"+37251000000".into()));
    assert_eq!(status(&sim, &sent).await["status"], Value::Null);

    let received = receiver.next().await;
    assert_eq!(received.uri.to_string(), "/receipts/messente/prv_1?ref=msg_1.1");
    let report = report(&received);
    let ids = |of: &Value, message: &Value| (of["omnimessage_id"].clone(), message["message_id"].clone());
    assert_eq!(ids(&report, &report), ids(&sent.json(), &sent.json()["messages"][0]));
    assert_eq!(
        (&report["status"], &report["err"], &report["error"]),
        (&"DELIVRD".into(), &0.into(), &Value::Null)
    );
    assert_eq!(report["price_info"], json!({ "part_price": "0.1", "parts_count": 1, "total_price": "0.1" }));
    assert_eq!(report["timestamp"].as_str().unwrap().len(), "2026-11-24T02:00:00.389630".len());

    let found = status(&sim, &sent).await;
    assert_eq!((&found["status"], &found["timestamp"]), (&"DELIVRD".into(), &report["timestamp"]));
    assert_eq!(sim.get("/sim/requests").await.json()["processed"], json!({ "msg_1.1": 1 }));
}

#[tokio::test]
async fn each_ending_has_its_reports() {
    for (to, expected) in [
        ("+37251009901", &["UNDELIV"][..]),
        ("+37251009904", &["DELIVRD", "DELIVRD"]),
        ("+37251009905", &["DELIVRD", "ACK"]),
        ("+37251009906", &["DELIVRD", "UNDELIV"]),
        ("+37251009910", &["DELIVRD"]),
        ("+37251009914", &["DELIVRD"]),
    ] {
        let (sim, mut receiver) = (Sim::start().await, Receiver::start().await);
        let body = message(to, &receiver.url("/r?ref=msg_1.1")).to_string();
        let request = request(&sim, Method::POST, SEND).header("content-type", "application/json");
        let answered = request.body(body).send().await;
        match to.split_at(8).1 {
            "9910" => assert!(answered.is_err(), "{to}"),
            "9914" => assert_eq!(answered.unwrap().status(), 500, "{to}"),
            _ => assert_eq!(answered.unwrap().status(), 201, "{to}"),
        }
        assert_eq!(reports(&mut receiver, expected.len()).await, expected, "{to}");
        assert_eq!(sim.get("/sim/requests").await.json()["processed"], json!({ "msg_1.1": 1 }), "{to}");
    }
}

#[tokio::test]
async fn an_undelivered_message_says_why() {
    let (sim, mut receiver) = (Sim::start().await, Receiver::start().await);
    send(&sim, "+37251009901", &receiver).await;
    let report = report(&receiver.next().await);
    assert_eq!((&report["err"], &report["error"]), (&3.into(), &"Invalid number".into()));
}

#[tokio::test]
async fn silence_means_no_report_while_the_status_says_sent() {
    let (sim, mut receiver) = (Sim::start().await, Receiver::start().await);
    let silent = send(&sim, "+37251009902", &receiver).await;
    let dropped = message("+37251009913", &receiver.url("/r?ref=msg_2.1"));
    let request = request(&sim, Method::POST, SEND).header("content-type", "application/json");
    assert!(request.body(dropped.to_string()).send().await.is_err());
    post(&sim, &message("+37251000000", &receiver.url("/r?ref=msg_3.1"))).await;
    assert_eq!(receiver.next().await.uri.query(), Some("ref=msg_3.1"));
    sim.no_receipt_waits().await;
    let found = status(&sim, &silent).await;
    assert_eq!(
        (&found["status"], &found["err"], &found["price_info"]),
        (&"ACK".into(), &Value::Null, &Value::Null)
    );
    let processed = sim.get("/sim/requests").await.json()["processed"].clone();
    assert_eq!(processed, json!({ "msg_1.1": 1, "msg_2.1": 1, "msg_3.1": 1 }));
}

#[tokio::test]
async fn a_hanging_call_gets_no_answer_and_processes_nothing() {
    let sim = Sim::start().await;
    let body = message("+37251009909", "http://127.0.0.1:9/r?ref=msg_1.1").to_string();
    let asked = request(&sim, Method::POST, SEND).header("content-type", "application/json").body(body);
    assert!(asked.timeout(Duration::from_millis(500)).send().await.unwrap_err().is_timeout());
    let requests = sim.get("/sim/requests").await.json();
    assert_eq!(
        (&requests["data"][0]["outcome"], &requests["processed"]),
        (&"hung".into(), &json!({ "msg_1.1": 0 }))
    );
}

#[tokio::test]
async fn a_late_report_comes_five_seconds_later() {
    let (sim, mut receiver) = (Sim::start().await, Receiver::start().await);
    let started = Instant::now();
    send(&sim, "+37251009903", &receiver).await;
    assert_eq!(reports(&mut receiver, 1).await, ["DELIVRD"]);
    assert!(started.elapsed() >= Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn refusals_of_the_script_are_in_messentes_words() {
    let (sim, mut receiver) = (Sim::start().await, Receiver::start().await);
    let throttled = send(&sim, "+37251009907", &receiver).await;
    assert_eq!((throttled.status.as_u16(), throttled.header("retry-after")), (429, "1"));
    assert_eq!(problem(&send(&sim, "+37251009908", &receiver).await), (503, "104".into(), Value::Null));
    for to in ["+37251009907", "+37251009908"] {
        assert_eq!(send(&sim, to, &receiver).await.status, 201);
        assert_eq!(reports(&mut receiver, 1).await, ["DELIVRD"]);
    }
    assert_eq!(problem(&send(&sim, "+37251009911", &receiver).await), (400, "105".into(), "to".into()));
    assert_eq!(problem(&send(&sim, "+37251009914", &receiver).await), (500, "104".into(), Value::Null));
}

#[tokio::test]
async fn a_stop_is_signed_with_the_secret_of_the_number() {
    let (sim, mut receiver) = (Sim::start().await, Receiver::start().await);
    send(&sim, "+37251009912", &receiver).await;
    assert_eq!(reports(&mut receiver, 1).await, ["DELIVRD"]);
    let stop = receiver.next().await;
    assert_eq!(stop.uri.to_string(), "/receipts/messente/prv_1");
    assert_signed(&stop, &demo::messente().inbound_secret);
    let body = stop.json();
    assert_eq!((&body["text"], &body["sender"]), (&"STOP".into(), &"+37251009912".into()));
    assert_eq!((&body["recipient"], &body["channel"]), (&"+37251000001".into(), &"sms".into()));
    assert_eq!(body["time"].as_str().unwrap().len(), "2026-11-24T02:00:00.000000Z".len());
    assert_eq!(body.as_object().unwrap().len(), 7);
}

#[tokio::test]
async fn an_account_has_urls_of_its_own() {
    let (sim, mut receiver) = (Sim::start().await, Receiver::start().await);
    let url = |path| Some(receiver.url(path).parse().unwrap());
    let account =
        MessenteAccount { dlr_url: url("/reports"), inbound_url: url("/inbound"), ..demo::messente() };
    sim.running.add_accounts(Accounts { messente: vec![account], ..Accounts::default() }).unwrap();
    post(&sim, &json!({ "to": "+37251009912", "messages": [{ "text": "Hi" }] })).await;
    let received = receiver.next().await;
    assert_eq!((received.uri.path(), &report(&received)["sender"]), ("/reports", &"Hermes".into()));
    assert_eq!(receiver.next().await.uri.path(), "/inbound");
}

#[tokio::test]
async fn bad_credentials_paths_methods_and_bodies_are_refused() {
    let sim = Sim::start().await;
    let account = demo::messente();
    let status = format!("{SEND}/d7248cda-6c1a-4436-acf5-aaf249bb67d3/status");
    for unauthorized in [
        sim.request(Method::POST, SEND),
        sim.request(Method::POST, SEND).basic_auth(&account.username, Some("wrong")),
        sim.request(Method::POST, SEND).basic_auth("wrong", Some(&account.password)),
        sim.request(Method::GET, &status).bearer_auth(&account.password),
    ] {
        assert_eq!(problem(&answer(unauthorized).await), (401, "103".into(), Value::Null));
    }
    for (refused, http, code) in [
        (request(&sim, Method::GET, SEND), 405, "107"),
        (request(&sim, Method::GET, &status), 404, "101"),
        (request(&sim, Method::POST, "/v1/omnimessages"), 404, "101"),
        (request(&sim, Method::POST, SEND).body("{}"), 400, "105"),
        (request(&sim, Method::POST, SEND).header("content-type", "application/json").body("["), 400, "105"),
        (request(&sim, Method::POST, SEND).body("x".repeat(300 * 1024)), 400, "105"),
    ] {
        assert_eq!(problem(&answer(refused).await), (http, code.into(), Value::Null));
    }
    let empty = post(&sim, &json!({})).await;
    let sources: Vec<_> =
        empty.json()["errors"].as_array().unwrap().iter().map(|e| e["source"].clone()).collect();
    assert_eq!(sources, ["to", "messages"]);
    let faulty = post(&sim, &message("12", "http://127.0.0.1:9/r?ref=msg_1.1")).await;
    assert_eq!(problem(&faulty), (400, "105".into(), "to".into()));
    assert_eq!(sim.get("/sim/requests").await.json()["counts"], json!({ "msg_1.1": 1 }));
}

#[tokio::test]
async fn only_a_message_that_waits_can_be_called_back() {
    let (sim, receiver) = (Sim::start().await, Receiver::start().await);
    let mut later = message("+37251000000", &receiver.url("/r?ref=msg_1.1"));
    later["time_to_send"] = json!("2999-01-01T00:00:00");
    let waiting = post(&sim, &later).await;
    let delete = async |sent: &Answer| {
        let id = sent.json()["omnimessage_id"].as_str().unwrap().to_owned();
        answer(request(&sim, Method::DELETE, &format!("{SEND}/{id}"))).await
    };
    assert_eq!(status(&sim, &waiting).await["status"], Value::Null);
    let called_back = delete(&waiting).await;
    assert_eq!((called_back.status.as_u16(), called_back.json()), (202, json!({})));
    assert_eq!(status(&sim, &waiting).await["status"], "DELETED");
    assert_eq!(problem(&delete(&waiting).await), (404, "101".into(), Value::Null));
    let sent = send(&sim, "+37251009902", &receiver).await;
    assert_eq!(problem(&delete(&sent).await), (404, "101".into(), Value::Null));
}

#[test]
fn debug_output_holds_no_credentials() {
    let account = demo::messente();
    let text = format!("{account:?}");
    for secret in [&account.username, &account.password, &account.inbound_secret] {
        assert!(!text.contains(secret), "{text}");
    }
}

const BLACKLIST: &str = "/v1/phonebook/blacklist";

async fn blacklist(sim: &Sim, body: &Value) -> Answer {
    let request = request(sim, Method::POST, BLACKLIST).header("content-type", "application/json");
    answer(request.body(body.to_string())).await
}

fn phonebook_problem(answer: &Answer) -> (u16, Value) {
    specs::messente_phonebook_error(&answer.json());
    (answer.status.as_u16(), answer.json()["errors"][0]["code"].clone())
}

#[tokio::test]
async fn the_blacklist_is_kept_as_published() {
    let sim = Sim::start().await;
    let number = json!({ "phoneNumber": "+37251000000" });
    let login = sim.request(Method::GET, BLACKLIST).basic_auth("nobody", Some("wrong"));
    assert_eq!(phonebook_problem(&answer(login).await), (401, "202".into()));
    for body in
        [json!({}), json!({ "phoneNumber": "37251000000" }), json!({ "phoneNumber": 37_251_000_000_u64 })]
    {
        assert_eq!(phonebook_problem(&blacklist(&sim, &body).await), (400, "201".into()), "{body}");
    }
    assert_eq!(blacklist(&sim, &number).await.status, 204);
    assert_eq!(phonebook_problem(&blacklist(&sim, &number).await), (409, "204".into()));

    let one = format!("{BLACKLIST}/%2B37251000000");
    assert_eq!(answer(request(&sim, Method::GET, &one)).await.status, 204);
    let list = answer(request(&sim, Method::GET, BLACKLIST)).await;
    specs::messente_answer(BLACKLIST, "get", list.status.as_u16(), &list.json());
    assert_eq!(list.json(), json!({ "phoneNumbers": ["+37251000000"] }));
    assert_eq!(answer(request(&sim, Method::DELETE, &one)).await.status, 204);
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(phonebook_problem(&answer(request(&sim, method, &one)).await), (404, "203".into()));
    }
}

#[tokio::test]
async fn a_message_to_a_blacklisted_number_is_taken_and_never_reported() {
    let sim = Sim::start().await;
    let mut receiver = Receiver::start().await;
    assert_eq!(blacklist(&sim, &json!({ "phoneNumber": "+37251000000" })).await.status, 204);
    let silent = send(&sim, "+37251000000", &receiver).await;
    assert_eq!(silent.status, 201);
    let sent = send(&sim, "+37251000002", &receiver).await;
    assert_eq!(report(&receiver.next().await)["omnimessage_id"], sent.json()["omnimessage_id"]);
    assert_ne!(status(&sim, &silent).await["status"], "DELIVRD");
}
