//! Every scripted ending, over real sockets.

use std::time::{Duration, Instant};

use base64::{Engine, engine::general_purpose::STANDARD};
use hermes_simulator::demo;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    receiver::Receiver,
    sim::{PATIENCE, Sim, answer},
};

async fn start() -> (Sim, Receiver) {
    (Sim::start().await, Receiver::start().await)
}

async fn processed(sim: &Sim, reference: &str) -> (Value, Value) {
    let requests = sim.get("/sim/requests").await.json();
    (requests["counts"][reference].clone(), requests["processed"][reference].clone())
}

/// Sends an SMS by hand, so that the test sees every byte that comes back.
async fn raw_sms(sim: &Sim, to: &str, callback: &str) -> TcpStream {
    let account = demo::twilio();
    let fields = [("To", to), ("From", "ACME"), ("Body", "Hello"), ("StatusCallback", callback)];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let credentials = STANDARD.encode(format!("{}:{}", account.account_sid, account.auth_token));
    let request = format!(
        "POST /2010-04-01/Accounts/{}/Messages.json HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {credentials}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        account.account_sid,
        body.len()
    );
    let mut stream = TcpStream::connect(sim.running.addr()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Everything that comes until the other side closes the connection, which it must.
async fn read_until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut answered = Vec::new();
    let closed = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answered)).await;
    closed.expect("the connection should be closed").unwrap();
    answered
}

async fn lookup(sim: &Sim, to: &str) -> Value {
    let search = format!("/Messages.json?To={}", to.replace('+', "%2B"));
    answer(sim.twilio(Method::GET, &search)).await.json()["messages"].clone()
}

#[tokio::test]
async fn each_ending_has_its_receipts() {
    for (to, expected) in [
        ("+4520129901", &["undelivered"][..]),
        ("+4520129904", &["delivered", "delivered"]),
        ("+4520129905", &["delivered", "sent"]),
        ("+4520129906", &["delivered", "undelivered"]),
        ("+4520120000", &["delivered"]),
    ] {
        let (sim, mut receiver) = start().await;
        let sent = sim.sms(to, &receiver.url("/r?ref=msg_1.1")).await;
        assert_eq!(sent.status, 201, "{to}");
        assert_eq!(receiver.statuses(expected.len()).await, expected, "{to}");
        assert_eq!(processed(&sim, "msg_1.1").await, (1.into(), 1.into()), "{to}");
    }
}

#[tokio::test]
async fn a_repeated_receipt_is_a_true_repeat() {
    let (sim, mut receiver) = start().await;
    sim.sms("+4520129904", &receiver.url("/r?ref=msg_1.1")).await;
    let (first, second) = (receiver.next().await, receiver.next().await);
    assert_eq!(first.body, second.body);
    let token = "i-twilio-idempotency-token";
    assert_eq!(first.header(token), second.header(token));
}

#[tokio::test]
async fn silence_means_no_receipt_while_the_lookup_says_sent() {
    let (sim, mut receiver) = start().await;
    sim.sms("+4520129902", &receiver.url("/r?ref=msg_silent.1")).await;
    sim.sms("+4520120000", &receiver.url("/r?ref=msg_other.1")).await;
    // The later message's receipt is the first to come, and by then the silent one's was due.
    assert_eq!(receiver.next().await.uri.query(), Some("ref=msg_other.1"));
    assert_eq!(lookup(&sim, "+4520129902").await[0]["status"], "sent");
    sim.no_receipt_waits().await;
}

