//! The Reports API.

use hermes_simulator::demo;
use reqwest::Method;
use serde_json::{Value, json};

use super::{form, message, specs};
use crate::{
    receiver::Receiver,
    sim::{Answer, Sim, answer},
};

async fn records(sim: &Sim, query: &str) -> Answer {
    let account = demo::vonage();
    let path = format!("/v2/reports/records?account_id=abcd1234&{query}");
    answer(sim.request(Method::GET, &path).basic_auth(account.api_key, Some(account.api_secret))).await
}

#[tokio::test]
async fn the_parts_of_a_text_are_found_by_id() {
    let sim = Sim::start().await;
    let mut receiver = Receiver::start().await;
    let (text, callback) = ("x".repeat(161), receiver.url("/r"));
    let fields = [
        ("from", "AcmeInc"),
        ("to", "4520129901"),
        ("text", &*text),
        ("callback", &callback),
        ("client-ref", "msg_1.1"),
    ];
    let sent = form(&sim, &fields).await.json();
    let [first, second] =
        [0, 1].map(|part| sent["messages"][part]["message-id"].as_str().unwrap().to_owned());
    receiver.next().await;
    let query = format!("product=SMS&direction=outbound&id={first},nothing,{second},0A&include_message=true");
    let found = records(&sim, &query).await.json();
    specs::sms_records(&found);
    assert_eq!((&found["items_count"], &found["ids_not_found"]), (&2.into(), &"nothing,0A".into()));
    let row = &found["records"][1];
    assert_eq!((&row["message_id"], &row["client_ref"]), (&second.into(), &"msg_1.1".into()));
    assert_eq!((&row["status"], &row["error_code"]), (&"failed".into(), &"3".into()));
    assert_eq!((&row["message_body"], &row["concatenated"]), (&text.into(), &true.into()));
    assert!(row["date_finalized"].is_string());

    // Another product, another direction, another account: as if it did not exist.
    for query in [
        format!("product=MESSAGES&direction=outbound&id={first}"),
        format!("product=SMS&direction=inbound&id={first}"),
    ] {
        let found = records(&sim, &query).await.json();
        assert_eq!(
            (&found["records"], &found["ids_not_found"]),
            (&json!([]), &first.clone().into()),
            "{query}"
        );
    }
    assert_eq!(answer(sim.request(Method::DELETE, "/sim/requests")).await.status, 204);
    let gone = records(&sim, &format!("product=SMS&direction=outbound&id={first}")).await.json();
    assert_eq!(gone["items_count"], 0);
}

#[tokio::test]
async fn messages_are_found_while_under_way_and_after() {
    let sim = Sim::start().await;
    let mut receiver = Receiver::start().await;
    let silent =
        message(&sim, &json!({ "to": "4520129902", "webhook_url": receiver.url("/r") })).await.json();
    let sent =
        message(&sim, &json!({ "client_ref": "msg_1.1", "webhook_url": receiver.url("/r") })).await.json();
    receiver.next().await;
    let ids = [&silent, &sent].map(|answer| answer["message_uuid"].as_str().unwrap());
    let found =
        records(&sim, &format!("product=MESSAGES&direction=outbound&id={}", ids.join(","))).await.json();
    specs::messages_records(&found);
    let rows = &found["records"];
    assert_eq!((&rows[0]["status"], &rows[0]["date_finalized"]), (&"submitted".into(), &Value::Null));
    assert_eq!((&rows[1]["status"], &rows[1]["client_ref"]), (&"delivered".into(), &"msg_1.1".into()));
    assert_eq!((&rows[1]["message_body"], &found["ids_not_found"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn only_the_account_itself_may_ask() {
    let sim = Sim::start().await;
    let path = "/v2/reports/records?account_id=abcd1234&product=SMS&direction=outbound&id=1";
    for request in [
        sim.request(Method::GET, path),
        sim.request(Method::GET, path).basic_auth("abcd1234", Some("wrong")),
        sim.request(Method::GET, path).bearer_auth(super::token(&json!({}))),
    ] {
        assert_eq!(answer(request).await.status, 401);
    }
    let account = demo::vonage();
    let other = sim.request(Method::GET, &path.replace("abcd1234", "other000"));
    let other = answer(other.basic_auth(account.api_key, Some(account.api_secret))).await;
    assert_eq!((other.status.as_u16(), other.json()["title"].clone()), (403, "Forbidden".into()));
    let by_date = records(&sim, "product=SMS&direction=outbound&id=1&date_start=2026-11-24T00:00:00Z").await;
    assert_eq!((by_date.status.as_u16(), by_date.json()["title"].clone()), (422, "Invalid filter".into()));
    let no_id = records(&sim, "product=SMS&direction=outbound").await.json();
    assert_eq!(
        no_id["invalid_parameters"],
        json!([{ "name": "id", "reason": "Missing required parameter" }])
    );
}
