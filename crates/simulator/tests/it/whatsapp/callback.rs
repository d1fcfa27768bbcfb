//! A callback URL that answers handshakes, and the tests of them.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
};
use hermes_simulator::demo;
use serde_json::json;
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
    task::JoinHandle,
};
use url::Url;

use super::Phone;
use crate::{
    receiver::Received,
    sim::{PATIENCE, Sim},
};

/// Confirms its handshakes unless told to answer something else, and keeps what is posted to it.
pub(super) struct Callback {
    address: SocketAddr,
    inbox: Arc<Inbox>,
    received: mpsc::UnboundedReceiver<Received>,
    asked: Mutex<mpsc::UnboundedReceiver<Uri>>,
    server: JoinHandle<()>,
}

struct Inbox {
    received: mpsc::UnboundedSender<Received>,
    asked: mpsc::UnboundedSender<Uri>,
    /// The status of handshakes; 200 comes with the challenge.
    handshake: AtomicU16,
}

impl Callback {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (received_sender, received) = mpsc::unbounded_channel();
        let (asked_sender, asked) = mpsc::unbounded_channel();
        let handshake = AtomicU16::new(200);
        let inbox = Arc::new(Inbox { received: received_sender, asked: asked_sender, handshake });
        let router = Router::new().fallback(take).with_state(Arc::clone(&inbox));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, inbox, received, asked: Mutex::new(asked), server }
    }

    pub(super) fn url(&self) -> Url {
        format!("http://{}/receipts/whatsapp/prv_1?x=1", self.address).parse().unwrap()
    }

    fn answer_handshakes(&self, status: u16) {
        self.inbox.handshake.store(status, Ordering::Release);
    }

    /// The next handshake.
    pub(super) async fn asked(&self) -> Uri {
        let mut asked = self.asked.lock().await;
        tokio::time::timeout(PATIENCE, asked.recv()).await.expect("a handshake should come").unwrap()
    }

    pub(super) async fn received(&mut self) -> Received {
        tokio::time::timeout(PATIENCE, self.received.recv()).await.expect("a webhook should come").unwrap()
    }

    pub(super) fn received_nothing(&mut self) -> bool {
        self.received.try_recv().is_err()
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(
    State(inbox): State<Arc<Inbox>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    // A test that no longer listens has seen enough.
    if method == Method::POST {
        let _ = inbox.received.send(Received { method, uri, headers, body });
        return (StatusCode::OK, String::new());
    }
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    assert_eq!(value("hub.mode").as_deref(), Some("subscribe"));
    assert_eq!(value("hub.verify_token"), Some(demo::whatsapp().verify_token));
    assert_eq!(value("x").as_deref(), Some("1"), "the URL keeps its own query");
    // First of all, for the test may change its mind as soon as it hears of the question.
    let status = StatusCode::from_u16(inbox.handshake.load(Ordering::Acquire)).unwrap();
    let _ = inbox.asked.send(uri);
    let answer = if status == StatusCode::OK { value("hub.challenge").unwrap() } else { "no".to_owned() };
    (status, answer)
}

async fn start_with(handshake: u16) -> Phone {
    let phone = Phone { sim: Sim::start().await, callback: Callback::start().await };
    phone.callback.answer_handshakes(handshake);
    phone.set(demo::whatsapp());
    phone.callback.asked().await;
    phone
}

async fn verify(phone: &Phone) -> serde_json::Value {
    let body = json!({ "phone_number_id": demo::whatsapp().phone_number_id });
    phone.sim.post("/sim/whatsapp/verify", body).await.json()
}

#[tokio::test]
async fn a_refused_callback_hears_nothing_until_it_is_asked_again() {
    for refusal in [403, 201] {
        let mut phone = start_with(refusal).await;
        assert_eq!(verify(&phone).await["verified"], false);
        phone.text("+16505550000").await;
        phone.sim.no_receipt_waits().await;
        assert!(phone.callback.received_nothing(), "{refusal}");

        phone.callback.answer_handshakes(200);
        assert_eq!(verify(&phone).await, json!({ "verified": true, "reason": null }));
        phone.text("+16505550000").await;
        assert_eq!(phone.statuses(1).await, ["delivered"]);
    }
}

#[tokio::test]
async fn webhooks_wait_for_a_callback_that_is_not_well_yet() {
    let mut phone = start_with(503).await;
    phone.text("+16505550000").await;
    phone.sim.no_receipt_waits().await;
    assert!(phone.callback.received_nothing());
    phone.callback.answer_handshakes(200);
    // Asked again by itself.
    assert_eq!(phone.statuses(1).await, ["delivered"]);
}

#[tokio::test]
async fn a_confirmed_callback_keeps_its_webhooks_when_saving_it_again_fails() {
    let mut phone = Phone::start().await;
    phone.callback.answer_handshakes(403);
    assert_eq!(verify(&phone).await["verified"], false);
    phone.text("+16505550000").await;
    assert_eq!(phone.statuses(1).await, ["delivered"]);
}

#[tokio::test]
async fn only_a_number_with_a_callback_can_be_verified() {
    let sim = Sim::start().await;
    let body = json!({ "phone_number_id": demo::whatsapp().phone_number_id });
    assert_eq!(sim.post("/sim/whatsapp/verify", body).await.status, 422);
    assert_eq!(sim.post("/sim/whatsapp/verify", json!({ "phone_number_id": "1" })).await.status, 422);
}
