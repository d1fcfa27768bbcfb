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

#[tokio::test]
async fn a_cascade_that_is_kept_wants_what_can_be_confirmed() {
    let app = App::start().await;
    let cascade = |channel: &str, level: &str| json!({ "steps": [{ "channel": "sms" }, { "channel": channel, "success_on": level }] });
    let wanted = ["/steps/1/success_on"];
    for (channel, level) in [("sms", "read"), ("push", "delivered")] {
        let body = with(cascade(channel, level), "/name", json!("c"));
        assert_eq!(refused(&app.post(LIVE, "/v1/cascades", &body).await), wanted, "{channel}");
        let inline = app.post(LIVE, "/v1/messages", &with(sms(), "/cascade", cascade(channel, level))).await;
        assert_eq!(refused(&inline), ["/cascade/steps/1/success_on"], "{channel}");
    }
    let made = app.post(LIVE, "/v1/cascades", &with(cascade("sms", "delivered"), "/name", json!("c"))).await;
    let path = made.header("location").unwrap();
    assert_eq!(
        app.post(LIVE, "/v1/cascades", &with(cascade("push", "acknowledged"), "/name", json!("d")))
            .await
            .status,
        201
    );
    let version = app.post(LIVE, &format!("{path}/versions"), &cascade("sms", "read")).await;
    assert_eq!(refused(&version), wanted);
    let put = Call::new("PUT", path).key(LIVE).header("if-match", "*");
    let put = put.json(&with(cascade("sms", "read"), "/name", json!("c")));
    assert_eq!(refused(&app.call(put).await), wanted);
    let default = json!({ "default_cascade": cascade("sms", "read") });
    let change = Call::new("PATCH", format!("/admin/v1/tenants/{}", tenant(1))).key(ADMIN).json(&default);
    assert_eq!(refused(&app.call(change).await), ["/default_cascade/steps/1/success_on"]);
}

#[tokio::test]
async fn a_rule_for_routing_says_something_and_does_not_contradict_itself() {
    let app = App::start().await;
    let rule = |body: Value| with(body, "/name", json!("r"));
    for (body, pointers) in [
        (json!({}), vec![""]),
        (json!({ "when": {}, "prefer": [] }), vec![""]),
        (
            json!({ "when": { "channels": [], "tags": [] }, "prefer": ["a"] }),
            vec!["/when/channels", "/when/tags"],
        ),
        (json!({ "prefer": ["a"], "exclude": ["b", "a"] }), vec!["/exclude/1"]),
        (json!({ "weights": { "a": 1 }, "exclude": ["a"] }), vec!["/exclude/0"]),
    ] {
        assert_eq!(refused(&app.post(LIVE, "/v1/routes", &rule(body.clone())).await), pointers, "{body}");
    }
    // An exception from the rules behind it.
    let exception = rule(json!({ "when": { "tags": ["vip"] } }));
    assert_eq!(app.post(LIVE, "/v1/routes", &exception).await.status, 201);
}

#[tokio::test]
async fn a_rule_tells_of_names_that_nobody_has_yet() {
    let app = App::start().await;
    let body =
        json!({ "name": "r", "prefer": ["twilio", "a/b"], "weights": { "later": 1 }, "exclude": ["gone"] });
    let made = app.post(LIVE, "/v1/routes", &body).await;
    let pointers = |route: &Value| {
        let warnings = route["warnings"].as_array().unwrap().clone();
        warnings
            .into_iter()
            .map(|warning| warning["pointer"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(pointers(&made.json()), ["/prefer/1", "/weights/later", "/exclude/0"]);
    let connection = json!({ "provider": "twilio", "name": "later", "channel": "sms",
        "credentials": { "account_sid": "AC1", "auth_token": "x" } });
    assert_eq!(app.post(ADMIN, "/admin/v1/providers", &connection).await.status, 201);
    let read = app.get(LIVE, made.header("location").unwrap()).await.json();
    assert_eq!(pointers(&read), ["/prefer/1", "/exclude/0"]);
}

#[tokio::test]
async fn quiet_hours_have_a_beginning_and_another_end() {
    let app = App::start().await;
    let policy = json!({ "policy": { "quiet_hours": { "from": "22:00", "until": "22:00" } } });
    let change = Call::new("PATCH", format!("/admin/v1/tenants/{}", tenant(1))).key(ADMIN).json(&policy);
    assert_eq!(refused(&app.call(change).await), ["/policy/quiet_hours/until"]);
}

#[tokio::test]
async fn a_locale_is_a_language_tag_whichever_way_it_is_written() {
    let app = App::start().await;
    for (written, kept) in [("da_DK", "da-DK"), ("ZH-hant-tw", "zh-Hant-TW"), ("da", "da")] {
        let sent = app.post(LIVE, "/v1/messages", &with(sms(), "/to/locale", json!(written))).await;
        let read = app.get(LIVE, sent.header("location").unwrap()).await.json();
        assert_eq!(read["to"]["locale"], kept);
    }
    for bad in ["d", "da-", "da DK", "??"] {
        let answer = app.post(LIVE, "/v1/messages", &with(sms(), "/to/locale", json!(bad))).await;
        assert_eq!(refused(&answer), ["/to/locale"], "{bad}");
    }
}
