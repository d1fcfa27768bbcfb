//! Runs against a server that behaves as it is told, over real sockets.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::Write as _,
    path::PathBuf,
    sync::atomic::{AtomicU16, Ordering},
};

use axum::{
    Router,
    body::Bytes,
    http::StatusCode,
    routing::{delete, get, post},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hermes_domain::MessageId;
use hmac::{Hmac, Mac as _};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::LocalSet};

use super::*;
use crate::bench::options::tests::parse;

const SECRET: &[u8] = b"0123456789abcdef";

/// A server of messages, its simulator and its completion log in one.
struct Fake {
    log: PathBuf,
    /// Every message with a number that this divides never ends.
    loses_every: u16,
    /// Answers 503 to every message with a number that this divides.
    refuses_every: u16,
    /// References that were taken over twice.
    repeats: u16,
    sign_with: &'static [u8],
    sent: AtomicU16,
    accepted: AtomicU16,
    hook: Mutex<Option<String>>,
}

impl Fake {
    fn good(log: PathBuf) -> Self {
        let never = u16::MAX;
        Self {
            log,
            loses_every: never,
            refuses_every: never,
            repeats: 0,
            sign_with: SECRET,
            sent: AtomicU16::new(0),
            accepted: AtomicU16::new(0),
            hook: Mutex::default(),
        }
    }

    fn take(self: Arc<Self>, body: &Bytes) -> (StatusCode, String) {
        let request: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(request["cascade"]["steps"][0]["channel"], "sms");
        let number = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
        if number.is_multiple_of(self.refuses_every) {
            return (StatusCode::SERVICE_UNAVAILABLE, "{}".to_owned());
        }
        self.accepted.fetch_add(1, Ordering::Relaxed);
        let id = MessageId::mint(unix_now(), 0, number, 0);
        if !number.is_multiple_of(self.loses_every) {
            tokio::spawn(self.end(id));
        }
        (StatusCode::ACCEPTED, json!({ "id": id, "status": "accepted" }).to_string())
    }

    async fn end(self: Arc<Self>, id: MessageId) {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let hook = self.hook.lock().clone();
        let Some(hook) = hook else {
            let mut log = OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
            return writeln!(log, "{id} {} delivered", unix_now().0).unwrap();
        };
        let event = id.event_id(4).to_string();
        let body =
            json!({ "type": "message.delivered", "data": { "message_id": id, "status": "delivered" } })
                .to_string();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(self.sign_with).unwrap();
        mac.update(format!("{event}.1.{body}").as_bytes());
        let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        let _ = rustls::crypto::ring::default_provider().install_default();
        let request = reqwest::Client::builder().no_proxy().build().unwrap().post(hook);
        let request = request.header("webhook-id", event).header("webhook-timestamp", "1");
        request.header("webhook-signature", signature).body(body).send().await.unwrap();
    }

    fn counts(&self) -> String {
        let accepted = self.accepted.load(Ordering::Relaxed);
        let repeated: BTreeMap<String, u16> = (0..self.repeats)
            .map(|number| (format!("{}.1", MessageId::mint(unix_now(), 0, number, 0)), 2))
            .collect();
        let processed = accepted + self.repeats;
        json!({ "totals": { "received": processed, "processed": processed }, "processed": repeated })
            .to_string()
    }

    async fn serve(self: Arc<Self>) -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (messages, hooks, simulator) = (Arc::clone(&self), Arc::clone(&self), Arc::clone(&self));
        let register = move |body: Bytes| {
            let url: Value = serde_json::from_slice(&body).unwrap();
            *hooks.hook.lock() = url["url"].as_str().map(str::to_owned);
            let secret = format!("whsec_{}", STANDARD.encode(SECRET));
            std::future::ready((StatusCode::CREATED, json!({ "id": "whk_1", "secret": secret }).to_string()))
        };
        let app = Router::new()
            .route(
                "/v1/messages",
                post(move |body: Bytes| std::future::ready(Arc::clone(&messages).take(&body))),
            )
            .route("/v1/webhooks", post(register))
            .route("/v1/webhooks/whk_1", delete(|| std::future::ready(StatusCode::NO_CONTENT)))
            .route("/sim/counts", get(move || std::future::ready(simulator.counts())));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Target {
            api: format!("http://{address}"),
            host: address.to_string(),
            address,
            key: "hk_test_1".to_owned(),
            simulator: Some(format!("http://{address}")),
            completion_log: Some(self.log.clone()),
            server_pid: Some(std::process::id()),
            simulator_pid: None,
            connection: None,
        }
    }
}

