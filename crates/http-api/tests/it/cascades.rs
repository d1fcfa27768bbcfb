//! Stored cascades.

use serde_json::{Value, json};

use crate::{
    app::{App, LIVE},
    client::Call,
};

fn body(name: &str, timeout_s: u32) -> Value {
    json!({ "name": name, "steps": [{ "channel": "sms", "timeout_s": timeout_s }], "on_late_receipt": "record" })
}

#[tokio::test]
async fn a_stored_cascade_is_made_read_replaced_and_deleted() {
    let app = App::start().await;
    let made = app.post(LIVE, "/v1/cascades", &body("a", 60)).await;
    let etag = made.header("etag").unwrap().to_owned();
    let path = made.header("location").unwrap().to_owned();
    assert_eq!((made.status, app.get(LIVE, &path).await.json()), (201, made.json()));
    let put = |tag: Option<&str>| {
        let call = Call::new("PUT", path.clone()).key(LIVE).json(&body("b", 90));
        match tag {
            Some(tag) => call.header("if-match", tag),
            None => call,
        }
    };
    assert_eq!(app.call(put(None)).await.code(), "precondition_required");
    let replaced = app.call(put(Some(&etag))).await;
    assert_eq!(
        (&replaced.json()["name"], &replaced.json()["steps"][0]["timeout_s"]),
        (&json!("b"), &json!(90))
    );
    assert_eq!(app.call(put(Some(&etag))).await.code(), "version_conflict");
    assert_eq!(app.get(LIVE, "/v1/cascades").await.json()["data"], json!([replaced.json()]));
    assert_eq!(app.call(Call::new("DELETE", path.clone()).key(LIVE)).await.status, 204);
    assert_eq!(app.call(Call::new("DELETE", path).key(LIVE)).await.status, 404);
}

#[tokio::test]
async fn what_could_not_run_is_not_stored() {
    let app = App::start().await;
    let bad = json!({ "steps": [{ "channel": "fax" }], "colour": "red" });
    let answer = app.post(LIVE, "/v1/cascades", &bad).await;
    assert_eq!(
        (answer.status, answer.pointers()),
        (422, vec!["/name".into(), "/steps/0/channel".into(), "/colour".into()])
    );
    assert_eq!(app.get(LIVE, "/v1/cascades").await.json()["data"], json!([]));
}
