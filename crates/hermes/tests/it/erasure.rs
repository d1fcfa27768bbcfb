//! A person is erased from a running server, and from the files of one that was killed.

use std::{path::Path, time::Duration};

use serde_json::{Value, json};

use crate::server::{Server, StartOptions, attempts, sms};

const LIMIT: Duration = Duration::from_secs(30);
const TEXT: &str = "Planted text of this test";

fn planted() -> Value {
    let mut body = sms("4711", 20);
    body["content"]["text"] = json!(TEXT);
    body["cascade"]["steps"][0]["providers"] = json!(["twilio"]);
    body["metadata"] = json!({ "name": "Planted name" });
    body
}

fn files_with(data: &Path, wanted: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(data).unwrap().map(Result::unwrap) {
        let bytes = if entry.path().is_file() { std::fs::read(entry.path()).unwrap() } else { continue };
        if bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes()) {
            found.push(entry.file_name().into_string().unwrap());
        }
    }
    found
}

fn assert_nothing_is_plain(server: &Server, phone: &str) {
    for text in [&phone[1..], TEXT, "Planted"] {
        assert_eq!(files_with(&server.data, text), Vec::<String>::new(), "{text} is readable");
    }
}

async fn erased(server: &Server, id: &str) -> Value {
    let (status, message) = server.get(&format!("/v1/messages/{id}"), &server.tenant_key).await.unwrap();
    assert_eq!((status, &message["to"]), (200, &Value::Null), "{message}");
    assert!(message["erased_at"].is_string() && message["metadata"] == json!({}), "{message}");
    message
}

#[tokio::test]
async fn an_erased_person_is_in_no_file_and_no_answer_over_kill_9() {
    let mut server = Server::start();
    let phone = planted()["to"]["phone"].as_str().unwrap().to_owned();
    let delivered = server.send(&planted()).await;
    assert_eq!(server.ended(&delivered, LIMIT).await["status"], "delivered");
    let mut later = planted();
    later["send_at"] = soon();
    let scheduled = server.send(&later).await;
    assert_nothing_is_plain(&server, &phone);

    let (status, done) =
        server.post("/v1/recipients/erase", &server.tenant_key, &json!({ "phone": phone })).await.unwrap();
    assert_eq!(status, 200, "{done}");
    assert_eq!(
        (&done["messages"], &done["cancelled"], &done["under_way"]),
        (&json!(2), &json!(1), &json!(0))
    );
    server.kill();
    assert_nothing_is_plain(&server, &phone);
    server.restart(&StartOptions::default()).expect("it starts");
    let message = erased(&server, &delivered).await;
    assert_eq!((&message["status"], attempts(&message).len()), (&json!("delivered"), 1));
    assert_eq!(erased(&server, &scheduled).await["status"], "cancelled");
    let path = format!("/v1/messages?to={}", phone.replace('+', "%2B"));
    assert_eq!(server.get(&path, &server.tenant_key).await.unwrap().1["data"], json!([]));
}

/// An hour from now.
fn soon() -> Value {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let at = u64::try_from(now.as_millis()).unwrap() + 3_600_000;
    json!(hermes_domain::UnixMillis(at).rfc3339())
}

#[tokio::test]
async fn a_server_killed_within_an_erasure_has_finished_it_after_the_next_start() {
    for point in hermes_ports::kill_point::ERASURE {
        let mut server = Server::new(|_| crate::server::Launch::Dev);
        let hits = server.data.parent().unwrap().join("hits");
        let armed = format!("{point}:1:{}", hits.display());
        let options =
            StartOptions { env: vec![("HERMES_KILL_POINT".into(), armed)], ..StartOptions::default() };
        server.restart(&options).expect("it starts");
        let id = server.send(&planted()).await;
        server.ended(&id, LIMIT).await;
        let phone = planted()["to"]["phone"].as_str().unwrap().to_owned();
        let answer =
            server.post("/v1/recipients/erase", &server.tenant_key, &json!({ "phone": phone })).await;
        assert!(answer.is_err(), "{answer:?}");
        server.kill();
        assert_eq!(std::fs::read_to_string(&hits).unwrap().trim(), point);
        server.restart(&StartOptions::default()).expect("it starts");
        assert_eq!(erased(&server, &id).await["status"], "delivered");
        assert_nothing_is_plain(&server, &phone);
    }
}

/// Every file below a directory that holds `wanted`.
fn found_below(directory: &Path, wanted: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            found.extend(found_below(&entry.path(), wanted));
        } else if std::fs::read(entry.path())
            .unwrap_or_default()
            .windows(wanted.len())
            .any(|window| window == wanted.as_bytes())
        {
            found.push(entry.path().display().to_string());
        }
    }
    found
}

/// What JetStream keeps, replaced values included, is ciphertext from the first byte on, and its key is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_person_is_in_no_byte_of_jetstream() {
    let nats = hermes_testkit::nats::private();
    let store = format!(
        "kind = \"nats\"\nallow_unsafe_durability = true\nnats.url = \"{}\"\nnats.replicas = 1",
        nats.url()
    );
    let mut server = Server::serve(&store).await;
    let phone = planted()["to"]["phone"].as_str().unwrap().to_owned();
    let delivered = server.send(&planted()).await;
    assert_eq!(server.ended(&delivered, LIMIT).await["status"], "delivered");
    let mut later = planted();
    later["send_at"] = soon();
    let scheduled = server.send(&later).await;
    let storage = nats.storage().unwrap();
    assert!(!found_below(&storage, &delivered).is_empty(), "the message is there");

    let (status, done) =
        server.post("/v1/recipients/erase", &server.tenant_key, &json!({ "phone": phone })).await.unwrap();
    assert_eq!((status, &done["messages"], &done["cancelled"]), (200, &json!(2), &json!(1)), "{done}");
    for text in [&phone[1..], TEXT, "Planted"] {
        assert_eq!(found_below(&storage, text), Vec::<String>::new(), "{text} is readable");
    }
    server.kill();
    assert_nothing_is_plain(&server, &phone);
    server.restart(&StartOptions::default()).expect("it starts");
    assert_eq!(erased(&server, &delivered).await["status"], "delivered");
    assert_eq!(erased(&server, &scheduled).await["status"], "cancelled");
}
