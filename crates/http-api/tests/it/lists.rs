//! Lists: newest first, in pages, filtered.

use std::time::Duration;

use serde_json::{Value, json};

use crate::app::{App, LIVE, sms, with};

async fn ids(app: &App, query: &str) -> Vec<String> {
    let list = app.get(LIVE, &format!("/v1/messages{query}")).await;
    assert_eq!(list.status, 200, "{}", list.text);
    list.json()["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_follow_each_other_without_gaps_or_repetitions() {
    let app = App::start().await;
    let mut sent = Vec::new();
    for _ in 0..7 {
        sent.push(app.message(&sms()).await.to_string());
        app.clock.advance(Duration::from_millis(5));
    }
    sent.reverse();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(LIVE, &format!("/v1/messages?limit=3{cursor}")).await.json();
        seen.extend(
            page["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()),
        );
        match &page["next_cursor"] {
            Value::String(next) => cursor = format!("&cursor={next}"),
            _ => break assert_eq!(page["has_more"], false),
        }
        assert_eq!(page["has_more"], true);
    }
    assert_eq!(seen, sent);
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let app = App::start().await;
    let plain = app.message(&sms()).await.to_string();
    app.clock.advance(Duration::from_secs(10));
    let tagged = app.message(&with(sms(), "/tags", json!(["order"]))).await;
    let email = with(
        with(sms(), "/to", json!({ "email": "ada@example.dk" })),
        "/cascade",
        json!({ "steps": [{ "channel": "email" }] }),
    );
    app.clock.advance(Duration::from_secs(10));
    let email = app.message(&email).await.to_string();
    app.accepted(tagged, "SM1").await;
    let tagged = tagged.to_string();
    assert_eq!(ids(&app, "?tag=order").await, std::slice::from_ref(&tagged));
    assert_eq!(ids(&app, "?channel=email").await, std::slice::from_ref(&email));
    assert_eq!(ids(&app, "?status=in_progress").await, std::slice::from_ref(&tagged));
    assert_eq!(ids(&app, "?to=ada%40example.dk").await, std::slice::from_ref(&email));
    // Encoded, and as it arrives where a client forgot to encode it.
    for to in ["?to=%2B4520123456", "?to=+4520123456"] {
        assert_eq!(ids(&app, to).await, [tagged.clone(), plain.clone()], "{to}");
    }
    let from = "2026-01-02T03:04:10Z";
    assert_eq!(ids(&app, &format!("?created_after={from}")).await, [email, tagged.clone()]);
    assert_eq!(ids(&app, &format!("?created_before={from}")).await, [plain]);
    assert_eq!(ids(&app, &format!("?created_after={from}&tag=order&channel=sms")).await, [tagged]);
    assert_eq!(ids(&app, "?tag=nothing").await, Vec::<String>::new());
}
