//! Webhooks as tenants receive them: by the programs of the guide, which stand on the official libraries.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, atomic::AtomicU16, atomic::Ordering, mpsc},
    time::{Duration, Instant, UNIX_EPOCH},
};

use axum::http::{HeaderMap, StatusCode};
use hermes_domain::UnixMillis;
use hermes_testkit::webhook_libraries::{javascript, python};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Server, StartOptions, free_port, sms};

const LIMIT: Duration = Duration::from_secs(60);

/// A delivery as it arrived.
#[derive(Debug, Clone)]
struct Delivered {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Delivered {
    fn header(&self, name: &str) -> &str {
        &self.headers.iter().find(|(key, _)| key == name).unwrap().1
    }

    fn with(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        changed.headers.iter_mut().find(|(key, _)| key == name).unwrap().1 = value.to_owned();
        changed
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// An endpoint that keeps what it is sent and answers as it is told.
struct Hook {
    path: String,
    secret: String,
    heard: Arc<Mutex<Vec<Delivered>>>,
    status: Arc<AtomicU16>,
}

impl Hook {
    async fn start(server: &Server, event_types: Value) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (heard, status) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU16::new(204)));
        let (inbox, answers) = (Arc::clone(&heard), Arc::clone(&status));
        let hear = move |headers: HeaderMap, body: axum::body::Bytes| async move {
            let headers = headers.iter();
            let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
            inbox.lock().unwrap().push(Delivered { headers: headers.collect(), body: body.to_vec() });
            StatusCode::from_u16(answers.load(Ordering::Relaxed)).unwrap()
        };
        let app = axum::Router::new().route("/hook", axum::routing::post(hear));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let (path, secret) = server.register(&url, event_types).await;
        Self { path, secret, heard, status }
    }

