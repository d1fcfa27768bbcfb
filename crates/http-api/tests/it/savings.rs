//! Offers, and where they would have cost less than what was paid.

use hermes_testkit::tenant;
use serde_json::{Value, json};

use crate::{
    app::{ADMIN, App, LIVE, sms, with},
    client::Call,
};

const SAVINGS: &str = "/admin/v1/usage/savings";

fn quote(name: &str, price: &str) -> Value {
    json!({ "name": name, "channel": "sms", "country": "DK", "price": price, "currency": "EUR" })
}

async fn made(app: &App, path: &str, body: &Value) -> String {
    let answer = app.post(ADMIN, path, body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn connected(app: &App, name: &str, more: Value) -> String {
    let mut connection = json!({
        "provider": "twilio", "name": name, "channel": "sms", "config": { "from": "+4520000000" },
        "credentials": { "account_sid": "AC1", "auth_token": "t" },
    });
    connection.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    made(app, "/admin/v1/providers", &connection).await
}

fn cost(amount: &str, currency: &str) -> Value {
    json!({ "cost": [{ "amount": amount, "currency": currency }] })
}

/// Tenant 1 has sent 100 segments through `main` at 0.05 EUR each, on the second of January.
async fn used() -> App {
    let app = App::start().await;
    app.directory.delete_connection(hermes_testkit::connection(1)).await.unwrap();
    connected(&app, "main", cost("0.05", "EUR")).await;
    let message = with(sms(), "/content", json!({ "text": "a".repeat(10 * 153) }));
    let message = with(message, "/cascade/steps/0", json!({ "channel": "sms", "providers": ["main"] }));
    for number in 0..10 {
        let id = app.message(&message).await;
        app.accepted(id, &format!("SM{number}")).await;
    }
    app
}

async fn savings(app: &App, query: &str) -> Value {
    let answer = app.get(ADMIN, &format!("{SAVINGS}?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

fn names(entry: &Value) -> Vec<&str> {
    entry["alternatives"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_was_paid_is_held_against_price_tables_and_offers() {
    let app = used().await;
    let cheap = connected(&app, "cheap", cost("0.045", "EUR")).await;
    connected(&app, "dear", cost("0.06", "EUR")).await;
    connected(&app, "dollars", cost("0.01", "USD")).await;
    connected(&app, "unpriced", json!({})).await;
    connected(&app, "swedish", with(cost("0.01", "EUR"), "/countries", json!(["SE"]))).await;
    connected(&app, "other tenant's", with(cost("0.01", "EUR"), "/tenant_id", json!(tenant(2).to_string())))
        .await;
    connected(&app, "test", with(cost("0.01", "EUR"), "/mode", json!("test"))).await;
    let direct = with(quote("direct", "0.02"), "/monthly_fee", json!("31"));
    let direct = made(&app, "/admin/v1/quotes", &direct).await;
    made(&app, "/admin/v1/quotes", &with(quote("Swedish", "0.01"), "/country", json!("SE"))).await;

    let report = savings(&app, "").await;
    assert_eq!((&report["days"], &report["has_more"]), (&json!(2), &json!(false)));
    let entry = &report["data"][0];
    assert_eq!(report["data"].as_array().unwrap().len(), 1);
    assert_eq!((&entry["provider"], &entry["country"]), (&json!("main"), &json!("DK")));
    assert_eq!((&entry["units"], &entry["paid"]["amount"]), (&json!(100), &json!("5.00")));
    assert_eq!(
        names(entry),
        ["direct", "cheap", "dear", "dollars"],
        "the best first, nothing that cannot be used"
    );
    let alternatives = &entry["alternatives"];
    let saving =
        |amount: &str, percent: &str| json!({ "amount": amount, "currency": "EUR", "percent": percent });
    assert_eq!(
        alternatives[0],
        json!({
            "kind": "quote", "id": direct, "name": "direct", "price": { "amount": "0.02", "currency": "EUR" },
            "monthly_fee": { "amount": "31.00", "currency": "EUR" }, "cost": { "amount": "4.00", "currency": "EUR" },
            "saving": saving("1.00", "20.00"), "reason": null, "break_even_per_month": 1034,
        }),
        "two days of January's fee"
    );
    assert_eq!((&alternatives[1]["id"], &alternatives[1]["kind"]), (&json!(cheap), &json!("connection")));
    assert_eq!(alternatives[1]["saving"], saving("0.50", "10.00"));
    let reasons = [&alternatives[2]["reason"], &alternatives[3]["reason"]];
    assert_eq!(reasons, [&json!("dearer"), &json!("currencies_differ")]);
    assert_eq!(report["savings"], json!([{ "amount": "1.00", "currency": "EUR" }]));
    let second = savings(&app, "from=2026-01-02&to=2026-01-20").await;
    assert_eq!(
        (&second["to"], &second["days"]),
        (&json!("2026-01-02"), &json!(1)),
        "days to come have no fees"
    );
    assert_eq!(second["data"][0]["alternatives"][0]["saving"], saving("2.00", "40.00"));
    assert_eq!(savings(&app, &format!("tenant_id={}", tenant(2))).await["data"], json!([]));
}

#[tokio::test]
async fn connections_that_are_gone_and_costs_that_nobody_told_stay_visible() {
    let app = used().await;
    let main = app.directory.read(|snapshot| {
        let mut all = snapshot.connections().map(|entry| &entry.access.connection);
        all.find(|connection| connection.name == "main").unwrap().id
    });
    connected(&app, "quiet", json!({})).await;
    let message = with(sms(), "/cascade/steps/0", json!({ "channel": "sms", "providers": ["quiet"] }));
    let id = app.message(&message).await;
    app.accepted(id, "SM-quiet").await;
    app.directory.delete_connection(main).await.unwrap();
    let report = savings(&app, "").await;
    let shown = |place: usize| (&report["data"][place]["provider"], &report["data"][place]["provider_id"]);
    assert_eq!(shown(0), (&json!("main"), &Value::Null));
    assert_eq!((&shown(1).0, &report["data"][1]["paid"]), (&&json!("quiet"), &Value::Null));
    let least = savings(&app, "limit=1").await;
    assert_eq!((least["data"].as_array().unwrap().len(), &least["has_more"]), (1, &json!(true)));
    for query in ["limit=0", "limit=1001", "tenant_id=x", "from=yesterday", "mode=test"] {
        assert_eq!(
            app.get(ADMIN, &format!("{SAVINGS}?{query}")).await.code(),
            "parameter_invalid",
            "{query}"
        );
    }
}

#[tokio::test]
async fn offers_are_recorded_once_and_changed_under_their_version() {
    let app = App::start().await;
    let whole = with(quote("carrier", "0.02"), "/monthly_minimum", json!(1_000));
    let made = app.post(ADMIN, "/admin/v1/quotes", &whole).await;
    let path = made.header("location").unwrap().to_owned();
    assert_eq!((made.status, made.header("etag")), (201, Some("\"1\"")));
    assert_eq!((&made.json()["monthly_minimum"], &made.json()["monthly_fee"]), (&json!(1_000), &Value::Null));
    let again = app.post(ADMIN, "/admin/v1/quotes", &whole).await;
    assert_eq!((again.status, again.code()), (409, "conflict".into()));
    let change = |etag: &str| {
        let call = Call::new("PUT", path.clone()).key(ADMIN).json(&quote("carrier", "0.019"));
        app.call(call.header("if-match", etag))
    };
    assert_eq!(change("\"1\"").await.header("etag"), Some("\"2\""));
    assert_eq!(change("\"1\"").await.code(), "version_conflict");
    let read = app.get(ADMIN, &path).await.json();
    assert_eq!((&read["price"], &read["monthly_minimum"]), (&json!("0.019"), &Value::Null));
    assert_eq!(app.get(ADMIN, "/admin/v1/quotes").await.json()["data"], json!([read]));
    for (field, value) in [
        ("name", json!("")),
        ("channel", json!("fax")),
        ("country", json!("XX")),
        ("price", json!("free")),
        ("monthly_fee", json!(10)),
        ("monthly_minimum", json!(-1)),
        ("currency", json!("EURO")),
    ] {
        let refused =
            app.post(ADMIN, "/admin/v1/quotes", &with(whole.clone(), &format!("/{field}"), value)).await;
        assert_eq!(refused.pointers(), [format!("/{field}")]);
    }
    let gone = app.call(Call::new("DELETE", path.clone()).key(ADMIN)).await;
    assert_eq!((gone.status, app.get(ADMIN, &path).await.status), (204, 404));
    assert_eq!(app.get(LIVE, "/admin/v1/quotes").await.status, 403, "offers are the operators' alone");
}
