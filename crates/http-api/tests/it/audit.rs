//! What operators do goes on record before it is answered.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use hermes_domain::{
    access::Role,
    tenant::{ApiKey, KeyOwner},
};
use hermes_ports::{
    AuditLog, AuditRead, StoreError,
    audit::{AuditEntry, AuditEvent, AuditHead, AuditQuery},
};
use hermes_testkit::{MemoryBackend, tenant};
use serde_json::{Value, json};

use crate::{
    app::{ADMIN, App, LIVE, key},
    client::{Call, send},
    contract,
};

/// The log of the backend, which takes as many entries as it is told.
#[derive(Debug)]
pub(crate) struct LimitedAudit {
    pub(crate) backend: Arc<MemoryBackend>,
    pub(crate) takes: AtomicUsize,
}

#[async_trait]
impl AuditLog for LimitedAudit {
    async fn append(&self, event: AuditEvent) -> Result<AuditEntry, StoreError> {
        let left = self.takes.load(Ordering::SeqCst);
        if left == 0 {
            let cause = "the disk is full".into();
            return Err(StoreError::Unavailable { attempted: "writing the audit log", cause });
        }
        self.takes.store(left - 1, Ordering::SeqCst);
        self.backend.append(event).await
    }
}

#[async_trait]
impl AuditRead for LimitedAudit {
    async fn list(&self, query: AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        self.backend.list(query).await
    }

    async fn after(&self, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        AuditRead::after(&*self.backend, after, limit).await
    }

    async fn head(&self) -> Result<Option<AuditHead>, StoreError> {
        self.backend.head().await
    }
}

async fn entries(app: &App, query: &str) -> Vec<Value> {
    let mut list = app.get(ADMIN, &format!("/admin/v1/audit?limit=250&{query}")).await.json();
    let mut entries = list["data"].as_array_mut().map(std::mem::take).unwrap();
    entries.reverse();
    entries
}

/// Every operation that changes something as an operator: method, path with ids of nobody, its id.
fn changes() -> Vec<(&'static str, String, String)> {
    let mut all = Vec::new();
    for (template, item) in contract::document()["paths"].as_object().unwrap() {
        for (name, method) in [("post", "POST"), ("put", "PUT"), ("patch", "PATCH"), ("delete", "DELETE")] {
            let Some(operation) = item.get(name).filter(|_| template.starts_with("/admin/")) else {
                continue;
            };
            let part = |part: &str| if part.starts_with('{') { "nobody".to_owned() } else { part.to_owned() };
            let path: Vec<_> = template.split('/').map(part).collect();
            all.push((method, path.join("/"), operation["operationId"].as_str().unwrap().to_owned()));
        }
    }
    all
}

#[tokio::test]
async fn every_change_by_an_operator_is_announced_and_its_outcome_recorded() {
    let app = App::start().await;
    assert!(changes().len() > 15);
    for (method, path, action) in changes() {
        let call = Call::new(method, &path).key(ADMIN).json(&json!({})).header("x-request-id", &action);
        let answer = send(app.address, &call).await;
        let found = entries(&app, &format!("action={action}")).await;
        assert_eq!(found.len(), 2, "{method} {path}: {found:?}");
        assert_eq!((&found[0]["phase"], &found[1]["phase"]), (&json!("intent"), &json!("outcome")));
        assert_eq!(
            (&found[1]["status"], &found[1]["intent"]),
            (&json!(answer.status), &found[0]["sequence"])
        );
        for entry in found {
            assert_eq!((&entry["request_id"], &entry["role"]), (&json!(action), &json!("admin")));
            assert_eq!(entry["target"], path.strip_prefix("/admin/v1/").unwrap());
            assert!(entry["actor"].as_str().unwrap().starts_with("key_"));
        }
    }
    let verdict = app.get(ADMIN, "/admin/v1/audit/verify").await.json();
    assert_eq!((&verdict["intact"], &verdict["broken"]), (&json!(true), &Value::Null));
    assert_eq!(verdict["entries"], json!(2 * changes().len()));
}

