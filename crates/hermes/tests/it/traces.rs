//! What leaves the process beside messages: one trace however often it restarts, and no personal data.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, extract::State, routing::post};
use hermes_simulator::demo;
use parking_lot::Mutex;

use crate::server::{Server, StartOptions, cascade};

const LIMIT: Duration = Duration::from_secs(20);
const TRACE_ID: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;

/// An OTLP collector that keeps every export.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Bytes>>>);

impl Collector {
    async fn start() -> (Self, String) {
        let collector = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let keep = |State(Self(exports)): State<Self>, body: Bytes| async move { exports.lock().push(body) };
        let app = Router::new().route("/v1/traces", post(keep)).with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (collector, url)
    }

    fn has(&self, parts: &[&[u8]]) -> bool {
        self.0.lock().iter().any(|export| parts.iter().all(|part| contains(export, part)))
    }

    async fn until(&self, parts: &[&[u8]]) {
        let until = Instant::now() + LIMIT;
        while !self.has(parts) {
            assert!(Instant::now() < until, "no export has all of {parts:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn options(collector: &str, level: &str, log: Option<std::path::PathBuf>) -> StartOptions {
    let env = [
        ("HERMES__TELEMETRY__LOG", level),
        ("HERMES__TELEMETRY__OTLP_ENDPOINT", collector),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"), // Milliseconds; OpenTelemetry's own variable.
    ];
    StartOptions { env: env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(), log }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_goes_on_after_a_crash() {
    let (collector, url) = Collector::start().await;
    let options = options(&url, "info", None);
    let mut server = Server::start_with(&options);
    let request = server.client.post(format!("{}/v1/messages", server.api)).bearer_auth(&server.tenant_key);
    let request = request.header("traceparent", format!("00-{TRACE_ID:032x}-00f067aa0ba902b7-01"));
    let body = cascade("9902", "0001", "1", 3).to_string();
    let answer = request.header("content-type", "application/json").body(body).send().await.unwrap();
    let reply: serde_json::Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let id = reply["id"].as_str().unwrap().to_owned();
    let trace = TRACE_ID.to_be_bytes();
    for span in ["message.accept", "cascade", "dispatch"] {
        collector.until(&[&trace, span.as_bytes(), id.as_bytes()]).await;
    }
    server.kill();
    collector.0.lock().clear();
    server.restart(&options).expect("it starts after a crash");
    server.ended(&id, LIMIT).await;
    // The step that timed out and the email's dispatch belong to the request of before the crash.
    for span in ["due", "dispatch", "receipt"] {
        collector.until(&[&trace, span.as_bytes(), id.as_bytes()]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_traces_and_metrics_name_no_person_and_no_secret() {
    let (collector, url) = Collector::start().await;
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let options = options(&url, "trace", Some(log.clone()));
    let server = Server::start_with(&options);
    let mut body = cascade("9902", "9902", "0001", 1);
    body["content"]["text"] = "a-secret-text".into();
    let id = server.send(&body).await;
    server.ended(&id, LIMIT).await;
    collector.until(&[id.as_bytes(), b"outcome"]).await;
    let metrics = server.client.get(format!("{}/metrics", server.api)).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(metrics.contains("hermes_messages_total"), "{metrics}");
    let log = fs::read(log).unwrap();
    assert!(contains(&log, id.as_bytes()), "the log says nothing of the message");
    let (twilio, ses) = (demo::twilio(), demo::ses());
    let secrets = [
        "+452012",
        "452012990",
        "ada+9902",
        "a-secret-text",
        "Your order",
        "-token",
        &server.tenant_key,
        &server.admin_key,
        &twilio.auth_token,
        &ses.secret_access_key,
        "PRIVATE KEY",
    ];
    for secret in secrets {
        assert!(!contains(&log, secret.as_bytes()), "{secret} is in the log");
        assert!(!collector.has(&[secret.as_bytes()]), "{secret} is in a trace");
        assert!(!contains(metrics.as_bytes(), secret.as_bytes()), "{secret} is in the metrics");
    }
}
