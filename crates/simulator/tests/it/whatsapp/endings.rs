//! What each ending makes of a message.

use std::time::{Duration, Instant};

use hermes_simulator::{WhatsAppAccount, demo};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Phone, error, get, id, post, text};
use crate::{
    sim::{Sim, answer},
    specs,
};

#[tokio::test]
async fn a_message_is_told_of_with_our_reference_and_found_again() {
    let mut phone = Phone::start().await;
    phone.sim.post("/sim/scenario", json!({ "intermediate_receipts": true })).await;
    let sent = phone.text("+16505551234").await;
    let id = id(&sent);
    let answered = sent.json();
    assert_eq!(answered["contacts"], json!([{ "input": "+16505551234", "wa_id": "16505551234" }]));
    assert_eq!(answered["messages"], json!([{ "id": id }]));
    for name in ["sent", "delivered"] {
        let change = phone.change().await;
        let value = &change["value"];
        let status = &value["statuses"][0];
        assert_eq!((&status["id"], &status["status"]), (&json!(id), &json!(name)));
        assert_eq!(status["biz_opaque_callback_data"], "msg_1.1");
        assert_eq!(status["recipient_id"], "16505551234");
        assert_eq!(status["pricing"]["category"], "service");
        assert_eq!(value["metadata"]["phone_number_id"], demo::whatsapp().phone_number_id);
        assert_eq!(value["contacts"][0]["user_id"], status["recipient_user_id"]);
    }
    assert_eq!(phone.history(&id).await, ["SENT", "DELIVERED"]);
    assert_eq!(phone.processed().await, json!({ "msg_1.1": 1 }));
}

#[tokio::test]
async fn each_ending_has_its_statuses() {
    for (to, expected) in [
        ("+16505559901", &["failed"][..]),
        ("+16505559904", &["delivered", "delivered"]),
        ("+16505559905", &["delivered", "sent"]),
        ("+16505559906", &["delivered", "failed"]),
        ("+16505559910", &["delivered"]),
        ("+16505559914", &["delivered"]),
        ("+16505559922", &["failed"]),
        ("+16505559924", &["delivered", "read"]),
        ("+16505559925", &["read"]),
    ] {
        let mut phone = Phone::start().await;
        let answered = post(&phone.sim, &text(to, "msg_1.1")).send().await;
        match &to[8..] {
            "9910" => assert!(answered.is_err(), "{to}"),
            "9914" => assert_eq!(answered.unwrap().status(), 500, "{to}"),
            _ => assert_eq!(answered.unwrap().status(), 200, "{to}"),
        }
        assert_eq!(phone.statuses(expected.len()).await, expected, "{to}");
        assert_eq!(phone.processed().await, json!({ "msg_1.1": 1 }), "{to}");
        phone.sim.no_receipt_waits().await;
        assert!(phone.callback.received_nothing(), "{to}");
    }
}

#[tokio::test]
async fn a_failure_says_why() {
    let mut phone = Phone::start().await;
    for (to, code) in [("+16505559901", 131_026), ("+16505559922", 131_047)] {
        let id = id(&phone.text(to).await);
        let change = phone.change().await;
        let status = &change["value"]["statuses"][0];
        assert_eq!(status["errors"][0]["code"], code);
        assert_eq!((&status["recipient_user_id"], &status["pricing"]), (&Value::Null, &Value::Null));
        assert_eq!(status["biz_opaque_callback_data"], "msg_1.1");
        assert_eq!(phone.history(&id).await, ["FAILED"]);
    }
}

#[tokio::test]
async fn a_closed_window_is_open_for_templates() {
    let mut phone = Phone::start().await;
    assert_eq!(error(&phone.text("+16505559921").await), (400, 131_047));
    assert_eq!(phone.processed().await, json!({ "msg_1.1": 0 }));
    for to in ["+16505559921", "+16505559922"] {
        let sent = phone.template(to).await;
        id(&sent);
        assert_eq!(sent.json()["messages"][0]["message_status"], "accepted");
        let status = phone.status().await;
        assert_eq!(
            (&status["status"], &status["pricing"]["category"]),
            (&"delivered".into(), &"utility".into())
        );
    }
}

