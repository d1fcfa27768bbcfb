//! What tenants change with their keys goes on record before it is answered, and they can read it.

use std::sync::atomic::Ordering;

use hermes_domain::KeyId;
use hermes_testkit::{START, tenant};
use serde_json::{Value, json};

use crate::{
    app::{ADMIN, App, LIVE, OTHER, TEST, sms},
    client::{Call, send},
    contract,
};

const ROUTE: &str = "/v1/routes";

fn key_id(app: &App, key: &str) -> KeyId {
    app.directory.authenticate(key, START).unwrap().key_id()
}

/// Entries that a key sees, oldest first.
async fn entries(app: &App, key: &str, path: &str) -> Vec<Value> {
    let list = app.get(key, path).await;
    assert_eq!(list.status, 200, "{}", list.text);
    let mut entries = list.json()["data"].as_array().unwrap().clone();
    entries.reverse();
    entries
}

/// Every operation that a tenant's key may change something with, but for messages and batches: method, path, its id.
fn changes() -> Vec<(&'static str, &'static str, &'static str)> {
    let mut all = Vec::new();
    for (template, item) in contract::document()["paths"].as_object().unwrap() {
        for (name, method) in [("post", "POST"), ("put", "PUT"), ("patch", "PATCH"), ("delete", "DELETE")] {
            let Some(operation) = item.get(name) else { continue };
            if operation["security"][0]["tenantKey"] == json!(["manage"]) {
                all.push((method, template.as_str(), operation["operationId"].as_str().unwrap()));
            }
        }
    }
    all.retain(|(.., id)| *id != "previewTemplate");
    all
}

#[tokio::test]
async fn every_change_by_a_tenants_key_is_announced_and_its_outcome_recorded() {
    let app = App::start().await;
    assert!(changes().len() > 20);
    for (method, template, action) in changes() {
        let path = template.replace("{id}", "+4520123456").replace("{version}", "ada@example.dk");
        let call = Call::new(method, &path).key(LIVE).json(&json!({})).header("x-request-id", action);
        let answer = send(app.address, &call).await;
        let found = entries(&app, ADMIN, &format!("/admin/v1/audit?action={action}")).await;
        assert_eq!(found.len(), 2, "{method} {path}: {found:?}");
        assert_eq!((&found[0]["phase"], &found[1]["phase"]), (&json!("intent"), &json!("outcome")));
        assert_eq!(
            (&found[1]["status"], &found[1]["intent"]),
            (&json!(answer.status), &found[0]["sequence"])
        );
        for entry in found {
            let who = ["actor", "actor_kind", "tenant_id", "mode", "role"].map(|field| entry[field].clone());
            let us = [&*key_id(&app, LIVE).to_string(), "tenant", &*tenant(1).to_string(), "live", "manage"];
            assert_eq!(who, us.map(|text| json!(text)));
            assert_eq!((&entry["request_id"], &entry["counts"]), (&json!(action), &json!({})), "{entry}");
            assert_eq!(entry["target"], template.strip_prefix("/v1/").unwrap(), "an address is no id");
        }
    }
    assert_eq!(app.get(ADMIN, "/admin/v1/audit/verify").await.json()["intact"], true);
}

#[tokio::test]
async fn what_was_made_and_changed_is_named_by_its_id() {
    let app = App::start().await;
    let hook = app.post(LIVE, "/v1/webhooks", &json!({ "url": "https://example.com/a-url" })).await.json();
    let id = hook["id"].as_str().unwrap();
    app.post(LIVE, &format!("/v1/webhooks/{id}/rotate_secret"), &json!({})).await;
    let found = entries(&app, LIVE, &format!("/v1/audit?target={id}")).await;
    let told: Vec<_> = found.iter().map(|one| ["action", "target", "phase"].map(|name| &one[name])).collect();
    let (made, rotated) = (format!("webhooks/{id}"), format!("webhooks/{id}/rotate_secret"));
    let expected = [
        ["createWebhook", &*made, "outcome"],
        ["rotateWebhookSecret", &*rotated, "intent"],
        ["rotateWebhookSecret", &*rotated, "outcome"],
    ];
    assert_eq!(
        told,
        expected.map(|entry| entry.map(|text| json!(text))).each_ref().map(|one| one.each_ref())
    );
    let all = app.get(LIVE, "/v1/audit").await.text;
    assert!(!all.contains("a-url") && !all.contains(hook["secret"].as_str().unwrap()), "{all}");
}

