//! What tenants pay: rate cards, and price and margin beside cost.

use std::time::Duration;

use hermes_testkit::tenant;
use serde_json::{Value, json};

use crate::{
    app::{ADMIN, App, LIVE, OTHER, sms, with},
    client::Call,
};

const DAY: Duration = Duration::from_secs(86_400);

fn cards(number: u64) -> String {
    format!("/admin/v1/tenants/{}/rate_cards", tenant(number))
}

/// A card in euros with a price for Danish SMS.
fn card(valid_from: &str, price: &str) -> Value {
    let rate = json!({ "channel": "sms", "country": "DK", "price": price });
    json!({ "valid_from": valid_from, "currency": "EUR", "rates": [rate] })
}

async fn made(app: &App, number: u64, body: &Value) -> String {
    let answer = app.post(ADMIN, &cards(number), body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// A live SMS connection called `main` that all tenants use, at 0.05 a segment.
async fn priced(currency: &str) -> App {
    let app = App::start().await;
    for number in [1, 5] {
        app.directory.delete_connection(hermes_testkit::connection(number)).await.unwrap();
    }
    let connection = json!({
        "provider": "twilio", "name": "main", "channel": "sms", "config": { "from": "+4520000000" },
        "cost": [{ "amount": "0.05", "currency": currency }],
        "credentials": { "account_sid": "AC1", "auth_token": "t" },
    });
    assert_eq!(app.post(ADMIN, "/admin/v1/providers", &connection).await.status, 201);
    app
}

/// Sends an SMS of two segments that the provider takes.
async fn sent(app: &App, key: &str) {
    let long = with(sms(), "/content", json!({ "text": "a".repeat(161) }));
    let answer = app.post(key, "/v1/messages", &long).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let id = answer.json()["id"].as_str().unwrap().parse().unwrap();
    app.accepted(id, &format!("SM-{key}-{id}")).await;
}

async fn usage(app: &App, query: &str) -> Vec<Value> {
    let answer = app.get(ADMIN, &format!("/admin/v1/usage?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["data"].as_array().unwrap().clone()
}

fn missing(group: &Value) -> Vec<(String, String, i64)> {
    let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    let all = group["missing"].as_array().unwrap().iter();
    all.map(|one| (text(one, "figure"), text(one, "reason"), one["accepted"].as_i64().unwrap())).collect()
}

fn gap(figure: &str, reason: &str, accepted: i64) -> (String, String, i64) {
    (figure.into(), reason.into(), accepted)
}

#[tokio::test]
async fn cards_are_made_read_replaced_and_deleted_under_their_version() {
    let app = App::start().await;
    let body = json!({
        "valid_from": "2026-01-02", "currency": "EUR",
        "rates": [
            { "channel": "sms", "country": "DK", "price": "0.045" },
            { "channel": "sms", "markup_percent": "12.5", "minimum": "0.05" },
        ],
    });
    let made = app.post(ADMIN, &cards(1), &body).await;
    let path = made.header("location").unwrap().to_owned();
    assert_eq!((made.status, made.header("etag")), (201, Some("\"1\"")));
    let rates = json!([
        { "channel": "sms", "country": "DK", "price": "0.045", "markup_percent": null, "minimum": null },
        { "channel": "sms", "country": null, "price": null, "markup_percent": "12.50", "minimum": "0.05" },
    ]);
    assert_eq!((&made.json()["rates"], &made.json()["valid_from"]), (&rates, &json!("2026-01-02")));

    let change = |etag: &str| {
        let call = Call::new("PUT", path.clone()).key(ADMIN).json(&card("2026-01-03", "0.06"));
        app.call(call.header("if-match", etag))
    };
    let blind = app.call(Call::new("PUT", path.clone()).key(ADMIN).json(&body)).await;
    assert_eq!(blind.code(), "precondition_required");
    assert_eq!(change("\"1\"").await.header("etag"), Some("\"2\""));
    assert_eq!(change("\"1\"").await.code(), "version_conflict");
    let read = app.get(ADMIN, &path).await;
    assert_eq!((&read.json()["valid_from"], read.header("etag")), (&json!("2026-01-03"), Some("\"2\"")));
    assert_eq!(app.get(ADMIN, &cards(1)).await.json()["data"], json!([read.json()]));
    let elsewhere = path.replace(&tenant(1).to_string(), &tenant(2).to_string());
    assert_eq!(app.get(ADMIN, &elsewhere).await.status, 404, "another tenant has no such card");

    let gone = app.call(Call::new("DELETE", path.clone()).key(ADMIN).header("if-match", "\"2\"")).await;
    assert_eq!((gone.status, app.get(ADMIN, &path).await.status), (204, 404));
    let actions = app.get(ADMIN, "/admin/v1/audit?action=createRateCard").await.json();
    assert_eq!(actions["data"].as_array().unwrap().len(), 2, "intent and outcome: {actions}");
}

#[tokio::test]
async fn cards_are_read_strictly() {
    let app = App::start().await;
    let whole = card("2026-01-02", "0.05");
    let rates = |rates: Value| with(whole.clone(), "/rates", rates);
    let rate = |field: &str, value: Value| with(whole.clone(), &format!("/rates/0/{field}"), value);
    let double = json!([{ "channel": "sms", "price": "1" }, { "channel": "sms", "price": "2" }]);
    for (body, pointer) in [
        (with(whole.clone(), "/valid_from", json!("2026-02-30")), "/valid_from"),
        (with(whole.clone(), "/currency", json!("eur")), "/currency"),
        (rates(json!([])), "/rates"),
        (rates(double), "/rates/1"),
        (rate("price", json!(0.05)), "/rates/0/price"),
        (rate("price", json!("0.0000001")), "/rates/0/price"),
        (rate("price", json!("1000001")), "/rates/0/price"),
        (rate("price", json!("-1")), "/rates/0/price"),
        (rate("country", json!("XX")), "/rates/0/country"),
        (rate("channel", json!("fax")), "/rates/0/channel"),
        (rate("markup_percent", json!("10")), "/rates/0"),
        (rate("price", Value::Null), "/rates/0"),
        (rate("minimum", json!("0.01")), "/rates/0/minimum"),
        (rates(json!([{ "channel": "sms", "markup_percent": "10001" }])), "/rates/0/markup_percent"),
    ] {
        let answer = app.post(ADMIN, &cards(1), &body).await;
        assert_eq!((answer.status, answer.code()), (422, "schema_invalid".into()), "{body}");
        assert_eq!(answer.pointers(), [pointer], "{body}");
    }
    assert_eq!(app.post(ADMIN, "/admin/v1/tenants/tnt_x/rate_cards", &whole).await.status, 404);
}

#[tokio::test]
async fn what_was_charged_for_days_that_are_over_stays() {
    let app = priced("EUR").await;
    let first = made(&app, 1, &card("2026-01-01", "0.06")).await;
    sent(&app, LIVE).await;
    let price = async |app: &App| usage(app, "group_by=day&mode=live").await[0]["price"].clone();
    let charged = json!({ "amount": "0.12", "currency": "EUR" });
    assert_eq!(price(&app).await, charged);
    app.clock.advance(DAY);
    made(&app, 1, &card("2026-01-03", "0.08")).await;
    for (body, status) in [(card("2026-01-02", "0.01"), 422), (card("2026-01-03", "0.01"), 409)] {
        assert_eq!(app.post(ADMIN, &cards(1), &body).await.status, status, "{body}");
    }
    let path = format!("{}/{first}", cards(1));
    let replace = Call::new("PUT", path.clone()).key(ADMIN).header("if-match", "*");
    let replaced = app.call(replace.json(&card("2026-01-01", "0.01"))).await;
    assert_eq!((replaced.status, replaced.code()), (409, "conflict".into()));
    assert_eq!(app.call(Call::new("DELETE", path).key(ADMIN)).await.status, 409);
    assert_eq!(price(&app).await, charged);
    sent(&app, LIVE).await;
    let days = usage(&app, "group_by=day&mode=live").await;
    assert_eq!(days[1]["price"]["amount"], "0.16", "the new card counts from its day on");
}

#[tokio::test]
async fn price_and_margin_stand_beside_cost_for_each_tenant() {
    let app = priced("EUR").await;
    made(&app, 1, &card("2026-01-01", "0.06")).await;
    let markup = json!([{ "channel": "sms", "markup_percent": "50" }]);
    made(&app, 2, &with(card("2026-01-01", "1"), "/rates", markup)).await;
    sent(&app, LIVE).await;
    sent(&app, OTHER).await;
    sent(&app, OTHER).await;
    let groups = usage(&app, "group_by=tenant_id").await;
    let of = |number| {
        let id = json!(tenant(number).to_string());
        groups.iter().find(|group| group["tenant_id"] == id).unwrap()
    };
    let margin =
        |amount: &str, percent: &str| json!({ "amount": amount, "currency": "EUR", "percent": percent });
    assert_eq!((&of(1)["price"]["amount"], &of(1)["margin"]), (&json!("0.12"), &margin("0.02", "16.67")));
    assert_eq!((&of(2)["price"]["amount"], &of(2)["margin"]), (&json!("0.30"), &margin("0.10", "33.33")));
    let all = &usage(&app, "").await[0];
    assert_eq!((&all["margin"], &all["missing"]), (&margin("0.12", "28.57"), &json!([])));
    let one = usage(&app, &format!("tenant_id={}", tenant(2))).await;
    assert_eq!((one.len(), &one[0]["price"]["amount"]), (1, &json!("0.30")));
    assert_eq!(usage(&app, &format!("tenant_id={}&mode=test", tenant(2))).await.len(), 0);

    let file = app.get(ADMIN, "/admin/v1/usage?format=csv&group_by=mode&mode=live").await;
    assert_eq!(
        file.text,
        "mode,messages,attempts,accepted,segments,delivered,cost_EUR,price,price_currency,margin,margin_percent,missing\n\
         live,3,3,3,6,0,0.30,0.42,EUR,0.12,28.57,\n"
    );
    let own = app.get(LIVE, "/v1/usage").await.json();
    assert_eq!(own["data"][0]["cost"][0]["amount"], "0.10");
    for figure in ["price", "margin", "missing"] {
        assert!(own["data"][0].get(figure).is_none(), "tenants do not see what they bring in");
    }
}

#[tokio::test]
async fn a_figure_that_is_not_known_is_null_and_says_why() {
    let app = priced("USD").await;
    let nothing = &usage(&app, "").await;
    assert!(nothing.is_empty());
    assert_eq!(app.post(LIVE, "/v1/messages", &sms()).await.status, 202);
    let unsent = &usage(&app, "").await[0];
    assert_eq!(missing(unsent), [gap("price", "nothing_billed", 0), gap("margin", "nothing_billed", 0)]);
    sent(&app, LIVE).await;
    sent(&app, OTHER).await;
    made(&app, 1, &card("2026-01-01", "0.06")).await;
    let all = &usage(&app, "").await[0];
    assert_eq!((&all["price"], &all["margin"]), (&Value::Null, &Value::Null));
    assert_eq!(
        missing(all),
        [
            gap("price", "no_rate_card", 1),
            gap("margin", "no_rate_card", 1),
            gap("margin", "currencies_differ", 1),
        ]
    );
    let first = &usage(&app, &format!("tenant_id={}", tenant(1))).await[0];
    assert_eq!((&first["price"]["amount"], &first["margin"]), (&json!("0.12"), &Value::Null));
    let file = app.get(ADMIN, "/admin/v1/usage?format=csv").await;
    let missing = "price:no_rate_card=1 margin:no_rate_card=1 margin:currencies_differ=1";
    assert!(file.text.ends_with(&format!(",0.20,,,,,{missing}\n")), "{}", file.text);
}
