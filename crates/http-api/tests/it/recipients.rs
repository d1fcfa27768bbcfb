//! What is kept about people: erasing them, how long, and who sees it.

use hermes_domain::{
    access::Role,
    tenant::{ApiKey, KeyOwner},
};
use hermes_testkit::tenant;
use serde_json::{Value, json};

use crate::{
    app::{ADMIN, App, LIVE, OTHER, TEST, key, sms, with},
    client::Call,
};

const ERASE: &str = "/v1/recipients/erase";

#[tokio::test]
async fn an_erased_recipient_is_shown_nowhere_and_what_was_counted_stays() {
    let app = App::start().await;
    let body = with(sms(), "/metadata", json!({ "name": "Ada" }));
    let sent = app.message(&with(body.clone(), "/tags", json!(["order"]))).await;
    app.accepted(sent, "SM1").await;
    let scheduled = app.message(&with(body, "/send_at", json!("2026-01-02T05:00:00Z"))).await;
    let phone = sms()["to"]["phone"].as_str().unwrap().to_owned();

    for stranger in [OTHER, TEST] {
        let nothing = app.post(stranger, ERASE, &json!({ "phone": phone })).await.json();
        assert_eq!((&nothing["messages"], &nothing["cancelled"]), (&json!(0), &json!(0)), "{stranger}");
    }
    assert_eq!(app.get(LIVE, &format!("/v1/messages/{sent}")).await.json()["to"]["phone"], phone);

    let done = app.post(LIVE, ERASE, &json!({ "whatsapp": phone })).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let done = done.json();
    assert_eq!(
        (&done["messages"], &done["cancelled"], &done["under_way"]),
        (&json!(2), &json!(1), &json!(1)),
        "the scheduled one is cancelled, the other is with its provider"
    );
    for id in [sent, scheduled] {
        let message = app.get(LIVE, &format!("/v1/messages/{id}")).await;
        assert!(!message.text.contains(&phone) && !message.text.contains("Ada"), "{}", message.text);
        let message = message.json();
        assert_eq!((&message["to"], &message["metadata"]), (&Value::Null, &json!({})));
        assert_eq!(message["erased_at"], done["erased_at"]);
    }
    let message = app.get(LIVE, &format!("/v1/messages/{sent}")).await.json();
    assert_eq!((&message["tags"], &message["attempts"][0]["number"]), (&json!(["order"]), &json!(1)));
    let message = app.get(LIVE, &format!("/v1/messages/{scheduled}")).await.json();
    assert_eq!(message["status"], "cancelled");
    let listed = app.get(LIVE, &format!("/v1/messages?to={}", phone.replace('+', "%2B"))).await.json();
    assert_eq!(listed["data"], json!([]));

    let again = app.post(LIVE, ERASE, &json!({ "phone": phone })).await.json();
    assert_eq!((&again["messages"], &again["cancelled"]), (&json!(0), &json!(0)));
}

/// What the audit log says about showing recipients: role, target, outcome.
async fn revelations(app: &App) -> Vec<(String, String, Value)> {
    let log = app.get(ADMIN, "/admin/v1/audit?limit=250").await.json();
    let entries = log["data"].as_array().unwrap().iter().filter(|entry| entry["action"] == "revealRecipient");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    entries.map(|entry| (text(&entry["role"]), text(&entry["target"]), entry["status"].clone())).collect()
}

#[tokio::test]
async fn operators_see_no_address_unless_an_admin_asks_for_it_on_record() {
    let app = App::start().await;
    let id = app.message(&with(sms(), "/metadata", json!({ "name": "Ada" }))).await;
    let phone = sms()["to"]["phone"].as_str().unwrap().to_owned();
    let text = sms()["content"]["text"].as_str().unwrap().to_owned();
    let path = format!("/admin/v1/cascades/{id}");
    for path in [path.clone(), format!("{path}?reveal=false"), "/admin/v1/actors".to_owned()] {
        let shown = app.get(ADMIN, &path).await;
        assert_eq!(shown.status, 200, "{path}: {}", shown.text);
        for hidden in [&phone[1..], &text, "Ada"] {
            assert!(!shown.text.contains(hidden), "{path}: {}", shown.text);
        }
    }
    assert_eq!(revelations(&app).await, []);

    for (number, role) in (60..).zip([Role::Viewer, Role::Operator]) {
        let secret = format!("hak_only-{}", role.as_str());
        let key = ApiKey { role: Some(role), ..key(number, KeyOwner::Operator) };
        app.directory.import_key(key, &secret).await.unwrap();
        let refused = app.get(&secret, &format!("{path}?reveal=true")).await;
        assert_eq!((refused.status, refused.code()), (403, "forbidden".into()));
        assert!(!refused.text.contains(&phone[1..]));
        let target = format!("cascades/{id}");
        assert_eq!(revelations(&app).await[0], (role.as_str().to_owned(), target, json!(403)));
        assert_eq!(app.get(&secret, &path).await.status, 200);
    }
    let shown = app.get(ADMIN, &format!("{path}?reveal=true")).await;
    assert_eq!((shown.status, &shown.json()["to"]["phone"]), (200, &json!(phone)));
    let on_record = revelations(&app).await;
    assert_eq!((on_record.len(), &on_record[0].0, &on_record[0].2), (4, &"admin".to_owned(), &json!(200)));
    // Without a record nothing is shown.
    app.audit.takes.store(0, std::sync::atomic::Ordering::SeqCst);
    let unseen = app.get(ADMIN, &format!("{path}?reveal=true")).await;
    assert_eq!(unseen.status, 503);
    assert!(!unseen.text.contains(&phone[1..]));
}

#[tokio::test]
async fn an_erasure_names_at_least_one_valid_address() {
    let app = App::start().await;
    for (body, pointer, code) in [
        (json!({}), "", "address_missing"),
        (json!({ "phone": null }), "", "address_missing"),
        (json!({ "phone": "4520123456" }), "/phone", "phone_invalid"),
        (json!({ "email": "a@b" }), "/email", "email_invalid"),
        (json!({ "push_token": "" }), "/push_token", "length"),
    ] {
        let refused = app.post(LIVE, ERASE, &body).await;
        assert_eq!((refused.status, refused.code()), (422, "schema_invalid".into()), "{body}");
        let errors = refused.json()["errors"].clone();
        let found =
            errors.as_array().unwrap().iter().any(|one| one["pointer"] == pointer && one["code"] == code);
        assert!(found, "{body}: {errors}");
    }
}

#[tokio::test]
async fn a_retention_is_set_by_operators_within_its_bounds() {
    let app = App::start().await;
    let path = format!("/admin/v1/tenants/{}", tenant(1));
    let retention = json!({ "content_days": 30, "messages_days": 400,
        "per_channel": { "email": { "content_days": 7 } } });
    let set = async |retention: &Value| {
        let body = json!({ "policy": { "retention": retention } });
        app.call(Call::new("PATCH", &path).key(ADMIN).header("if-match", "*").json(&body)).await
    };
    let answer = set(&retention).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(app.get(ADMIN, &path).await.json()["policy"]["retention"], retention);
    for (bad, pointer) in [
        (json!({ "content_days": 0 }), "/policy/retention/content_days"),
        (json!({ "messages_days": 34 }), "/policy/retention/messages_days"),
        (json!({ "per_channel": { "fax": {} } }), "/policy/retention/per_channel/fax"),
        (json!({ "per_channel": { "sms": { "days": 1 } } }), "/policy/retention/per_channel/sms/days"),
    ] {
        let refused = set(&bad).await;
        assert_eq!(refused.status, 422, "{bad}");
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{}", refused.text);
    }
}
