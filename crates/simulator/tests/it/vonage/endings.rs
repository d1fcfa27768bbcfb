//! Every scripted ending, through both APIs.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{claims, first, form, form_request, message, message_request, specs, texts, token, verified};
use crate::{
    receiver::{Received, Receiver},
    sim::{Answer, Sim},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Api {
    Sms,
    Messages,
}

const BOTH: [Api; 2] = [Api::Sms, Api::Messages];

fn request(api: Api, sim: &Sim, to: &str, reference: &str, url: &str) -> reqwest::RequestBuilder {
    match api {
        Api::Sms => form_request(
            sim,
            &[
                ("from", "447700900001"),
                ("to", to),
                ("text", "Hello"),
                ("client-ref", reference),
                ("callback", url),
            ],
        ),
        Api::Messages => {
            let changes = json!({ "to": to, "client_ref": reference, "webhook_url": url });
            message_request(sim, &changes).bearer_auth(token(&json!({})))
        }
    }
}

async fn send(api: Api, sim: &Sim, to: &str, reference: &str, receiver: &Receiver) -> Answer {
    crate::sim::answer(request(api, sim, to, reference, &receiver.url("/r?c=prv_1"))).await
}

/// Whether the message was accepted, in the API's own way.
fn is_accepted(api: Api, answer: &Answer) -> bool {
    match api {
        Api::Sms => answer.status == 200 && first(answer).0 == "0",
        Api::Messages => answer.status == 202,
    }
}

/// The status in a callback, which must be signed and fit the published schema.
fn status(api: Api, received: &Received) -> String {
    let body = received.json();
    match api {
        Api::Sms => {
            specs::sms_report(&body);
            verified(texts(&body))["status"].clone()
        }
        Api::Messages => {
            specs::messages_status(&body);
            claims(received);
            body["status"].as_str().unwrap().to_owned()
        }
    }
}

async fn statuses(api: Api, receiver: &mut Receiver, count: usize) -> Vec<String> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(status(api, &receiver.next().await));
    }
    statuses
}

async fn log_entry(sim: &Sim) -> Value {
    sim.get("/sim/requests?limit=1").await.json()["data"][0].clone()
}

#[tokio::test]
async fn accepted_messages_end_as_scripted() {
    for api in BOTH {
        let (undelivered, sent) = match api {
            Api::Sms => ("failed", "accepted"),
            Api::Messages => ("rejected", "submitted"),
        };
        for (to, expected) in [
            ("4520129901", &[undelivered][..]),
            ("4520129902", &[]),
            ("4520129903", &["delivered"]),
            ("4520129904", &["delivered", "delivered"]),
            ("4520129905", &["delivered", sent]),
            ("4520129906", &["delivered", undelivered]),
            ("4520120000", &["delivered"]),
        ] {
            let (sim, mut receiver) = (Sim::start().await, Receiver::start().await);
            let started = Instant::now();
            let answer = send(api, &sim, to, "msg_1.1", &receiver).await;
            assert!(is_accepted(api, &answer), "{api:?} {to}: {}", answer.body);
            assert_eq!(statuses(api, &mut receiver, expected.len()).await, expected, "{api:?} {to}");
            assert!(to != "4520129903" || started.elapsed() >= Duration::from_secs(5), "{api:?}");
            let figures = sim.no_receipt_waits().await;
            assert_eq!(figures["delivered"], expected.len(), "{api:?} {to}");
            let requests = sim.get("/sim/requests").await.json();
            assert_eq!(requests["processed"], json!({ "msg_1.1": 1 }), "{api:?} {to}");
        }
    }
}

#[tokio::test]
async fn a_repeated_callback_is_a_true_repeat() {
    for api in BOTH {
        let (sim, mut receiver) = (Sim::start().await, Receiver::start().await);
        send(api, &sim, "4520129904", "msg_1.1", &receiver).await;
        let (one, two) = (receiver.next().await, receiver.next().await);
        assert_eq!(
            (&one.body, one.headers.get("authorization")),
            (&two.body, two.headers.get("authorization"))
        );
    }
}