#[tokio::test]
async fn an_import_and_an_erasure_say_how_much_and_never_whom() {
    let app = App::start().await;
    app.message(&sms()).await;
    let csv = "address,channel\n+4520123456,sms\n+4520123457,sms\n+4520123456,sms\nnobody,sms\n";
    let import = |body: &str| {
        let call = Call::new("POST", "/v1/suppressions/import").key(LIVE);
        app.call(call.header("content-type", "text/csv").bytes(body.to_owned()))
    };
    assert_eq!(import(csv).await.status, 200);
    // This one breaks off with a column that there is not.
    assert_eq!(import("address,chanel\n+4520123456,sms\n").await.status, 422);
    app.post(LIVE, "/v1/recipients/erase", &sms()["to"]).await;
    let found = entries(&app, LIVE, "/v1/audit").await;
    let outcomes: Vec<_> = found.iter().filter(|entry| entry["phase"] == "outcome").collect();
    let counts: Vec<_> = outcomes.iter().map(|entry| (&entry["action"], &entry["counts"])).collect();
    let imported = |added: u8, unchanged: u8, rejected: u8| json!({ "added": added, "unchanged": unchanged, "rejected": rejected });
    assert_eq!(
        counts,
        [
            (&json!("importSuppressions"), &imported(2, 1, 1)),
            (&json!("importSuppressions"), &imported(0, 0, 0)),
            (
                &json!("eraseRecipient"),
                &json!({ "messages": 1, "suppressions": 0, "cancelled": 1, "under_way": 0 })
            ),
        ]
    );
    assert_eq!(found.len(), 6, "one entry before and one after each, however long it is");
    let all = app.get(ADMIN, "/admin/v1/audit").await.text;
    assert!(!all.contains("20123456") && !all.contains("nobody"), "{all}");
}

#[tokio::test]
async fn messages_batches_and_reading_leave_no_entry() {
    let app = App::start().await;
    app.audit.takes.store(0, Ordering::SeqCst);
    let id = app.message(&sms()).await;
    app.post(LIVE, &format!("/v1/messages/{id}/cancel"), &json!({})).await;
    assert_eq!(app.post(LIVE, "/v1/batches", &json!({ "messages": [sms()] })).await.status, 202);
    app.get(LIVE, "/v1/webhooks").await;
    let preview = app.post(LIVE, "/v1/templates/nothing/preview", &json!({ "data": {} })).await;
    assert_eq!(preview.status, 404, "{}", preview.text);
    assert_eq!(entries(&app, ADMIN, "/admin/v1/audit").await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_tenant_reads_its_own_changes_in_its_mode_and_no_number_of_others() {
    let app = App::start().await;
    for (key, name) in [(LIVE, "a"), (TEST, "b"), (OTHER, "c"), (LIVE, "d")] {
        assert_eq!(app.post(key, ROUTE, &json!({ "name": name, "prefer": ["twilio"] })).await.status, 201);
    }
    app.post(ADMIN, &format!("/admin/v1/tenants/{}/resume", tenant(1)), &json!({})).await;
    for (key, count) in [(LIVE, 4), (TEST, 2), (OTHER, 2)] {
        let found = entries(&app, key, "/v1/audit").await;
        assert_eq!(found.len(), count);
        for entry in &found {
            assert_eq!(entry["actor"], key_id(&app, key).to_string());
            let hidden = ["sequence", "hash", "intent"].map(|name| entry.get(name));
            assert_eq!(hidden, [None; 3]);
        }
    }
    let first = app.get(LIVE, "/v1/audit?limit=3").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = entries(&app, LIVE, &format!("/v1/audit?limit=3&cursor={cursor}")).await;
    assert_eq!((rest.len(), &rest[0]["phase"]), (1, &json!("intent")));
    for (filter, count) in [
        ("actor_kind=operator".to_owned(), 2),
        ("actor_kind=tenant".to_owned(), 8),
        (format!("tenant={}", tenant(1)), 6),
        (format!("tenant={}", tenant(2)), 2),
    ] {
        assert_eq!(entries(&app, ADMIN, &format!("/admin/v1/audit?{filter}")).await.len(), count, "{filter}");
    }
    let refused = app.get(ADMIN, "/admin/v1/audit?actor_kind=robot&tenant=acme").await;
    assert_eq!((refused.status, refused.pointers()), (422, vec!["actor_kind".into(), "tenant".into()]));
}

#[tokio::test]
async fn nothing_is_changed_without_a_record() {
    let app = App::start().await;
    app.audit.takes.store(0, Ordering::SeqCst);
    assert_eq!(
        app.post(LIVE, ROUTE, &json!({ "name": "a", "prefer": ["twilio"] })).await.code(),
        "overloaded"
    );
    assert_eq!(app.get(LIVE, ROUTE).await.json()["data"], json!([]));
    app.audit.takes.store(1, Ordering::SeqCst);
    assert_eq!(
        app.post(LIVE, ROUTE, &json!({ "name": "a", "prefer": ["twilio"] })).await.code(),
        "overloaded"
    );
    assert_eq!(app.get(LIVE, ROUTE).await.json()["data"].as_array().unwrap().len(), 1, "it was announced");
}