#[tokio::test]
async fn a_late_receipt_comes_five_seconds_later() {
    let (sim, mut receiver) = start().await;
    let started = Instant::now();
    sim.sms("+4520129903", &receiver.url("/r?ref=msg_1.1")).await;
    assert_eq!(receiver.statuses(1).await, ["delivered"]);
    assert!(started.elapsed() >= Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn refusing_once_is_per_message_whatever_the_attempt() {
    let (sim, mut receiver) = start().await;
    for (to, status, code) in [("+4520129907", 429, 20429), ("+4520129908", 503, 21730)] {
        let first = sim.sms(to, &receiver.url("/r?ref=msg_1.1")).await;
        assert_eq!((first.status.as_u16(), first.json()["code"].clone()), (status, code.into()));
        let retry = sim.sms(to, &receiver.url("/r?ref=msg_1.2")).await;
        assert_eq!(retry.status, 201);
        assert_eq!(receiver.next().await.uri.query(), Some("ref=msg_1.2"));
        let other = sim.sms(to, &receiver.url("/r?ref=msg_2.1")).await;
        assert_eq!(other.status, status, "another message is refused once too");
    }
    let throttled = sim.sms("+4520129907", &receiver.url("/r?ref=msg_3.1")).await;
    assert_eq!(throttled.header("retry-after"), "1");
    assert_eq!(processed(&sim, "msg_3.1").await, (1.into(), 0.into()));
}

#[tokio::test]
async fn a_hanging_call_gets_no_byte_and_processes_nothing() {
    let (sim, receiver) = start().await;
    let mut stream = raw_sms(&sim, "+4520129909", &receiver.url("/r?ref=msg_1.1")).await;
    // Once it is in the log, an answer would have been on its way.
    sim.until("/sim/requests", |requests| requests["data"] != json!([])).await;
    let mut byte = [0];
    let silence = tokio::time::timeout(Duration::from_millis(200), stream.read(&mut byte)).await;
    assert!(silence.is_err(), "no answer, no close");
    let entry = sim.get("/sim/requests").await.json()["data"][0].clone();
    assert_eq!(entry["outcome"], "hung");
    assert_eq!((&entry["segments"], &entry["reaches"]), (&Value::Null, &false.into()));
    assert_eq!(processed(&sim, "msg_1.1").await, (1.into(), 0.into()));
    assert_eq!(lookup(&sim, "+4520129909").await, json!([]));
}

#[tokio::test]
async fn a_dropped_answer_is_no_byte_at_all_and_the_receipt_follows() {
    let (sim, mut receiver) = start().await;
    let mut stream = raw_sms(&sim, "+4520129910", &receiver.url("/r?ref=msg_1.1")).await;
    assert_eq!(read_until_closed(&mut stream).await, b"");
    let receipt = receiver.next().await.form();
    assert_eq!(receipt["MessageStatus"], "delivered");
    let found = lookup(&sim, "+4520129910").await;
    assert_eq!(
        (&found[0]["sid"], &found[0]["status"]),
        (&receipt["MessageSid"].clone().into(), &"delivered".into())
    );
    let entry = sim.get("/sim/requests").await.json()["data"][0].clone();
    assert_eq!((&entry["outcome"], &entry["status"]), (&"dropped".into(), &Value::Null));
    assert_eq!((&entry["processed"], &entry["recipient_tail"]), (&true.into(), &"9910".into()));
    assert_eq!((&entry["segments"], &entry["reaches"]), (&1.into(), &true.into()));
}

#[tokio::test]
async fn a_silent_drop_processes_without_a_receipt() {
    let (sim, mut receiver) = start().await;
    let mut stream = raw_sms(&sim, "+4520129913", &receiver.url("/r?ref=msg_1.1")).await;
    assert_eq!(read_until_closed(&mut stream).await, b"");
    sim.sms("+4520120000", &receiver.url("/r?ref=msg_other.1")).await;
    assert_eq!(receiver.next().await.uri.query(), Some("ref=msg_other.1"));
    assert_eq!(lookup(&sim, "+4520129913").await[0]["status"], "sent");
    assert_eq!(processed(&sim, "msg_1.1").await, (1.into(), 1.into()));
}

#[tokio::test]
async fn a_server_error_hides_a_processed_message() {
    let (sim, mut receiver) = start().await;
    let failed = sim.sms("+4520129914", &receiver.url("/r?ref=msg_1.1")).await;
    assert_eq!((failed.status.as_u16(), failed.json()["code"].clone()), (500, 20500.into()));
    assert_eq!(receiver.statuses(1).await, ["delivered"]);
    assert_eq!(processed(&sim, "msg_1.1").await, (1.into(), 1.into()));
}

#[tokio::test]
async fn a_stop_comes_to_the_connection_without_the_reference() {
    let (sim, mut receiver) = start().await;
    sim.sms("+4520129912", &receiver.url("/receipts/twilio/prv_1?ref=msg_1.1")).await;
    assert_eq!(receiver.statuses(1).await, ["delivered"]);
    let stop = receiver.next().await;
    assert_eq!(stop.uri.to_string(), "/receipts/twilio/prv_1");
    let form = stop.form();
    assert_eq!((&*form["Body"], &*form["OptOutType"], &*form["From"]), ("STOP", "STOP", "+4520129912"));
}

#[tokio::test]
async fn each_provider_words_refusals_its_own_way() {
    let sim = Sim::start().await;
    assert_eq!(sim.sms("+4520129911", "http://127.0.0.1:9/").await.json()["code"], 21211);

    assert_eq!(sim.email("a+9911@example.net").await.aws_error(), (400, "BadRequestException"));
    assert_eq!(sim.email("a+9914@example.net").await.aws_error(), (500, "InternalFailure"));
    let throttled = sim.email("a+9907@example.net").await;
    assert_eq!(
        (throttled.aws_error(), throttled.header("retry-after")),
        ((429, "TooManyRequestsException"), "1")
    );
    assert_eq!(sim.email("a+9908@example.net").await.aws_error(), (503, "ServiceUnavailable"));
    assert_eq!(sim.email("a+9908@example.net").await.status, 200);

    for (device, status, code) in [
        ("sim-9901-a", 404, "UNREGISTERED"),
        ("sim-9907-a", 429, "QUOTA_EXCEEDED"),
        ("sim-9908-a", 503, "UNAVAILABLE"),
        ("sim-9911-a", 400, "INVALID_ARGUMENT"),
        ("sim-9914-a", 500, "INTERNAL"),
    ] {
        let answer = sim.push(device).await;
        let body = answer.json();
        assert_eq!(
            (answer.status.as_u16(), &body["error"]["details"][0]["errorCode"]),
            (status, &code.into())
        );
    }
    for device in
        ["sim-9902-a", "sim-9903-a", "sim-9904-a", "sim-9905-a", "sim-9906-a", "sim-9912-a", "sim-9907-a"]
    {
        assert_eq!(sim.push(device).await.status, 200, "{device}");
    }
}