#[tokio::test]
async fn throttled_once_is_worded_by_each_api() {
    let (sim, mut receiver) = (Sim::start().await, Receiver::start().await);
    for (api, http) in [(Api::Sms, 200), (Api::Messages, 429)] {
        let reference = format!("msg_{api:?}.1");
        let refused = send(api, &sim, "4520129907", &reference, &receiver).await;
        assert_eq!(refused.status, http);
        match api {
            Api::Sms => {
                specs::sms_refused(&refused.json());
                assert_eq!(first(&refused).0, "1");
                assert!(refused.headers.get("retry-after").is_none(), "200 says nothing about retries");
            }
            Api::Messages => {
                specs::messages_answer(429, &refused.json());
                assert!(refused.json()["type"].as_str().unwrap().ends_with("#1000"));
                assert_eq!(refused.header("retry-after"), "1");
            }
        }
        let entry = log_entry(&sim).await;
        assert_eq!((&entry["outcome"], &entry["status"]), (&"refused".into(), &http.into()));
        let retried = send(api, &sim, "4520129907", &reference.replace(".1", ".2"), &receiver).await;
        assert!(is_accepted(api, &retried), "{}", retried.body);
        assert_eq!(statuses(api, &mut receiver, 1).await, ["delivered"]);
    }
}

#[tokio::test]
async fn unavailable_once_says_that_nothing_was_processed() {
    let (sim, mut receiver) = (Sim::start().await, Receiver::start().await);
    for api in BOTH {
        let reference = format!("msg_{api:?}.1");
        let refused = send(api, &sim, "4520129908", &reference, &receiver).await;
        assert_eq!((refused.status.as_u16(), refused.header("content-type")), (503, "text/html"));
        assert!(refused.body.contains("was not processed"), "{}", refused.body);
        assert_eq!(log_entry(&sim).await["processed"], false);
        let retried = send(api, &sim, "4520129908", &reference.replace(".1", ".2"), &receiver).await;
        assert!(is_accepted(api, &retried), "{}", retried.body);
        assert_eq!(statuses(api, &mut receiver, 1).await, ["delivered"]);
    }
}

#[tokio::test]
async fn an_invalid_recipient_is_worded_by_each_api() {
    let (sim, receiver) = (Sim::start().await, Receiver::start().await);
    let refused = send(Api::Sms, &sim, "4520129911", "msg_1.1", &receiver).await;
    specs::sms_refused(&refused.json());
    assert_eq!(first(&refused), ("6".into(), "Unroutable message - rejected".into()));
    let refused = send(Api::Messages, &sim, "4520129911", "msg_2.1", &receiver).await;
    specs::messages_answer(422, &refused.json());
    let expected = json!([{ "name": "to", "reason": "invalid value" }]);
    assert_eq!((refused.status.as_u16(), &refused.json()["invalid_parameters"]), (422, &expected));
    let requests = sim.get("/sim/requests").await.json();
    assert_eq!(requests["totals"], json!({ "received": 2, "processed": 0 }));
}

#[tokio::test]
async fn a_hanging_call_gets_no_answer_and_processes_nothing() {
    for api in BOTH {
        let (sim, receiver) = (Sim::start().await, Receiver::start().await);
        let request = request(api, &sim, "4520129909", "msg_1.1", &receiver.url("/r"));
        let failed = request.timeout(Duration::from_millis(500)).send().await.unwrap_err();
        assert!(failed.is_timeout(), "{failed:?}");
        let requests = sim.until("/sim/requests", |requests| requests["data"] != json!([])).await;
        let entry = &requests["data"][0];
        assert_eq!((&entry["outcome"], &entry["processed"]), (&"hung".into(), &false.into()));
        sim.no_receipt_waits().await;
    }
}

