//! Which connections carry a step, and what the API says about the choice.

use hermes_testkit::connection;
use serde_json::{Value, json};

use crate::{
    app::{ADMIN, App, LIVE, OTHER, TEST, sms, with},
    client::Call,
};

/// A second SMS connection of tenant 1, at this price.
async fn add(app: &App, name: &str, price: &str) -> String {
    let body = json!({
        "provider": "twilio", "name": name, "channel": "sms",
        "cost": [{ "amount": price, "currency": "EUR" }],
        "credentials": { "account_sid": "AC1", "auth_token": "t" }, "config": { "from": "+4520000000" },
    });
    let made = app.post(ADMIN, "/admin/v1/providers", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()["id"].as_str().unwrap().to_owned()
}

async fn step(app: &App, body: &Value) -> Value {
    let reply = app.post(LIVE, "/v1/messages/validate", body).await.json();
    assert_eq!(reply["valid"], true, "{reply}");
    reply["plan"][0].clone()
}

fn considered(step: &Value) -> Vec<(&str, &str, &str)> {
    let text = |one: &'_ Value, name: &str| -> &str {
        Box::leak(one[name].as_str().unwrap().to_owned().into_boxed_str())
    };
    let all = step["considered"].as_array().unwrap().iter();
    all.map(|one| (text(one, "provider"), text(one, "verdict"), text(one, "reason"))).collect()
}

#[tokio::test]
async fn routing_explains_itself_when_rehearsing_on_the_message_and_to_operators() {
    let app = App::start().await;
    let own = step(&app, &sms()).await["providers"][0].as_str().unwrap().to_owned();
    add(&app, "dear", "0.09").await;
    let cheap = add(&app, "cheap", "0.04").await;
    let planned = step(&app, &sms()).await;
    assert_eq!(planned["providers"], json!(["cheap", "dear", own]), "by price; an unknown one comes last");
    let hold = app.call(Call::new("POST", format!("/admin/v1/providers/{cheap}/hold")).key(ADMIN)).await;
    assert_eq!(hold.status, 200);
    let expected =
        vec![("dear", "taken", "ranked"), (own.as_str(), "taken", "ranked"), ("cheap", "standby", "held")];
    assert_eq!(considered(&step(&app, &sms()).await), expected);
    let id = app.message(&sms()).await;
    let message = app.get(LIVE, &format!("/v1/messages/{id}")).await.json();
    assert_eq!(considered(&message["plan"][0]), expected);
    let explained = app.get(ADMIN, &format!("/admin/v1/cascades/{id}")).await.json();
    assert_eq!(considered(&explained), expected);
}

#[tokio::test]
async fn a_budget_counts_every_segment() {
    let app = App::start().await;
    app.directory.delete_connection(connection(1)).await.unwrap();
    add(&app, "dear", "0.05").await;
    add(&app, "cheap", "0.04").await;
    let limited = |chars: usize, most: &str| {
        let body = with(sms(), "/content", json!({ "text": "a".repeat(chars) }));
        with(body, "/limits", json!({ "max_cost": most, "currency": "EUR" }))
    };
    assert_eq!(step(&app, &limited(160, "0.05")).await["providers"].as_array().unwrap().len(), 2);
    let planned = step(&app, &limited(161, "0.09")).await;
    assert_eq!(planned["providers"], json!(["cheap"]), "two segments");
    assert_eq!(considered(&planned)[1].1, "rejected");
    assert_eq!(considered(&planned)[1].2, "cost_exceeded");
    let refused = app.post(LIVE, "/v1/messages", &limited(161, "0.07")).await;
    assert_eq!(
        (refused.code(), &refused.json()["errors"][0]["code"]),
        ("no_route".into(), &json!("cost_exceeded"))
    );
}