#[tokio::test]
async fn what_was_made_is_the_target_and_no_secret_is_kept() {
    let app = App::start().await;
    let path = format!("/admin/v1/tenants/{}/keys", tenant(1));
    let made = app.post(ADMIN, &path, &json!({ "name": "a-name-not-to-keep", "mode": "live" })).await.json();
    let id = made["id"].as_str().unwrap();
    let found = entries(&app, &format!("target={id}")).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["target"], format!("tenants/{}/keys/{id}", tenant(1)));
    assert_eq!(entries(&app, &format!("target={}", tenant(1))).await.len(), 2);
    let all = app.get(ADMIN, "/admin/v1/audit").await.text;
    assert!(!all.contains(made["key"].as_str().unwrap()) && !all.contains("a-name-not-to-keep"), "{all}");
}

#[tokio::test]
async fn reading_is_not_on_record_and_asking_for_too_much_is() {
    let app = App::start().await;
    let viewer = ApiKey { role: Some(Role::Viewer), ..key(30, KeyOwner::Operator) };
    let id = viewer.id;
    app.directory.import_key(viewer, "hak_viewer").await.unwrap();
    app.get("hak_viewer", "/admin/v1/tenants").await;
    app.get(LIVE, "/v1/status").await;
    send(app.address, &Call::new("DELETE", "/admin/v1/nothing").key("hak_viewer")).await;
    assert_eq!(entries(&app, "").await, [] as [Value; 0]);
    let hold = format!("/admin/v1/providers/{}/hold", hermes_testkit::connection(1));
    assert_eq!(app.post("hak_viewer", &hold, &json!({})).await.status, 403);
    let found = entries(&app, &format!("actor={id}")).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let refused = (&found[0]["status"], &found[0]["intent"], &found[0]["role"]);
    assert_eq!(refused, (&json!(403), &Value::Null, &json!("viewer")));
}

#[tokio::test]
async fn nothing_is_done_without_a_record_and_no_success_told_without_one_of_the_outcome() {
    let app = App::start().await;
    let suspend = format!("/admin/v1/tenants/{}/suspend", tenant(1));
    let suspended = || app.directory.tenant(tenant(1)).unwrap().suspended;
    app.audit.takes.store(0, Ordering::SeqCst);
    assert_eq!(app.post(ADMIN, &suspend, &json!({})).await.code(), "overloaded");
    assert!(!suspended());
    app.audit.takes.store(1, Ordering::SeqCst);
    assert_eq!(app.post(ADMIN, &suspend, &json!({})).await.code(), "overloaded");
    assert!(suspended(), "it was announced, so it may be done");
    app.audit.takes.store(2, Ordering::SeqCst);
    assert_eq!(app.post(ADMIN, &suspend, &json!({})).await.status, 200);
    assert_eq!(entries(&app, "").await.len(), 3);
}

#[tokio::test]
async fn the_log_is_paged_and_wrong_filters_are_refused() {
    let app = App::start().await;
    for _ in 0..3 {
        app.post(ADMIN, &format!("/admin/v1/tenants/{}/resume", tenant(1)), &json!({})).await;
    }
    let first = app.get(ADMIN, "/admin/v1/audit?limit=4").await.json();
    assert_eq!((&first["data"][0]["sequence"], &first["has_more"]), (&json!(6), &json!(true)));
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = app.get(ADMIN, &format!("/admin/v1/audit?limit=4&cursor={cursor}")).await.json();
    assert_eq!((&rest["data"][0]["sequence"], &rest["has_more"]), (&json!(2), &json!(false)));
    let refused = app.get(ADMIN, "/admin/v1/audit?since=yesterday&who=me").await;
    assert_eq!((refused.status, refused.pointers()), (422, vec!["since".into(), "who".into()]));
    assert_eq!(app.get(ADMIN, "/admin/v1/audit?since=2030-01-01T00:00:00Z").await.json()["data"], json!([]));
}
