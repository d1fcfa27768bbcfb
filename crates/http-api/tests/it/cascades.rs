//! Stored cascades.

use serde_json::{Value, json};

use crate::{
    app::{App, LIVE, OTHER, sms, with},
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

/// A stored cascade of 60 s, and its path.
async fn stored(app: &App) -> (Value, String) {
    let made = app.post(LIVE, "/v1/cascades", &body("a", 60)).await;
    (made.json()["id"].clone(), made.header("location").unwrap().to_owned())
}

fn steps(timeout_s: u32) -> Value {
    json!({ "steps": [{ "channel": "sms", "timeout_s": timeout_s }] })
}

#[tokio::test]
async fn versions_are_kept_and_activated() {
    let app = App::start().await;
    let (_, path) = stored(&app).await;
    let versions = format!("{path}/versions");
    let made = app.post(LIVE, &versions, &steps(61)).await;
    assert_eq!(
        (made.status, &made.json()["version"], &made.json()["active"]),
        (201, &json!(2), &json!(false))
    );
    assert_eq!(app.get(LIVE, made.header("location").unwrap()).await.json(), made.json());
    assert_eq!(app.get(LIVE, &path).await.json()["version"], 1);
    let activated = app.call(Call::new("POST", format!("{versions}/2/activate")).key(LIVE)).await;
    let read = app.get(LIVE, &path).await;
    assert_eq!((activated.json(), activated.header("etag")), (read.json(), read.header("etag")));
    assert_eq!((&read.json()["steps"][0]["timeout_s"], &read.json()["version"]), (&json!(61), &json!(2)));
    assert_eq!(read.json()["on_late_receipt"], Value::Null, "a version is the whole cascade");
    let activate = json!({ "steps": [{ "channel": "sms", "timeout_s": 62 }], "activate": true });
    assert_eq!(app.post(LIVE, &versions, &activate).await.json()["active"], true);

    let list = app.get(LIVE, &versions).await.json();
    let told: Vec<_> = list["data"].as_array().unwrap().iter().map(|entry| &entry["version"]).collect();
    assert_eq!(told, [3, 2, 1]);
    for missing in ["0", "4", "x"] {
        let path = format!("{versions}/{missing}");
        assert_eq!(app.get(LIVE, &path).await.status, 404, "{missing}");
        assert_eq!(app.call(Call::new("POST", format!("{path}/activate")).key(LIVE)).await.status, 404);
    }
    let stranger = app.call(Call::new("POST", format!("{versions}/1/activate")).key(OTHER)).await;
    assert_eq!((stranger.status, app.get(OTHER, &versions).await.status), (404, 404));
}

#[tokio::test]
async fn replacing_makes_a_version_and_stale_changes_are_refused() {
    let app = App::start().await;
    let (_, path) = stored(&app).await;
    let put = |name: &str, timeout_s| {
        Call::new("PUT", path.clone()).key(LIVE).json(&body(name, timeout_s)).header("if-match", "*")
    };
    assert_eq!(app.call(put("b", 60)).await.json()["latest_version"], 1, "a name alone makes no version");
    let replaced = app.call(put("b", 90)).await.json();
    assert_eq!((&replaced["version"], &replaced["latest_version"]), (&json!(2), &json!(2)));
    let call =
        Call::new("POST", format!("{path}/versions")).key(LIVE).json(&steps(61)).header("if-match", "\"1\"");
    assert_eq!(app.call(call).await.code(), "version_conflict");
    let call = Call::new("POST", format!("{path}/versions/1/activate")).key(LIVE).header("if-match", "\"1\"");
    assert_eq!(app.call(call).await.code(), "version_conflict");
    let bad = app
        .post(LIVE, &format!("{path}/versions"), &json!({ "steps": [], "activate": 1, "name": "x" }))
        .await;
    assert_eq!(
        (bad.code(), bad.pointers()),
        ("schema_invalid".into(), vec!["/activate".into(), "/steps".into(), "/name".into()])
    );
}

#[tokio::test]
async fn a_message_names_the_version_that_it_runs_under() {
    let app = App::start().await;
    let (id, path) = stored(&app).await;
    app.post(LIVE, &format!("{path}/versions"), &steps(61)).await;
    let send = async |cascade: Value| app.post(LIVE, "/v1/messages", &with(sms(), "/cascade", cascade)).await;
    let active = send(id.clone()).await.json();
    assert_eq!(
        (&active["cascade"], &active["plan"][0]["timeout_s"]),
        (&json!({ "id": id, "version": 1 }), &json!(60))
    );
    let named = send(json!({ "id": id, "version": 2 })).await.json();
    assert_eq!((&named["cascade"]["version"], &named["plan"][0]["timeout_s"]), (&json!(2), &json!(61)));
    app.call(Call::new("POST", format!("{path}/versions/2/activate")).key(LIVE)).await;
    assert_eq!(send(json!({ "id": id })).await.json()["cascade"]["version"], 2);
    let kept = app.get(LIVE, &format!("/v1/messages/{}", active["id"].as_str().unwrap())).await.json();
    assert_eq!(kept["cascade"], json!({ "id": id, "version": 1 }), "what runs stays as it was");
    let unknown = send(json!({ "id": id, "version": 3 })).await;
    assert_eq!(
        (unknown.code(), unknown.pointers()),
        ("schema_invalid".into(), vec!["/cascade/version".into()])
    );
    assert_eq!(app.post(LIVE, "/v1/messages", &sms()).await.json()["cascade"], Value::Null);
}