/// Runs against `fake`; returns the report as JSON and what is wrong with it.
fn bench(fake: Fake, arguments: &[&str]) -> (Value, Option<String>) {
    let options = parse(arguments);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let target = Arc::new(fake).serve().await;
        let report = run(&options, &target).await.unwrap();
        let verdict = report.verdict().err().map(|error| error.to_string());
        (serde_json::to_value(&report).unwrap(), verdict)
    })
}

fn log() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("completions");
    (folder, path)
}

#[test]
fn an_open_loop_sends_its_schedule_and_sees_every_end_in_the_log() {
    let (_folder, log) = log();
    let arguments = [
        "--rate",
        "200",
        "--spacing",
        "even",
        "--warmup",
        "100ms",
        "--duration",
        "400ms",
        "--sim-delay-ms",
        "0",
    ];
    let (report, wrong) = bench(Fake::good(log), &arguments);
    assert_eq!(wrong, None);
    assert_eq!(
        (&report["accepted"], &report["completed"], &report["lost"]),
        (&json!(100), &json!(100), &json!(0))
    );
    assert_eq!(report["submissions"], json!({ "processed": 100, "expected": 100, "duplicated": 0 }));
    let samples = report["end_to_end_ms"]["samples"].as_u64().unwrap();
    assert!((60..=81).contains(&samples), "the warm-up is not measured: {samples}");
    assert!(report["end_to_end_ms"]["p50"].as_f64().unwrap() >= 9.0, "{report}");
    assert!(report["server"]["cores"].as_f64().unwrap() >= 0.0);
}

#[test]
fn a_closed_loop_of_a_fixed_number_sends_exactly_that() {
    let (_folder, log) = log();
    let (report, wrong) =
        bench(Fake::good(log), &["--concurrency", "4", "--count", "30", "--idempotency-keys"]);
    assert_eq!(wrong, None);
    assert_eq!((&report["accepted"], &report["completed"]), (&json!(30), &json!(30)));
    assert_eq!(report["statuses"], json!({ "delivered": 30 }));
}

#[test]
fn lost_and_repeated_messages_fail_the_run() {
    let (_folder, log) = log();
    let fake = Fake { loses_every: 10, repeats: 3, ..Fake::good(log) };
    let arguments = ["--concurrency", "50", "--count", "50", "--drain", "200ms"];
    let (report, wrong) = bench(fake, &arguments);
    assert_eq!((&report["lost"], &report["submissions"]["duplicated"]), (&json!(5), &json!(3)));
    assert_eq!(wrong.as_deref(), Some("5 messages lost, 3 submitted twice, 0 webhooks not genuine"));
}

#[test]
fn refusals_are_counted_by_status_and_are_not_lost() {
    let (_folder, log) = log();
    let fake = Fake { refuses_every: 5, ..Fake::good(log) };
    let (report, wrong) = bench(fake, &["--rate", "1000", "--count", "20", "--duration", "5s"]);
    assert_eq!(wrong, None);
    assert_eq!((&report["accepted"], &report["refused"]), (&json!(16), &json!({ "503": 4 })));
}

#[test]
fn ends_are_seen_by_webhook_and_signatures_are_checked() {
    let (_folder, log) = log();
    let (report, wrong) =
        bench(Fake::good(log), &["--completion", "webhook", "--concurrency", "2", "--count", "6"]);
    assert_eq!(wrong, None);
    assert_eq!((&report["completed"], &report["completion"]), (&json!(6), &json!("webhook")));
    let told = json!({ "received": 6, "ends": 6, "repeated": 0, "checked": 1, "bad": 0 });
    assert_eq!(report["webhooks"], told);
}

#[test]
fn a_webhook_that_somebody_else_signed_fails_the_run() {
    let (_folder, log) = log();
    let fake = Fake { sign_with: b"another secret", ..Fake::good(log) };
    let arguments = ["--completion", "webhook", "--concurrency", "1", "--count", "1", "--drain", "200ms"];
    let (report, wrong) = bench(fake, &arguments);
    assert_eq!(report["webhooks"]["bad"], 1);
    assert!(wrong.is_some());
}

#[test]
fn waiting_messages_are_weighed_and_not_missed() {
    let (_folder, log) = log();
    let fake = Fake { loses_every: 1, ..Fake::good(log) };
    let arguments = ["--scenario", "waiting", "--count", "25", "--concurrency", "5", "--settle", "1ms"];
    let (report, wrong) = bench(fake, &arguments);
    assert_eq!(wrong, None);
    assert_eq!((&report["accepted"], &report["lost"]), (&json!(25), &Value::Null));
    assert_eq!(report["memory"]["messages"], 25);
}
