//! The control calls, the log, and receipts that are sent again.

use std::time::Duration;

use axum::http::StatusCode;
use hermes_simulator::{Error, LogDetail, Simulator, SimulatorOptions, TwilioAccount, demo};
use reqwest::Method;
use serde_json::json;

use crate::{
    receiver::Receiver,
    sim::{Sim, answer},
};

#[tokio::test]
async fn a_receiver_that_failed_gets_its_receipt_again() {
    let sim = Sim::start().await;
    let mut receiver = Receiver::start().await;
    receiver.answer_next(StatusCode::SERVICE_UNAVAILABLE);
    sim.sms("+4520120000", &receiver.url("/r?ref=msg_1.1")).await;
    let (first, second) = (receiver.next().await, receiver.next().await);
    assert_eq!(first.body, second.body);

    receiver.answer_next(StatusCode::FORBIDDEN);
    sim.sms("+4520120000", &receiver.url("/r?ref=msg_2.1")).await;
    receiver.next().await;
    let figures = sim.no_receipt_waits().await;
    assert_eq!(
        (&figures["retried"], &figures["delivered"], &figures["refused"]),
        (&1.into(), &1.into(), &1.into())
    );
}

#[tokio::test]
async fn a_receiver_that_was_away_gets_its_receipt_when_it_is_back() {
    let sim = Sim::start().await;
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    sim.sms("+4520120000", &format!("http://{address}/r?ref=msg_1.1")).await;
    sim.until("/sim/receipts", |figures| figures["retried"] != 0).await;
    let mut receiver = Receiver::start_on(address).await;
    assert_eq!(receiver.statuses(1).await, ["delivered"]);
}

#[tokio::test]
async fn the_scenario_sets_defaults_and_leaves_scripts_alone() {
    let sim = Sim::start_with(|options| options.receipt_delay = Duration::from_millis(5)).await;
    let mut receiver = Receiver::start().await;
    let answer = sim.post("/sim/scenario", json!({ "failure_rate": 1.0 })).await;
    assert_eq!(
        (&answer.json()["receipt_delay_ms"], &answer.json()["failure_rate"]),
        (&5.into(), &1.0.into())
    );
    assert_eq!(sim.sms("+4520120000", &receiver.url("/r?ref=msg_1.1")).await.status, 503);
    assert_eq!(sim.sms("+4520129901", &receiver.url("/r?ref=msg_2.1")).await.status, 201);
    assert_eq!(receiver.statuses(1).await, ["undelivered"]);

    let change = json!({ "failure_rate": 0, "intermediate_receipts": true, "latency_ms": 1 });
    sim.post("/sim/scenario", change).await;
    sim.sms("+4520120000", &receiver.url("/r?ref=msg_3.1")).await;
    assert_eq!(receiver.statuses(2).await, ["sent", "delivered"]);

    sim.post("/sim/scenario", json!({ "loss_rate": 1, "intermediate_receipts": false })).await;
    sim.sms("+4520120000", &receiver.url("/r?ref=msg_4.1")).await;
    sim.sms("+4520129901", &receiver.url("/r?ref=msg_5.1")).await;
    assert_eq!(receiver.next().await.uri.query(), Some("ref=msg_5.1"));

    assert_eq!(sim.post("/sim/scenario", json!({ "loss_rate": 2 })).await.status, 422);
    assert_eq!(sim.post("/sim/scenario", json!({ "lost": 1 })).await.status, 422);
}

