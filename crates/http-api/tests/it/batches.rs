//! Batches: one bad item harms no other.

use std::{sync::atomic::Ordering, time::Duration};

use hermes_domain::batch::PAUSE_MS_MAX;
use hermes_testkit::{START, tenant};
use serde_json::{Value, json};

use crate::{
    app::{ADMIN, App, LIVE, OTHER, sms, with},
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
async fn a_thousand_messages_are_taken_at_once() {
    let app = App::start().await;
    let reply = app.call(batch(json!(vec![sms(); 1_000]))).await.json();
    assert_eq!((&reply["accepted"], reply["data"].as_array().unwrap().len()), (&json!(1_000), 1_000));
}

fn upload(lines: &[Value]) -> Call {
    let body = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    Call::new("POST", "/v1/batches").key(LIVE).header("content-type", "application/x-ndjson").bytes(body)
}

impl App {
    /// Uploads lines and returns the batch's path.
    async fn uploaded(&self, call: Call) -> String {
        let answer = self.call(call).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        assert_eq!(answer.json()["data"], json!([]));
        let path = format!("/v1/batches/{}", answer.json()["id"].as_str().unwrap());
        assert_eq!(answer.header("location"), Some(path.as_str()));
        path
    }

    /// Works on batches until none wants more.
    async fn worked_off(&self) {
        while self.batches.round().await.unwrap() {}
    }

    async fn steered(&self, path: &str, command: &str) -> (u16, Value) {
        let answer = self.call(Call::new("POST", format!("{path}/{command}")).key(LIVE)).await;
        (answer.status, answer.json())
    }
}

/// State, then items that wait, were accepted, refused and cancelled.
fn figures(batch: &Value) -> (&str, [u64; 4]) {
    let counts = ["waiting", "accepted", "refused", "cancelled"].map(|name| batch[name].as_u64().unwrap());
    (batch["state"].as_str().unwrap(), counts)
}

#[tokio::test]
async fn a_batch_can_be_read_with_its_items() {
    let app = App::start().await;
    let reply = app.call(batch(json!([sms(), with(sms(), "/to/phone", json!("1"))]))).await.json();
    let path = format!("/v1/batches/{}", reply["id"].as_str().unwrap());
    let read = app.get(LIVE, &path).await.json();
    assert_eq!(figures(&read), ("completed", [0, 1, 1, 0]));
    assert_eq!((&read["total"], &read["progress"]), (&json!(2), &json!(1.0)));
    assert_eq!((&read["messages"]["accepted"], &read["messages"]["failed"]), (&json!(1), &json!(0)));
    let first = app.get(LIVE, &format!("{path}/items?limit=1")).await.json();
    assert_eq!(first["data"][0]["id"], reply["data"][0]["id"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = app.get(LIVE, &format!("{path}/items?limit=1&cursor={cursor}")).await.json();
    let item = &second["data"][0];
    assert_eq!((&item["index"], &item["status"], &item["id"]), (&json!(1), &json!("refused"), &Value::Null));
    assert_eq!(item["problem"], reply["data"][1]["problem"]);
    assert_eq!(second["has_more"], false);
    assert_eq!(app.get(LIVE, "/v1/batches").await.json()["data"][0]["id"], reply["id"]);
}

#[tokio::test]
async fn lines_are_taken_after_the_answer_and_each_on_its_own() {
    let app = App::start().await;
    let mut lines = vec![sms(); 100];
    lines[7] = with(sms(), "/to/phone", json!("1"));
    lines[8] = json!({ "content": { "text": "x".repeat(300 * 1024) } });
    lines[9] = with(sms(), "/lane", json!("transactional"));
    let path = app.uploaded(upload(&lines)).await;
    let waiting = app.get(LIVE, &path).await.json();
    assert_eq!((figures(&waiting), &waiting["progress"]), (("running", [100, 0, 0, 0]), &json!(0.0)));
    app.batches.round().await.unwrap();
    assert_eq!(figures(&app.get(LIVE, &path).await.json()), ("running", [36, 62, 2, 0]));
    app.worked_off().await;
    assert_eq!(figures(&app.get(LIVE, &path).await.json()), ("completed", [0, 98, 2, 0]));
    let items = app.get(LIVE, &format!("{path}/items?limit=250")).await.json();
    assert_eq!(items["data"][7]["problem"]["code"], "recipient_invalid");
    assert_eq!(items["data"][8]["problem"]["code"], "payload_too_large");
    for (index, lane) in [(0, "bulk"), (9, "transactional")] {
        let id = items["data"][index]["id"].as_str().unwrap();
        assert_eq!(app.get(LIVE, &format!("/v1/messages/{id}")).await.json()["lane"], lane);
    }
}

#[tokio::test]
async fn what_finds_no_room_waits_and_is_not_refused() {
    let app = App::start().await;
    let path = app.uploaded(upload(&vec![sms(); 3])).await;
    app.intake.overloaded.store(true, Ordering::SeqCst);
    assert!(!app.batches.round().await.unwrap());
    assert_eq!(figures(&app.get(LIVE, &path).await.json()), ("running", [3, 0, 0, 0]));
    app.intake.overloaded.store(false, Ordering::SeqCst);
    app.worked_off().await;
    assert_eq!(figures(&app.get(LIVE, &path).await.json()), ("completed", [0, 3, 0, 0]));
}

#[tokio::test]
async fn a_line_to_somebody_who_is_erased_is_dropped_before_it_is_taken() {
    let app = App::start().await;
    let erased = "+4520999998";
    let lines = [sms(), with(sms(), "/to/phone", json!(erased)), sms()];
    let path = app.uploaded(upload(&lines)).await;
    app.post(LIVE, &format!("{path}/pause"), &json!({})).await;
    for (key, dropped) in [(OTHER, 0), (LIVE, 1), (LIVE, 0)] {
        let done = app.post(key, "/v1/recipients/erase", &json!({ "phone": erased })).await.json();
        assert_eq!((&done["batch_lines"], &done["messages"]), (&json!(dropped), &json!(0)), "{key}");
    }
    app.post(LIVE, &format!("{path}/resume"), &json!({})).await;
    app.worked_off().await;
    assert_eq!(figures(&app.get(LIVE, &path).await.json()), ("completed", [0, 2, 0, 1]));
    let items = app.get(LIVE, &format!("{path}/items")).await.json();
    assert_eq!((&items["data"][1]["status"], &items["data"][1]["id"]), (&json!("cancelled"), &Value::Null));
}

#[tokio::test]
async fn a_turn_that_finds_no_room_does_not_try_every_line() {
    let app = App::start().await;
    let path = app.uploaded(upload(&vec![sms(); 60])).await;
    app.intake.overloaded.store(true, Ordering::SeqCst);
    assert!(!app.batches.round().await.unwrap());
    let tried = app.intake.turned_away.load(Ordering::SeqCst);
    assert!((1..60).contains(&tried), "{tried} lines were tried");
    app.intake.overloaded.store(false, Ordering::SeqCst);
    app.worked_off().await;
    assert_eq!(figures(&app.get(LIVE, &path).await.json()), ("completed", [0, 60, 0, 0]));
}

#[tokio::test]
async fn an_upload_is_known_by_its_key() {
    let app = App::start().await;
    let keyed = |lines: &[Value]| upload(lines).header("idempotency-key", "b");
    let path = app.uploaded(keyed(&[sms(), sms()])).await;
    let again = app.call(keyed(&[sms(), sms()])).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (202, Some("true")));
    assert_eq!(again.header("location"), Some(path.as_str()));
    assert_eq!(app.call(keyed(&[sms()])).await.code(), "idempotency_mismatch");
    app.worked_off().await;
    assert_eq!(app.get(LIVE, "/v1/messages").await.json()["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_paused_batch_takes_nothing_until_it_is_resumed() {
    let app = App::start().await;
    let path = app.uploaded(upload(&vec![sms(); 70])).await;
    app.batches.round().await.unwrap();
    for _ in 0..2 {
        let (status, paused) = app.steered(&path, "pause").await;
        assert_eq!((status, figures(&paused)), (200, ("paused", [6, 64, 0, 0])));
        app.worked_off().await;
    }
    for _ in 0..2 {
        assert_eq!(app.steered(&path, "resume").await.0, 200);
    }
    app.worked_off().await;
    assert_eq!(figures(&app.get(LIVE, &path).await.json()), ("completed", [0, 70, 0, 0]));
    for command in ["pause", "resume"] {
        let (status, problem) = app.steered(&path, command).await;
        assert_eq!((status, &problem["code"]), (409, &json!("conflict")));
    }
}

#[tokio::test]
async fn a_cancelled_batch_drops_what_waits_and_cancels_what_was_not_sent() {
    let app = App::start().await;
    let path = app.uploaded(upload(&vec![sms(); 70])).await;
    app.batches.round().await.unwrap();
    let first = app.get(LIVE, &format!("{path}/items")).await.json()["data"][0]["id"].clone();
    app.accepted(first.as_str().unwrap().parse().unwrap(), "SM1").await;
    assert_eq!(app.steered(&path, "cancel").await.1["state"], "cancelling");
    app.worked_off().await;
    let cancelled = app.get(LIVE, &path).await.json();
    assert_eq!(figures(&cancelled), ("cancelled", [0, 64, 0, 6]));
    assert_eq!(
        (&cancelled["messages"]["cancelled"], &cancelled["messages"]["accepted"]),
        (&json!(63), &json!(0))
    );
    assert_eq!(app.steered(&path, "cancel").await.0, 200);
    assert_eq!(app.steered(&path, "resume").await.0, 409);
}

#[tokio::test]
async fn a_completed_batch_cancels_what_is_scheduled_once() {
    let app = App::start().await;
    let later = with(sms(), "/send_at", json!("2026-01-03T00:00:00Z"));
    let reply = app.call(batch(json!([later]))).await.json();
    let path = format!("/v1/batches/{}", reply["id"].as_str().unwrap());
    assert_eq!(app.steered(&path, "cancel").await.0, 200);
    app.worked_off().await;
    let cancelled = app.get(LIVE, &path).await.json();
    assert_eq!((&cancelled["state"], &cancelled["messages"]["cancelled"]), (&json!("cancelled"), &json!(1)));
    let (status, problem) = {
        let refused = app.call(batch(json!([with(sms(), "/to/phone", json!("1"))]))).await.json();
        app.steered(&format!("/v1/batches/{}", refused["id"].as_str().unwrap()), "cancel").await
    };
    assert_eq!((status, &problem["code"]), (409, &json!("conflict")));
}

#[tokio::test]
async fn a_suspended_tenants_batch_stands_still_and_a_deleted_ones_is_gone() {
    let app = App::start().await;
    let path = app.uploaded(upload(&vec![sms(); 3])).await;
    let admin = format!("/admin/v1/tenants/{}", tenant(1));
    let delete = || Call::new("DELETE", admin.clone()).key(ADMIN);
    assert_eq!(app.call(delete()).await.code(), "conflict");
    app.call(Call::new("POST", format!("{admin}/suspend")).key(ADMIN)).await;
    app.worked_off().await;
    assert_eq!(figures(&app.get(LIVE, &path).await.json()), ("running", [3, 0, 0, 0]));
    app.call(Call::new("POST", format!("{admin}/resume")).key(ADMIN)).await;
    app.worked_off().await;
    assert_eq!(figures(&app.get(LIVE, &path).await.json()), ("completed", [0, 3, 0, 0]));
    app.uploaded(upload(&[sms()])).await;
    app.call(Call::new("POST", format!("{admin}/suspend")).key(ADMIN)).await;
    assert_eq!(app.call(delete()).await.status, 204);
    assert!(!hermes_ports::Batches::any_under_way(&*app.backend, tenant(1)).await.unwrap());
}

#[tokio::test]
async fn an_upload_without_lines_or_with_too_many_others_is_refused() {
    let app = App::start().await;
    assert_eq!(app.call(upload(&[])).await.code(), "schema_invalid");
    for _ in 0..10 {
        let path = app.uploaded(upload(&[sms()])).await;
        app.steered(&path, "pause").await;
    }
    let refused = app.call(upload(&[sms()])).await;
    assert_eq!((refused.code().as_str(), refused.header("retry-after")), ("rate_limited", Some("5")));
}

#[tokio::test]
async fn a_batch_that_stays_paused_drops_what_waits_after_a_week_and_its_messages_go_on() {
    let app = App::start().await;
    let path = app.uploaded(upload(&vec![with(sms(), "/send_at", json!("2026-02-01T00:00:00Z")); 600])).await;
    assert_eq!(app.get(LIVE, &path).await.json()["paused_until"], Value::Null);
    app.batches.round().await.unwrap();
    let paused = app.steered(&path, "pause").await.1;
    assert_eq!(paused["paused_until"], START.plus_ms(PAUSE_MS_MAX).rfc3339());
    app.clock.advance(Duration::from_millis(PAUSE_MS_MAX - 1));
    app.worked_off().await;
    assert_eq!(figures(&app.get(LIVE, &path).await.json()), ("paused", [536, 64, 0, 0]));
    app.clock.advance(Duration::from_millis(1));
    assert_eq!(app.steered(&path, "resume").await.0, 409, "its week is over");
    // A crash between two turns gives it no second week.
    app.batches.round().await.unwrap();
    assert_eq!(figures(&app.get(LIVE, &path).await.json()), ("paused", [286, 64, 0, 250]));
    app.worked_off().await;
    let ended = app.get(LIVE, &path).await.json();
    assert_eq!(figures(&ended), ("completed", [0, 64, 0, 536]));
    let kept = (&ended["messages"]["scheduled"], &ended["messages"]["cancelled"], &ended["paused_until"]);
    assert_eq!(kept, (&json!(64), &json!(0), &Value::Null));
    assert_eq!(app.steered(&path, "cancel").await.0, 200, "its messages are scheduled");
}