#[tokio::test]
async fn dropped_and_lost_answers_hide_processed_messages() {
    for api in BOTH {
        for (to, follows) in [("4520129910", true), ("4520129913", false)] {
            let (sim, mut receiver) = (Sim::start().await, Receiver::start().await);
            let failed = request(api, &sim, to, "msg_1.1", &receiver.url("/r")).send().await.unwrap_err();
            assert!(!failed.is_timeout(), "{failed:?}");
            if follows {
                assert_eq!(statuses(api, &mut receiver, 1).await, ["delivered"]);
            }
            assert_eq!(sim.no_receipt_waits().await["delivered"], u8::from(follows), "{api:?} {to}");
            let entry = log_entry(&sim).await;
            assert_eq!((&entry["outcome"], &entry["processed"]), (&"dropped".into(), &true.into()));
        }
        let (sim, mut receiver) = (Sim::start().await, Receiver::start().await);
        let failed = send(api, &sim, "4520129914", "msg_1.1", &receiver).await;
        assert_eq!(failed.status, 500);
        assert!(!failed.body.contains("processed"), "it does not say: {}", failed.body);
        if api == Api::Messages {
            specs::messages_answer(500, &failed.json());
        }
        assert_eq!(statuses(api, &mut receiver, 1).await, ["delivered"]);
        assert_eq!(log_entry(&sim).await["processed"], true);
    }
}

#[tokio::test]
async fn a_stop_comes_from_the_handset_without_the_reference() {
    let (sim, mut receiver) = (Sim::start().await, Receiver::start().await);
    send(Api::Sms, &sim, "4520129912", "msg_1.1", &receiver).await;
    assert_eq!(statuses(Api::Sms, &mut receiver, 1).await, ["delivered"]);
    let stop = receiver.next().await;
    assert_eq!(stop.uri.to_string(), "/r");
    specs::sms_inbound(&stop.json());
    let stop = verified(texts(&stop.json()));
    let found = ["msisdn", "to", "text", "keyword", "type", "api-key"].map(|name| &*stop[name]);
    assert_eq!(found, ["4520129912", "447700900001", "STOP", "STOP", "text", "abcd1234"]);
    assert!(!stop.contains_key("status") && !stop.contains_key("client-ref"));

    send(Api::Messages, &sim, "4520129912", "msg_2.1", &receiver).await;
    assert_eq!(statuses(Api::Messages, &mut receiver, 1).await, ["delivered"]);
    let stop = receiver.next().await;
    assert_eq!(stop.uri.to_string(), "/r");
    claims(&stop);
    let body = stop.json();
    specs::messages_inbound(&body);
    assert_eq!((&body["from"], &body["to"]), (&"4520129912".into(), &"447700900001".into()));
    assert_eq!((&body["text"], &body["sms"]["keyword"]), (&"STOP".into(), &"STOP".into()));
    assert_eq!((&body["status"], &body["client_ref"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_long_text_to_a_stopping_handset_is_answered_once() {
    let (sim, mut receiver) = (Sim::start().await, Receiver::start().await);
    let (text, callback) = ("x".repeat(161), receiver.url("/r"));
    form(&sim, &[("from", "Acme"), ("to", "4520129912"), ("text", &text), ("callback", &callback)]).await;
    assert_eq!(statuses(Api::Sms, &mut receiver, 2).await, ["delivered", "delivered"]);
    assert_eq!(receiver.next().await.json()["text"], "STOP");
    assert_eq!(sim.no_receipt_waits().await["delivered"], 3);
}

#[tokio::test]
async fn intermediate_receipts_can_be_asked_for() {
    let (sim, mut receiver) = (Sim::start().await, Receiver::start().await);
    sim.post("/sim/scenario", json!({ "intermediate_receipts": true })).await;
    send(Api::Sms, &sim, "4520120000", "msg_1.1", &receiver).await;
    assert_eq!(statuses(Api::Sms, &mut receiver, 2).await, ["accepted", "delivered"]);
    message(&sim, &json!({ "webhook_url": receiver.url("/r") })).await;
    assert_eq!(statuses(Api::Messages, &mut receiver, 2).await, ["submitted", "delivered"]);
}