    /// The first delivery for which `wanted` holds.
    async fn until(&self, wanted: impl Fn(&Delivered) -> bool) -> Delivered {
        let until = Instant::now() + LIMIT;
        loop {
            let found = self.heard.lock().unwrap().iter().find(|delivered| wanted(delivered)).cloned();
            if let Some(found) = found {
                return found;
            }
            assert!(Instant::now() < until, "not within {LIMIT:?}: {:?}", self.heard.lock().unwrap());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn about(&self, message: &str) -> Delivered {
        self.until(|delivered| delivered.json()["data"]["message_id"] == message).await
    }
}

impl Server {
    /// Registers an endpoint; its path and its secret.
    async fn register(&self, url: &str, event_types: Value) -> (String, String) {
        let body = json!({ "url": url, "event_types": event_types });
        let (status, reply) = self.post("/v1/webhooks", &self.tenant_key, &body).await.unwrap();
        assert_eq!(status, 201, "{reply}");
        let path = format!("/v1/webhooks/{}", reply["id"].as_str().unwrap());
        (path, reply["secret"].as_str().unwrap().to_owned())
    }

    /// Looks at `path` until `done` holds of it.
    async fn look(&self, path: &str, done: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + LIMIT;
        loop {
            let (_, found) = self.get(path, &self.tenant_key).await.unwrap();
            if done(&found) {
                return found;
            }
            assert!(Instant::now() < until, "not within {LIMIT:?}: {found:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A program of the guide that runs with a secret.
struct Receiver {
    child: Child,
    port: u16,
    printed: mpsc::Receiver<String>,
    client: reqwest::Client,
    _dir: TempDir,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a program of the guide is run.
#[derive(Clone, Copy)]
struct Language {
    sample: &'static str,
    command: fn(&Path) -> Command,
}

const PYTHON: Language = Language { sample: "receiver.py", command: python };
const JAVASCRIPT: Language = Language { sample: "receiver.mjs", command: javascript };

/// The program that stands under this name in the guide.
fn sample(name: &str) -> String {
    let guide = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/webhooks.md");
    let guide = fs::read_to_string(guide).unwrap();
    let (_, after) = guide.split_once(&format!("<!-- sample: {name} -->\n```")).expect("the guide has it");
    let (_, program) = after.split_once('\n').unwrap();
    program.split_once("\n```").unwrap().0.to_owned() + "\n"
}

impl Receiver {
    fn start(language: Language, secret: &str, port: u16) -> Self {
        let dir = TempDir::new().unwrap();
        let program = dir.path().join(language.sample);
        fs::write(&program, sample(language.sample)).unwrap();
        let mut command = (language.command)(&program);
        let command = command.env("WEBHOOK_SECRET", secret).env("PORT", port.to_string());
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let (lines, printed) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = lines.send(line); // The test may be over.
            }
        });
        let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
        let mut receiver = Self { child, port, printed, client, _dir: dir };
        receiver.until_listening();
        receiver
    }

    fn until_listening(&mut self) {
        let until = Instant::now() + LIMIT;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < until, "it does not listen: {ended:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it answers to a delivery that somebody hands to it.
    async fn answer(&self, delivered: &Delivered) -> u16 {
        let mut request = self.client.post(format!("http://127.0.0.1:{}/", self.port));
        for (name, value) in delivered.headers.iter().filter(|(name, _)| name.starts_with("webhook-")) {
            request = request.header(name, value);
        }
        request.body(delivered.body.clone()).send().await.unwrap().status().as_u16()
    }

    fn printed(&self) -> String {
        self.printed.recv_timeout(LIMIT).expect("it prints a line for each event")
    }
}

/// Hermes delivers to the program itself, which knows the event's type and message.
async fn receives_from_hermes(server: &Server, language: Language) {
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}/");
    let (path, secret) = server.register(&url, json!(["message.delivered"])).await;
    let receiver = Receiver::start(language, &secret, port);
    let id = server.send(&sms("0001", 20)).await;
    let printed = receiver.printed();
    let (event_type, data) = printed.split_once(' ').unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!((event_type, &data["message_id"]), ("message.delivered", &json!(id)));
    let done = |list: &Value| list["data"][0]["status"] == "delivered";
    let list = server.look(&format!("{path}/deliveries"), done).await;
    assert_eq!((&list["data"][0]["last_status"], &list["data"][0]["attempts"]), (&json!(204), &json!(1)));
    let (status, _) = server
        .post(
            &format!("{path}/redeliver?event_id=evt_7ZZZZZZZZZZZZZZZZZZZZZZZZZ"),
            &server.tenant_key,
            &json!({}),
        )
        .await
        .unwrap();
    assert_eq!(status, 404);
}

/// What Hermes posted elsewhere is taken with its secret as it was, and refused otherwise.
async fn refuses_what_is_forged(server: &Server, hook: &Hook, language: Language) {
    let id = server.send(&sms("0001", 20)).await;
    let genuine = hook.about(&id).await;
    let receiver = Receiver::start(language, &hook.secret, free_port());
    assert_eq!(receiver.answer(&genuine).await, 204);
    let mut body = genuine.body.clone();
    let at = body.windows(9).position(|window| window == b"delivered").unwrap();
    body[at] = b'D';
    let tampered = Delivered { body, ..genuine.clone() };
    let other_id = genuine.with("webhook-id", "evt_01ARZ3NDEKTSV4RRFFQ69G5FAV");
    let second: u64 = genuine.header("webhook-timestamp").parse().unwrap();
    let other_time = genuine.with("webhook-timestamp", &(second + 1).to_string());
    for forged in [&tampered, &other_id, &other_time] {
        assert_eq!(receiver.answer(forged).await, 400, "{forged:?}");
    }
    let wrong = Receiver::start(language, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", free_port());
    assert_eq!(wrong.answer(&genuine).await, 400);
    assert_eq!(receiver.answer(&genuine).await, 204, "again: it has seen the event and ignores it");
}

/// During the overlap receivers with either secret accept; one with a secret that never was does not.
async fn accepts_both_secrets(server: &Server, hook: &Hook, language: Language) {
    let before = hook.heard.lock().unwrap()[0].clone();
    assert_eq!(before.header("webhook-signature").split(' ').count(), 1);
    let rotate = format!("{}/rotate_secret", hook.path);
    let (status, reply) = server.post(&rotate, &server.tenant_key, &json!({})).await.unwrap();
    assert_eq!(status, 200, "{reply}");
    let id = server.send(&sms("0001", 20)).await;
    let during = hook.about(&id).await;
    assert_eq!(during.header("webhook-signature").split(' ').count(), 2, "{during:?}");
    for secret in [hook.secret.as_str(), reply["secret"].as_str().unwrap()] {
        let receiver = Receiver::start(language, secret, free_port());
        assert_eq!(receiver.answer(&during).await, 204);
    }
    let new = Receiver::start(language, reply["secret"].as_str().unwrap(), free_port());
    assert_eq!(new.answer(&before).await, 400, "it was signed before the new secret was");
}

async fn library_agrees(language: Language) {
    let server = Server::start();
    receives_from_hermes(&server, language).await;
    let hook = Hook::start(&server, json!(["message.delivered"])).await;
    refuses_what_is_forged(&server, &hook, language).await;
    accepts_both_secrets(&server, &hook, language).await;
}

#[tokio::test]
async fn the_python_program_of_the_guide_takes_what_is_genuine_and_nothing_else() {
    library_agrees(PYTHON).await;
}

#[tokio::test]
async fn the_javascript_program_of_the_guide_takes_what_is_genuine_and_nothing_else() {
    library_agrees(JAVASCRIPT).await;
}

#[tokio::test]
async fn an_event_is_delivered_again_under_its_id() {
    let server = Server::start();
    let hook = Hook::start(&server, json!(["message.delivered"])).await;
    let first = server.send(&sms("0001", 20)).await;
    let event = hook.about(&first).await.header("webhook-id").to_owned();
    let second = server.send(&sms("0001", 20)).await;
    hook.about(&second).await;
    let settled =
        |list: &Value| list["data"].as_array().unwrap().iter().all(|one| one["status"] == "delivered");
    server.look(&format!("{}/deliveries", hook.path), settled).await;
    let redeliver = async |query: String| {
        let path = format!("{}/redeliver?{query}", hook.path);
        server.post(&path, &server.tenant_key, &json!({})).await.unwrap().1
    };
    let counted = redeliver("since=2020-01-01T00:00:00Z&dry_run=true".to_owned()).await;
    assert_eq!((&counted["count"], &counted["dry_run"]), (&json!(2), &json!(true)));
    hook.heard.lock().unwrap().clear();
    assert_eq!(redeliver(format!("event_id={event}")).await["count"], 1);
    let again = hook.until(|delivered| delivered.header("webhook-id") == event).await;
    assert_eq!(again.json()["data"]["message_id"], json!(first));
    server.look(&format!("{}/deliveries", hook.path), settled).await;
    assert_eq!(redeliver("since=2020-01-01T00:00:00Z".to_owned()).await["count"], 2);
    hook.about(&second).await;
}

#[tokio::test]
async fn an_endpoint_that_never_works_is_disabled_across_a_crash_and_starts_afresh_when_enabled() {
    let env = [
        ("HERMES__WEBHOOKS__DISABLE_AFTER_S", "3"),
        ("HERMES__WEBHOOKS__RETRY_DELAYS_S", "1,1,1,1,1,1,1,1,1"),
    ];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let options = StartOptions { env, log: None };
    let mut server = Server::start_with(&options);
    let sick = Hook::start(&server, json!(["message.delivered"])).await;
    let well = Hook::start(&server, json!(["webhook.disabled"])).await;
    sick.status.store(500, Ordering::Relaxed);
    let id = server.send(&sms("0001", 20)).await;
    sick.about(&id).await;
    let recorded = |list: &Value| list["data"][0]["attempts"].as_u64() >= Some(1);
    server.look(&format!("{}/deliveries", sick.path), recorded).await;
    server.kill();
    let killed_at = UnixMillis(UNIX_EPOCH.elapsed().unwrap().as_millis() as u64);
    server.restart(&options).expect("the server starts again");

    let told = well.until(|_| true).await.json();
    assert_eq!((&told["type"], &told["data"]["reason"]), (&json!("webhook.disabled"), &json!("failing")));
    assert!(sick.path.ends_with(told["data"]["webhook_id"].as_str().unwrap()), "{told}");
    let since = UnixMillis::parse_rfc3339(told["data"]["failing_since"].as_str().unwrap()).unwrap();
    assert!(since < killed_at, "the failures before the crash count: {told}");
    let disabled = server.look(&sick.path, |endpoint| endpoint["disabled"] == true).await;
    assert_eq!(disabled["disabled_reason"], "failing");

    sick.status.store(204, Ordering::Relaxed);
    let (url, key) = (format!("{}{}", server.api, sick.path), &server.tenant_key);
    let etag = server.client.get(&url).bearer_auth(key).send().await.unwrap().headers()["etag"].clone();
    let enable = server.client.patch(&url).bearer_auth(key).header("if-match", etag);
    let enable = enable.header("content-type", "application/json").body(r#"{"disabled": false}"#);
    assert_eq!(enable.send().await.unwrap().status().as_u16(), 200);
    let done = |list: &Value| list["data"][0]["status"] == "delivered";
    server.look(&format!("{}/deliveries", sick.path), done).await;
    assert_eq!(well.heard.lock().unwrap().len(), 1, "told once");
}