#[tokio::test]
async fn requests_are_listed_counted_and_cleared() {
    let sim = Sim::start().await;
    let callback = "http://127.0.0.1:9/r?ref=msg_01ARZ3NDEKTSV4RRFFQ69G5FAV.1";
    sim.sms("+4520129902", callback).await;
    sim.sms("+4520129902", callback).await;
    sim.sms("bad", callback).await;
    sim.email("ann+9902@example.net").await;
    let requests = sim.get("/sim/requests?limit=2").await.json();
    assert_eq!(requests["counts"], json!({ "msg_01ARZ3NDEKTSV4RRFFQ69G5FAV.1": 3, "msg_mail.1": 1 }));
    assert_eq!(requests["processed"], json!({ "msg_01ARZ3NDEKTSV4RRFFQ69G5FAV.1": 2, "msg_mail.1": 1 }));
    assert_eq!(requests["totals"], json!({ "received": 4, "processed": 3 }));
    let data = requests["data"].as_array().unwrap();
    let newest: Vec<_> = data.iter().map(|entry| (&entry["provider"], &entry["status"])).collect();
    assert_eq!(newest, [(&json!("ses"), &json!(200)), (&json!("twilio"), &json!(400))]);
    let repeated = sim.get("/sim/counts?min=2").await.json();
    assert_eq!(repeated["counts"], json!({ "msg_01ARZ3NDEKTSV4RRFFQ69G5FAV.1": 3 }));
    assert_eq!(repeated["references"], 2);
    let of_one = sim.get("/sim/requests?reference=msg_mail.1").await.json();
    assert_eq!(of_one["data"].as_array().unwrap().len(), 1);

    assert_eq!(answer(sim.request(Method::DELETE, "/sim/requests")).await.status, 204);
    let cleared = sim.get("/sim/requests").await.json();
    assert_eq!((&cleared["counts"], &cleared["data"]), (&json!({}), &json!([])));
    let found = answer(sim.twilio(Method::GET, "/Messages.json")).await.json();
    assert_eq!(found["messages"], json!([]));
}

#[tokio::test]
async fn the_log_file_survives_a_restart_and_holds_no_address() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.jsonl");
    let sim = Sim::start_with(|options| options.log = Some(path.clone())).await;
    sim.sms("+4520129902", "http://127.0.0.1:9/r?ref=msg_1.1").await;
    // The answer has come, so the line is there.
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"msg_1.1\"") && text.contains("\"9902\""), "{text}");
    assert!(!text.contains("+452012") && !text.contains("Hello"), "{text}");
    sim.running.shutdown().await;

    let sim = Sim::start_with(|options| options.log = Some(path.clone())).await;
    sim.sms("+4520129902", "http://127.0.0.1:9/r?ref=msg_1.1").await;
    assert_eq!(sim.get("/sim/counts").await.json()["counts"], json!({ "msg_1.1": 2 }));
}

#[tokio::test]
async fn the_memory_log_can_be_left_out() {
    let sim = Sim::start_with(|options| options.log_detail = LogDetail::Off).await;
    sim.sms("+4520129902", "http://127.0.0.1:9/r?ref=msg_1.1").await;
    let requests = sim.get("/sim/requests").await.json();
    assert_eq!((&requests["data"], &requests["counts"]), (&json!([]), &json!({})));
    assert_eq!(requests["totals"]["received"], 1);
}

#[tokio::test]
async fn accounts_can_be_added_while_running() {
    let sim = Sim::start().await;
    let sid = "AC00000000000000000000000000000009";
    let path = format!("/2010-04-01/Accounts/{sid}.json");
    let fetch = || sim.request(Method::GET, &path).basic_auth(sid, Some("secret"));
    assert_eq!(answer(fetch()).await.status, 401);
    let added = sim
        .post("/sim/accounts", json!({ "twilio": [{ "account_sid": sid, "auth_token": "secret" }] }))
        .await;
    assert_eq!(added.status, 204, "{}", added.body);
    assert_eq!(answer(fetch()).await.status, 200);
    let bad = sim.post("/sim/accounts", json!({ "fcm": [{ "service_account": {} }] })).await;
    assert_eq!(bad.status, 422);
}

#[tokio::test]
async fn a_taken_port_and_a_bad_account_fail_clearly() {
    let sim = Sim::start().await;
    let taken = Simulator::start(SimulatorOptions::new(sim.running.addr())).await.unwrap_err();
    assert!(matches!(taken, Error::Listen { address, .. } if address == sim.running.addr()));
    let mut options = SimulatorOptions::new("127.0.0.1:0".parse().unwrap());
    options.accounts.fcm[0].service_account["private_key"] = json!("none");
    assert!(matches!(Simulator::start(options).await.unwrap_err(), Error::Accounts(_)));
}

#[test]
fn debug_output_holds_no_credentials() {
    let options = SimulatorOptions::new("127.0.0.1:0".parse().unwrap());
    let text = format!("{options:?}");
    let TwilioAccount { auth_token, .. } = demo::twilio();
    assert!(!text.contains(&auth_token) && !text.contains(&demo::ses().secret_access_key));
    assert!(!text.contains("PRIVATE KEY"));
}