#[tokio::test]
async fn a_budget_refuses_other_currencies_and_warns_where_a_price_is_unknown() {
    let app = App::start().await;
    let limited =
        |currency: &str| with(sms(), "/limits", json!({ "max_cost": "0.50", "currency": currency }));
    let taken = app.post(LIVE, "/v1/messages", &limited("EUR")).await.json();
    let unpriced = taken["plan"][0]["providers"][0].as_str().unwrap().to_owned();
    assert_eq!(taken["warnings"][0]["code"], "price_unknown", "{taken:#}");
    assert!(taken["warnings"][0]["detail"].as_str().unwrap().contains(&unpriced));
    add(&app, "cheap", "0.04").await;
    let planned = step(&app, &limited("EUR")).await;
    assert_eq!(planned["providers"], json!(["cheap", unpriced]), "a known price comes first");
    let only = with(limited("USD"), "/cascade/steps/0/providers", json!(["cheap"]));
    let refused = app.post(LIVE, "/v1/messages", &only).await;
    assert_eq!((refused.status, refused.code()), (422, "no_route".into()));
    assert_eq!(refused.json()["errors"][0]["code"], "budget_currency");
    let push = with(sms(), "/to", json!({ "push": [{ "token": "t", "platform": "android" }] }));
    let push = with(push, "/cascade/steps/0/channel", json!("push"));
    let push = with(push, "/limits", json!({ "max_cost": "0", "currency": "USD" }));
    let taken = app.post(LIVE, "/v1/messages", &push).await.json();
    assert_eq!(
        (&taken["plan"][0]["channel"], &taken["warnings"]),
        (&json!("push"), &json!([])),
        "push is free"
    );
}

#[tokio::test]
async fn a_tenants_rules_are_kept_changed_and_followed() {
    let app = App::start().await;
    add(&app, "a", "0.04").await;
    add(&app, "b", "0.05").await;
    let general = json!({ "name": "all", "position": 9, "prefer": ["b"] });
    let danish = json!({
        "name": "Danish codes", "position": 1, "prefer": ["a"], "exclude": ["b"],
        "when": { "countries": ["DK"], "lanes": ["otp"], "prefixes": ["+4520"], "channels": ["sms"] },
    });
    assert_eq!(app.post(LIVE, "/v1/routes", &general).await.status, 201);
    let made = app.post(LIVE, "/v1/routes", &danish).await;
    assert_eq!((made.status, &made.json()["when"]["countries"]), (201, &json!(["DK"])));
    let otp = with(sms(), "/lane", json!("otp"));
    assert_eq!(step(&app, &sms()).await["providers"][0], "b");
    let planned = step(&app, &otp).await;
    assert_eq!((&planned["providers"][0], considered(&planned)[0].2), (&json!("a"), "rule"));
    assert!(considered(&planned).contains(&("b", "rejected", "excluded_by_rule")));
    let named = with(sms(), "/cascade", json!({ "steps": [{ "channel": "sms", "providers": ["a"] }] }));
    assert_eq!(
        step(&app, &named).await["providers"],
        json!(["a"]),
        "a step that names its providers asks no rule"
    );

    let path = format!("/v1/routes/{}", made.json()["id"].as_str().unwrap());
    let changed = with(danish.clone(), "/prefer", json!(["b"]));
    let changed = with(changed, "/exclude", json!([]));
    let put = |tag: &str| Call::new("PUT", &path).key(LIVE).header("if-match", tag).json(&changed);
    assert_eq!(
        app.call(Call::new("PUT", &path).key(LIVE).json(&changed)).await.code(),
        "precondition_required"
    );
    assert_eq!(app.call(put("\"9\"")).await.code(), "version_conflict");
    assert_eq!(app.call(put(made.header("etag").unwrap())).await.status, 200);
    assert_eq!(step(&app, &otp).await["providers"][0], "b");
    for stranger in [OTHER, TEST] {
        assert_eq!(app.get(stranger, &path).await.status, 404);
        assert_eq!(app.get(stranger, "/v1/routes").await.json()["data"], json!([]));
    }
    assert_eq!(app.call(Call::new("DELETE", &path).key(LIVE)).await.status, 204);
    assert_eq!(app.get(LIVE, "/v1/routes").await.json()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_rule_is_read_strictly() {
    let app = App::start().await;
    let rule = |field: &str, value: Value| with(json!({ "name": "r", "exclude": ["a"] }), field, value);
    for (body, pointer) in [
        (json!({ "exclude": ["a"] }), "/name"),
        (rule("/when", json!({ "countries": ["Denmark"] })), "/when/countries/0"),
        (rule("/when", json!({ "prefixes": ["0045"] })), "/when/prefixes/0"),
        (rule("/when", json!({ "lanes": ["fast"] })), "/when/lanes/0"),
        (rule("/weights", json!({ "b": 1_001 })), "/weights/b"),
        (rule("/providers", json!(["a"])), "/providers"),
    ] {
        let answer = app.post(LIVE, "/v1/routes", &body).await;
        assert_eq!((answer.status, answer.pointers()), (422, vec![pointer.to_owned()]), "{}", answer.text);
    }
}
