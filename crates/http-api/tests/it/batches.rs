//! Batches: one bad item harms no other.

use serde_json::{Value, json};

use crate::{
    app::{App, LIVE, sms, with},
    client::Call,
    contract,
};

fn batch(messages: Value) -> Call {
    Call::new("POST", "/v1/batches").key(LIVE).json(&json!({ "messages": messages }))
}

#[tokio::test]
async fn each_item_gets_what_it_would_have_got_alone() {
    let app = App::start().await;
    let answer = app.call(batch(json!([sms(), with(sms(), "/to/phone", json!("1")), 42, sms()]))).await;
    let reply = answer.json();
    assert_eq!((answer.status, &reply["accepted"], &reply["refused"]), (202, &json!(2), &json!(2)));
    let statuses: Vec<_> =
        reply["data"].as_array().unwrap().iter().map(|item| item["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [202, 422, 422, 202]);
    let problem = &reply["data"][1]["problem"];
    assert_eq!(
        (&problem["code"], &problem["errors"][0]["pointer"]),
        (&json!("recipient_invalid"), &json!("/to/phone"))
    );
    assert_eq!(contract::faults_of("Problem", problem), Vec::<String>::new());
    assert_eq!(problem["request_id"].as_str(), answer.header("x-request-id"));
    assert_eq!(app.get(LIVE, "/v1/messages").await.json()["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_repeated_batch_makes_no_message_twice() {
    let app = App::start().await;
    let keyed = |messages: Value| batch(messages).header("idempotency-key", "b");
    let ids = |reply: &Value| {
        reply["data"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect::<Vec<_>>()
    };
    let first = app.call(keyed(json!([sms(), with(sms(), "/to/phone", json!("1"))]))).await.json();
    // The refused item is corrected; the other one is recognised.
    let second = app.call(keyed(json!([sms(), sms()]))).await.json();
    assert_eq!(ids(&first)[0], ids(&second)[0]);
    assert!(ids(&second)[1].is_string());
    let changed = app.call(keyed(json!([with(sms(), "/content/text", json!("other"))]))).await.json();
    assert_eq!(changed["data"][0]["problem"]["code"], "idempotency_mismatch");
    assert_eq!(app.get(LIVE, "/v1/messages").await.json()["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_thousand_messages_are_taken_at_once() {
    let app = App::start().await;
    let reply = app.call(batch(json!(vec![sms(); 1_000]))).await.json();
    assert_eq!((&reply["accepted"], reply["data"].as_array().unwrap().len()), (&json!(1_000), 1_000));
}
