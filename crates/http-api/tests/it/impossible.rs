//! What could never work is refused when it is asked for, at the place where it is asked for.

use hermes_testkit::{START, tenant};
use serde_json::{Value, json};

use crate::{
    app::{ADMIN, App, LIVE, sms, with},
    client::{Answer, Call},
};

/// The pointers of a request that was refused as a matter of its schema.
fn refused(answer: &Answer) -> Vec<String> {
    assert_eq!((answer.status, answer.code().as_str()), (422, "schema_invalid"), "{}", answer.text);
    answer.pointers()
}

#[tokio::test]
async fn a_message_comes_from_a_sender_that_can_exist() {
    let app = App::start().await;
    let from = |sender: Value| with(sms(), "/sender", sender);
    for good in [
        json!({ "sms": "ACME" }),
        json!({ "sms": "+4520123456" }),
        json!({ "sms": "1204" }),
        json!({ "email": "no-reply@acme.example" }),
        json!({ "email": "Ærø Færger <no-reply@acme.example>" }),
    ] {
        assert_eq!(app.post(LIVE, "/v1/messages", &from(good.clone())).await.status, 202, "{good}");
    }
    let bad = json!({ "sms": "TooLongSenderName", "email": "foo", "whatsapp": "A\nB" });
    let answer = app.post(LIVE, "/v1/messages", &from(bad)).await;
    assert_eq!(refused(&answer), ["/sender/sms", "/sender/email", "/sender/whatsapp"]);
    let bad = json!({ "sms": "A\nB", "email": "a@b.dk\r\nBcc: x@y.dk" });
    assert_eq!(refused(&app.post(LIVE, "/v1/messages", &from(bad)).await), ["/sender/sms", "/sender/email"]);
}

#[tokio::test]
async fn a_list_of_what_is_allowed_is_not_empty() {
    let app = App::start().await;
    let path = format!("/admin/v1/tenants/{}", tenant(1));
    let quiet = json!({ "from": "21:00", "until": "08:00", "channels": [] });
    let policy = json!({ "policy": { "channels": [], "countries": [], "quiet_hours": quiet } });
    let pointers = ["/policy/channels", "/policy/countries", "/policy/quiet_hours/channels"];
    assert_eq!(refused(&app.call(Call::new("PATCH", path.clone()).key(ADMIN).json(&policy)).await), pointers);
    let named = with(policy, "/name", json!("new"));
    assert_eq!(refused(&app.post(ADMIN, "/admin/v1/tenants", &named).await), pointers);
    let key = json!({ "name": "k", "mode": "live", "scopes": [] });
    assert_eq!(refused(&app.post(ADMIN, &format!("{path}/keys"), &key).await), ["/scopes"]);
}

#[tokio::test]
async fn a_key_does_not_expire_before_it_is_made() {
    let app = App::start().await;
    let tenants = format!("/admin/v1/tenants/{}/keys", tenant(1));
    for (path, body) in [
        (tenants.as_str(), json!({ "name": "k", "mode": "live" })),
        ("/admin/v1/keys", json!({ "name": "k", "role": "viewer" })),
    ] {
        let until =
            |instant: hermes_domain::UnixMillis| with(body.clone(), "/expires_at", json!(instant.rfc3339()));
        assert_eq!(refused(&app.post(ADMIN, path, &until(START)).await), ["/expires_at"]);
        assert_eq!(app.post(ADMIN, path, &until(START.plus_s(1))).await.status, 201);
    }
}

#[tokio::test]
async fn faults_of_money_lie_where_they_are() {
    let app = App::start().await;
    let limits = |max_cost: &str, currency: &str| {
        with(sms(), "/limits", json!({ "max_cost": max_cost, "currency": currency }))
    };
    for (body, pointers) in [
        (limits("much", "EUR"), vec!["/limits/max_cost"]),
        (limits("-1", "EUR"), vec!["/limits/max_cost"]),
        (limits("1", "eur"), vec!["/limits/currency"]),
        (limits("much", "eur"), vec!["/limits/max_cost", "/limits/currency"]),
    ] {
        assert_eq!(refused(&app.post(LIVE, "/v1/messages", &body).await), pointers, "{}", body["limits"]);
    }
    let spend = json!({ "policy": { "spend_per_month": { "amount": "x", "currency": "EUR" } } });
    let change = Call::new("PATCH", format!("/admin/v1/tenants/{}", tenant(1))).key(ADMIN).json(&spend);
    assert_eq!(refused(&app.call(change).await), ["/policy/spend_per_month/amount"]);
}
