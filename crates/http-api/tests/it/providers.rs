//! Provider connections and adapters.

use std::sync::Arc;

use hermes_ports::{Registry as _, adapter::AdapterHost, registry::RecordKind};
use serde_json::{Value, json};

use crate::{
    app::{ADMIN, App, LIVE, SIMULATOR_URL, sms, with},
    client::Call,
    fakes::FakeAdapters,
};

const PATH: &str = "/admin/v1/providers";

fn twilio(name: &str) -> Value {
    json!({
        "provider": "twilio", "name": name, "channel": "sms",
        "credentials": { "account_sid": "AC1", "auth_token": "very-secret" },
        "config": { "from": "+15005550006" }, "rate_per_s": 5,
        "cost": [{ "country": "DK", "amount": "0.05", "currency": "EUR" }], "countries": ["DK"],
    })
}

#[tokio::test]
async fn credentials_go_in_and_never_come_out() {
    let app = App::start().await;
    let made = app.post(ADMIN, PATH, &twilio("main")).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let reply = made.json();
    let path = made.header("location").unwrap().to_owned();
    assert_eq!(
        (&reply["mode"], &reply["tenant_id"], &reply["credentials"]),
        (&json!("live"), &Value::Null, &json!(["account_sid", "auth_token"]))
    );
    assert_eq!(
        reply["callback_url"],
        format!("https://hermes.example/receipts/twilio/{}", reply["id"].as_str().unwrap())
    );
    let read = app.get(ADMIN, &path).await;
    assert_eq!(read.json(), reply);
    assert!(!made.text.contains("very-secret") && !app.get(ADMIN, PATH).await.text.contains("very-secret"));

    let patch = json!({ "rate_per_s": 50, "credentials": { "account_sid": "AC1", "auth_token": "other" } });
    let changed = app.call(Call::new("PATCH", path.clone()).key(ADMIN).json(&patch)).await;
    assert_eq!((changed.status, &changed.json()["rate_per_s"]), (200, &json!(50)));
    assert_eq!(changed.json()["config"], reply["config"]);
    let id = reply["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(app.directory.access(id).unwrap().secrets.get("auth_token"), Some("other"));
    assert_eq!(app.post(ADMIN, PATH, &twilio("main")).await.code(), "conflict");
    assert_eq!(app.call(Call::new("DELETE", path.clone()).key(ADMIN)).await.status, 204);
    assert_eq!(app.get(ADMIN, &path).await.status, 404);
}

#[tokio::test]
async fn fields_are_held_against_what_the_adapter_takes() {
    let app = App::start().await;
    let cases: [(Value, &[&str]); 9] = [
        (with(twilio("x"), "/provider", json!("pigeon")), &["/provider"]),
        (with(twilio("x"), "/channel", json!("email")), &["/channel"]),
        (
            with(twilio("x"), "/credentials", json!({ "account_sid": "AC1", "token": "x" })),
            &["/credentials/auth_token", "/credentials/token"],
        ),
        (with(twilio("x"), "/config", json!({ "form": "x" })), &["/config/form"]),
        (with(twilio("x"), "/config/base_url", json!("twilio.example")), &["/config/base_url"]),
        (with(twilio("x"), "/config/timeout_s", json!(0)), &["/config/timeout_s"]),
        (with(twilio("x"), "/config/from", json!("TooLongSenderName")), &["/config/from"]),
        (with(twilio("x"), "/tenant_id", json!("tnt_01ARZ3NDEKTSV4RRFFQ69G5FAV")), &["/tenant_id"]),
        (with(twilio("x"), "/cost/0/amount", json!("-1")), &["/cost/0/amount"]),
    ];
    for (body, pointers) in cases {
        let answer = app.post(ADMIN, PATH, &body).await;
        let mut found = answer.pointers();
        found.sort();
        assert_eq!(
            (answer.status, found),
            (422, pointers.iter().map(ToString::to_string).collect()),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn a_test_connection_leads_to_the_simulator_and_nowhere_else() {
    let app = App::start().await;
    let test = with(twilio("sim"), "/mode", json!("test"));
    assert_eq!(app.post(ADMIN, PATH, &test).await.json()["config"]["base_url"], SIMULATOR_URL);
    let named = with(
        with(test.clone(), "/name", json!("named")),
        "/config/base_url",
        json!(format!("{SIMULATOR_URL}/")),
    );
    assert_eq!(app.post(ADMIN, PATH, &named).await.status, 201);
    let elsewhere = with(test, "/config/base_url", json!("https://api.twilio.com"));
    assert_eq!(app.post(ADMIN, PATH, &elsewhere).await.pointers(), ["/config/base_url"]);
    // Nor is it led elsewhere later.
    let listed = app.get(ADMIN, PATH).await.json();
    let path = format!("{PATH}/{}", listed["data"][0]["id"].as_str().unwrap());
    let change = |config| app.call(Call::new("PATCH", &path).key(ADMIN).json(&json!({ "config": config })));
    let moved = change(json!({ "base_url": "https://api.twilio.com", "from": "ACME" })).await;
    assert_eq!((moved.status, moved.pointers()), (422, vec!["/config/base_url".to_owned()]));
    let cleared = change(json!({ "from": "ACME" })).await;
    assert_eq!((cleared.status, &cleared.json()["config"]["base_url"]), (200, &json!(SIMULATOR_URL)));
}

#[tokio::test]
async fn countries_and_prices_decide_who_may_carry_a_message() {
    let app = App::start().await;
    for body in [
        twilio("danish"),
        with(with(twilio("cheap"), "/cost/0/amount", json!("0.01")), "/countries", json!(["DK", "US"])),
    ] {
        assert_eq!(app.post(ADMIN, PATH, &body).await.status, 201);
    }
    let step = |names: Value| {
        with(sms(), "/cascade", json!({ "steps": [{ "channel": "sms", "providers": names }] }))
    };
    let both = step(json!(["danish", "cheap"]));
    assert_eq!(
        app.post(LIVE, "/v1/messages", &both).await.json()["plan"][0]["providers"],
        json!(["danish", "cheap"])
    );
    let american = with(both.clone(), "/to/phone", json!("+12025550123"));
    assert_eq!(
        app.post(LIVE, "/v1/messages", &american).await.json()["plan"][0]["providers"],
        json!(["cheap"])
    );
    let frugal = with(both, "/limits", json!({ "max_cost": "0.02", "currency": "EUR" }));
    assert_eq!(
        app.post(LIVE, "/v1/messages", &frugal).await.json()["plan"][0]["providers"],
        json!(["cheap"])
    );
    let only = with(step(json!(["danish"])), "/to/phone", json!("+12025550123"));
    let refused = app.post(LIVE, "/v1/messages", &only).await;
    assert_eq!(
        (refused.code(), &refused.json()["errors"][0]["code"]),
        ("no_route".into(), &json!("country_not_served"))
    );
    let cost = app.post(LIVE, "/v1/messages/validate", &step(json!(["danish"]))).await.json()["cost"].clone();
    assert_eq!(
        cost,
        json!([{ "step": 0, "provider": "danish", "amount": "0.05", "currency": "EUR", "estimated": true }])
    );
}

#[tokio::test]
async fn a_connection_is_checked_held_released_and_its_health_told() {
    let app = App::start().await;
    let path = format!("{PATH}/{}", hermes_testkit::connection(1));
    let post = |action: &str| Call::new("POST", format!("{path}/{action}")).key(ADMIN);
    assert_eq!(app.call(post("check")).await.json()["ok"], true);
    assert_eq!(app.call(post("hold").json(&json!({}))).await.json()["held"], true);
    let health = app.get(ADMIN, &format!("{path}/health")).await.json();
    assert_eq!((&health["breaker"], &health["held"]), (&json!("closed"), &json!(true)));
    assert_eq!(app.call(post("release")).await.json()["held"], false);
}

#[tokio::test]
async fn a_list_follows_one_tenant_of_a_provider_that_has_one() {
    let app = App::start().await;
    let mut ses = json!({
        "provider": "ses", "name": "own list", "channel": "email", "tenant_id": hermes_testkit::tenant(1).to_string(),
        "credentials": { "access_key_id": "AKIDEXAMPLE", "secret_access_key": "secret" },
        "config": { "region": "eu-west-1", "sync_suppressions": true },
    });
    let fault = async |body: &Value| {
        let refused = app.post(ADMIN, PATH, body).await.json();
        let fault = refused["errors"][0].clone();
        (fault["pointer"].clone(), fault["code"].clone())
    };
    let at = json!("/config/sync_suppressions");
    let shared = with(ses.clone(), "/tenant_id", Value::Null);
    assert_eq!(fault(&shared).await, (at.clone(), "shared".into()));
    let text = with(ses.clone(), "/config/sync_suppressions", json!("yes"));
    assert_eq!(fault(&text).await, (at.clone(), "type".into()));
    let twilio = json!({
        "provider": "twilio", "name": "no list", "channel": "sms", "tenant_id": ses["tenant_id"],
        "credentials": { "account_sid": "AC1", "auth_token": "secret" },
        "config": { "from": "+15005550006", "sync_suppressions": true },
    });
    assert_eq!(fault(&twilio).await, (at, "no_list".into()));

    let made = app.post(ADMIN, PATH, &ses).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let sync = |id: &Value| format!("{PATH}/{}/sync_suppressions", id.as_str().unwrap());
    let done = app.call(Call::new("POST", sync(&made.json()["id"])).key(ADMIN)).await;
    let counts = json!({ "read": 3, "added": 2, "pushed": 1, "failed": 0, "more": false });
    assert_eq!((done.status, done.json()), (200, counts));
    ses["name"] = json!("not following");
    ses["config"] = json!({ "region": "eu-west-1" });
    let other = app.post(ADMIN, PATH, &ses).await.json();
    let refused = app.call(Call::new("POST", sync(&other["id"])).key(ADMIN)).await;
    assert_eq!((refused.status, refused.code()), (409, "conflict".into()));
}

fn upload(body: &'static str) -> Call {
    Call::new("POST", "/admin/v1/adapters/twilio")
        .key(ADMIN)
        .header("content-type", "application/wasm")
        .bytes(body)
}

#[tokio::test]
async fn an_uploaded_adapter_survives_a_restart_and_a_bad_one_is_refused() {
    let app = App::start().await;
    let refused = app.call(upload("garbage")).await;
    assert_eq!((refused.status, refused.code()), (422, "adapter_invalid".into()));
    let made = app.call(upload("good one")).await;
    let version = made.json()["version"].clone();
    assert_eq!((made.status, &made.json()["active"]), (201, &json!(false)), "{}", made.text);
    let activate = |version: &Value| {
        Call::new("POST", "/admin/v1/adapters/twilio/activate")
            .key(ADMIN)
            .json(&json!({ "version": version }))
    };
    assert_eq!(app.call(activate(&json!("00000000000000ff"))).await.code(), "adapter_invalid");
    assert_eq!(app.call(activate(&json!("xyz"))).await.code(), "schema_invalid");
    assert_eq!(app.call(activate(&version)).await.json()["active"], true);
    assert_eq!(app.get(ADMIN, "/admin/v1/adapters").await.json()["data"][0]["version"], version);

    let components = app.backend.all(RecordKind::AdapterComponent).await.unwrap();
    assert_eq!((components.len(), &components[0].body[..]), (1, &b"good one"[..]));
    let host: Arc<dyn AdapterHost> = Arc::new(FakeAdapters::default());
    hermes_http_api::restore_adapters(&(app.backend.clone() as _), &host).await.unwrap();
    let restored: Vec<_> =
        host.list().into_iter().map(|info| (info.version.to_string(), info.active)).collect();
    assert_eq!(restored, [(version.as_str().unwrap().to_owned(), true)]);
}