#[tokio::test]
async fn silence_means_no_webhook_while_the_history_says_sent() {
    let mut phone = Phone::start().await;
    let silent = id(&phone.text("+16505559902").await);
    assert!(post(&phone.sim, &text("+16505559913", "msg_2.1")).send().await.is_err());
    id(&phone.post(&text("+16505550000", "msg_3.1")).await);
    assert_eq!(phone.status().await["biz_opaque_callback_data"], "msg_3.1");
    phone.sim.no_receipt_waits().await;
    assert!(phone.callback.received_nothing());
    assert_eq!(phone.history(&silent).await, ["SENT"]);
    assert_eq!(phone.processed().await, json!({ "msg_1.1": 1, "msg_2.1": 1, "msg_3.1": 1 }));
}

#[tokio::test]
async fn a_late_webhook_comes_five_seconds_later() {
    let mut phone = Phone::start().await;
    let started = Instant::now();
    id(&phone.text("+16505559903").await);
    assert_eq!(phone.statuses(1).await, ["delivered"]);
    assert!(started.elapsed() >= Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_hanging_call_gets_no_answer_and_processes_nothing() {
    let mut phone = Phone::start().await;
    let asked = post(&phone.sim, &text("+16505559909", "msg_1.1")).timeout(Duration::from_millis(500)).send();
    assert!(asked.await.unwrap_err().is_timeout());
    let requests = phone.sim.get("/sim/requests").await.json();
    assert_eq!(
        (&requests["data"][0]["outcome"], &requests["processed"]),
        (&"hung".into(), &json!({ "msg_1.1": 0 }))
    );
    phone.sim.no_receipt_waits().await;
    assert!(phone.callback.received_nothing());
}

#[tokio::test]
async fn refusals_of_the_script_are_in_metas_words() {
    let mut phone = Phone::start().await;
    let throttled = phone.text("+16505559907").await;
    assert_eq!((error(&throttled), throttled.header("retry-after")), ((429, 130_429), "1"));
    let body = throttled.json();
    assert_eq!(body["error"]["message"], "(#130429) Rate limit hit");
    assert_eq!(body["error"]["error_data"]["messaging_product"], "whatsapp");
    let away = phone.text("+16505559908").await;
    assert_eq!((error(&away), &away.json()["error"]["is_transient"]), ((503, 2), &true.into()));
    for to in ["+16505559907", "+16505559908"] {
        id(&phone.text(to).await);
        assert_eq!(phone.statuses(1).await, ["delivered"]);
    }
    assert_eq!(error(&phone.text("+16505559911").await), (400, 131_026));
    assert_eq!(error(&phone.text("+16505559914").await), (500, 131_000));
}

#[tokio::test]
async fn an_opt_out_is_a_message_or_a_preference() {
    let mut phone = Phone::start().await;
    let id_of_sent = id(&phone.text("+16505559912").await);
    assert_eq!(phone.statuses(1).await, ["delivered"]);
    let change = phone.change().await;
    let message = &change["value"]["messages"][0];
    assert_eq!((&change["field"], &message["type"]), (&"messages".into(), &"text".into()));
    assert_eq!((&message["text"]["body"], &message["from"]), (&"STOP".into(), &"16505559912".into()));
    assert_ne!(message["id"], id_of_sent);

    id(&phone.template("+16505559923").await);
    assert_eq!(phone.statuses(1).await, ["delivered"]);
    let change = phone.change().await;
    let preference = &change["value"]["user_preferences"][0];
    assert_eq!(change["field"], "user_preferences");
    assert_eq!(
        (&preference["value"], &preference["category"]),
        (&"stop".into(), &"marketing_messages".into())
    );
    assert_eq!(preference["wa_id"], "16505559923");
    assert_eq!(preference["user_id"], change["value"]["contacts"][0]["user_id"]);
}

#[tokio::test]
async fn a_user_who_hides_the_number_is_known_by_id_only() {
    let mut phone = Phone::start().await;
    let mut hidden = text("", "msg_1.1");
    hidden.as_object_mut().unwrap().remove("to");
    hidden["recipient"] = json!("US.13491208655302741918");
    let sent = phone.post(&hidden).await;
    id(&sent);
    assert_eq!(
        sent.json()["contacts"],
        json!([{ "input": "US.13491208655302741918", "user_id": "US.13491208655302741918" }])
    );
    // The published schema does not know statuses without a number yet.
    let webhook = phone.callback.received().await.json();
    let value = &webhook["entry"][0]["changes"][0]["value"];
    assert_eq!(value["statuses"][0]["recipient_user_id"], "US.13491208655302741918");
    assert_eq!(value["statuses"][0].get("recipient_id"), None);
    assert_eq!(value["contacts"][0].get("wa_id"), None);
}

#[tokio::test]
async fn a_webhook_may_tell_of_several_messages_and_numbers() {
    let mut phone = Phone::start().await;
    let other = WhatsAppAccount {
        phone_number_id: "206540352242922".into(),
        business_account_id: "202290129340398".into(),
        ..demo::whatsapp()
    };
    phone.set(other.clone());
    phone.callback.asked().await;
    let scenario = async |count| {
        phone.sim.post("/sim/scenario", json!({ "whatsapp_statuses_per_webhook": count })).await
    };
    assert_eq!(scenario(0).await.status, 422);
    assert_eq!(scenario(3).await.json()["whatsapp_statuses_per_webhook"], 3);
    let path = format!("/v23.0/{}/messages", other.phone_number_id);
    let request = phone.sim.request(Method::POST, &path).bearer_auth(&other.access_token);
    let body = text("+16505550003", "msg_3.1").to_string();
    // Together, so that none of them waits too long for the others.
    let (first, second) = (text("+16505550001", "msg_1.1"), text("+16505550002", "msg_2.1"));
    let sent = tokio::join!(
        phone.post(&first),
        phone.post(&second),
        answer(request.header("content-type", "application/json").body(body)),
    );
    [sent.0, sent.1, sent.2].iter().for_each(|sent| drop(id(sent)));
    let told = |changes: &[Value]| -> Vec<(Value, Value)> {
        let each = |change: &Value| {
            let number = change["value"]["metadata"]["phone_number_id"].clone();
            let statuses = change["value"]["statuses"].as_array().unwrap().clone();
            statuses
                .into_iter()
                .map(move |status| (number.clone(), status["biz_opaque_callback_data"].clone()))
        };
        changes.iter().flat_map(each).collect()
    };
    let mut found = told(&phone.changes().await);
    found.sort_by_key(|(_, reference)| reference.to_string());
    let ours = json!(demo::whatsapp().phone_number_id);
    let expected = [
        (ours.clone(), json!("msg_1.1")),
        (ours.clone(), json!("msg_2.1")),
        (json!(other.phone_number_id), json!("msg_3.1")),
    ];
    assert_eq!(found, expected);
    // What finds no company goes alone.
    id(&phone.post(&text("+16505550004", "msg_4.1")).await);
    assert_eq!(told(&phone.changes().await), [(ours, json!("msg_4.1"))]);
}

#[tokio::test]
async fn the_number_proves_the_credentials() {
    let sim = Sim::start().await;
    let found = answer(get(&sim, "?fields=id,display_phone_number,verified_name")).await;
    let expected = json!({
        "id": demo::whatsapp().phone_number_id, "display_phone_number": "+15550783881", "verified_name": "Hermes",
    });
    assert_eq!((found.status.as_u16(), found.json()), (200, expected));
    assert!(answer(get(&sim, "")).await.json()["verified_name"].is_string());
    assert_eq!(error(&answer(get(&sim, "?fields=secret")).await), (400, 100));
    let unknown = answer(sim.request(Method::GET, &super::path("")).bearer_auth("wrong")).await;
    assert_eq!(unknown.status, 401);
}

#[tokio::test]
async fn the_history_is_read_in_pages() {
    let phone = Phone::start().await;
    for _ in 0..3 {
        id(&phone.template("+16505559902").await);
    }
    let first = answer(get(&phone.sim, "/message_history?limit=2")).await.json();
    specs::whatsapp_answer("message_history", "get", &first);
    assert_eq!((first["data"].as_array().unwrap().len(), first["data"][0].get("events")), (2, None));
    let after = first["paging"]["cursors"]["after"].as_str().unwrap();
    let second = answer(get(&phone.sim, &format!("/message_history?limit=2&after={after}"))).await.json();
    assert_eq!(second["data"].as_array().unwrap().len(), 1);
    for refused in ["limit=0", "limit=many", "after=x", "fields=id,secret"] {
        assert_eq!(error(&answer(get(&phone.sim, &format!("/message_history?{refused}"))).await), (400, 100));
    }
    let unknown = answer(get(&phone.sim, "/message_history?message_id=wamid.eA==")).await.json();
    assert_eq!(unknown["data"], json!([]));
}
