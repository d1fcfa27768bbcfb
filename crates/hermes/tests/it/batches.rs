//! Uploaded batches outlive the process.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;

use crate::server::{Server, StartOptions, sms};

const LINES: usize = 300;
const LIMIT: Duration = Duration::from_secs(60);

async fn batch(server: &Server, path: &str) -> Value {
    let (status, batch) = server.get(path, &server.tenant_key).await.unwrap();
    assert_eq!(status, 200, "{batch}");
    batch
}

/// Polls until the batch has come so far.
async fn until(server: &Server, path: &str, far: impl Fn(&Value) -> bool) -> Value {
    let polls = LIMIT.as_millis() / 20;
    for _ in 0..polls {
        let batch = batch(server, path).await;
        if far(&batch) {
            return batch;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the batch did not come so far: {}", batch(server, path).await);
}

/// The first crash comes right after a message has become durable, before its batch knows it.
#[tokio::test]
async fn a_batch_finishes_after_kill_9_and_sends_no_item_twice() {
    let mut server = Server::start();
    server.kill();
    let hits = server.data.join("hits");
    let plan = format!("accept.after:100:{}", hits.display());
    let armed = StartOptions { env: vec![("HERMES_KILL_POINT".to_owned(), plan)], ..StartOptions::default() };
    server.restart(&armed).expect("the server starts");
    let body: String = (0..LINES).map(|_| format!("{}\n", sms("0001", 5))).collect();
    let request = server.client.post(format!("{}/v1/batches", server.api)).bearer_auth(&server.tenant_key);
    let answer = request.header("content-type", "application/x-ndjson").body(body).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 202);
    let reply: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let path = format!("/v1/batches/{}", reply["id"].as_str().unwrap());
    assert!(server.wait_for_end(LIMIT), "the kill point was passed");
    server.restart(&StartOptions::default()).expect("the server starts again");
    let halfway = until(&server, &path, |batch| batch["accepted"].as_u64() >= Some(150)).await;
    server.kill();
    assert!(halfway["total"] == LINES, "{halfway}");
    server.restart(&StartOptions::default()).expect("the server starts a third time");
    let done = until(&server, &path, |batch| batch["state"] == "completed").await;
    assert_eq!((&done["accepted"], &done["refused"]), (&Value::from(LINES), &Value::from(0)));
    let ids = ids_of(&server, &format!("{path}/items")).await;
    assert_eq!(ids.len(), LINES, "each item is a message of its own");
    assert_eq!(ids_of(&server, "/v1/messages").await, ids, "and there is no other");
    for id in &ids {
        // Those that were on their way in a crash may have lost their receipt, or not have been sent at all.
        let ended = server.ended(id, LIMIT).await;
        assert!(["delivered", "sent_unconfirmed"].contains(&ended["status"].as_str().unwrap()), "{ended}");
        assert!(server.requests_of(id).await.len() <= 1, "{id} was sent again");
    }
}

/// Ids of everything on a list.
async fn ids_of(server: &Server, list: &str) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let mut page = format!("{list}?limit=250");
    loop {
        let found = batch(server, &page).await;
        ids.extend(
            found["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = found["next_cursor"].as_str() else { return ids };
        page = format!("{list}?limit=250&cursor={cursor}");
    }
}
