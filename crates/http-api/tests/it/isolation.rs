//! Tenants and modes see nothing of each other.

use hermes_testkit::tenant;
use serde_json::json;

use crate::{
    app::{ADMIN, App, LIVE, OTHER, TEST, sms, with},
    client::Call,
};

#[tokio::test]
async fn nothing_of_a_tenant_is_there_for_others_and_for_its_other_mode() {
    let app = App::start().await;
    let message = app.message(&sms()).await;
    app.accepted(message, "SM1").await;
    let webhook = app.post(LIVE, "/v1/webhooks", &json!({ "url": "https://example.com/a" })).await.json();
    let cascade =
        app.post(LIVE, "/v1/cascades", &json!({ "name": "c", "steps": [{ "channel": "sms" }] })).await.json();
    let (webhook, cascade) = (webhook["id"].as_str().unwrap(), cascade["id"].as_str().unwrap());
    for stranger in [OTHER, TEST] {
        for path in [
            format!("/v1/messages/{message}"),
            format!("/v1/messages/{message}/events"),
            format!("/v1/webhooks/{webhook}"),
            format!("/v1/webhooks/{webhook}/deliveries"),
            format!("/v1/cascades/{cascade}"),
        ] {
            let answer = app.get(stranger, &path).await;
            assert_eq!((answer.status, answer.code()), (404, "not_found".into()), "{path}");
        }
        for path in [
            format!("/v1/messages/{message}/cancel"),
            format!("/v1/messages/{message}/ack"),
            format!("/v1/webhooks/{webhook}/rotate_secret"),
            format!("/v1/webhooks/{webhook}/redeliver?since=2026-01-01T00:00:00Z"),
        ] {
            assert_eq!(app.call(Call::new("POST", &path).key(stranger)).await.status, 404, "{path}");
        }
        for path in [format!("/v1/webhooks/{webhook}"), format!("/v1/cascades/{cascade}")] {
            assert_eq!(app.call(Call::new("DELETE", &path).key(stranger)).await.status, 404, "{path}");
        }
        for path in ["/v1/messages", "/v1/webhooks", "/v1/cascades"] {
            assert_eq!(app.get(stranger, path).await.json()["data"], json!([]), "{path}");
        }
        let named = app.post(stranger, "/v1/messages", &with(sms(), "/cascade", json!(cascade))).await;
        assert_eq!((named.status, named.pointers()), (422, vec!["/cascade".to_owned()]));
    }
    assert_eq!(app.get(LIVE, &format!("/v1/messages/{message}")).await.json()["status"], "in_progress");
}

#[tokio::test]
async fn a_test_key_reaches_only_test_connections() {
    let app = App::start().await;
    let reply = app.post(TEST, "/v1/messages", &sms()).await.json();
    let id = reply["id"].as_str().unwrap().parse().unwrap();
    let stored = hermes_ports::CascadeStore::load(&*app.backend, id).await.unwrap().unwrap();
    assert_eq!(stored.envelope.plan.steps[0].candidates.len(), 1);
    assert_eq!(stored.envelope.plan.steps[0].candidates[0].connection, hermes_testkit::connection(4));
    let email = with(
        with(sms(), "/to", json!({ "email": "a@b.dk" })),
        "/cascade",
        json!({ "steps": [{ "channel": "email" }] }),
    );
    assert_eq!(app.post(TEST, "/v1/messages", &email).await.code(), "no_route");
    let status = app.get(TEST, "/v1/status").await.json();
    assert_eq!((&status["mode"], &status["channels"][1]["providers"]), (&json!("test"), &json!([])));
}

#[tokio::test]
async fn a_revoked_or_expired_key_is_refused_at_once() {
    let app = App::start().await;
    let path = format!("/admin/v1/tenants/{}/keys", tenant(1));
    let body = json!({ "name": "short", "mode": "live", "expires_at": "2026-01-02T03:05:05Z" });
    let made = app.post(ADMIN, &path, &body).await.json();
    let secret = made["key"].as_str().unwrap();
    assert_eq!(app.get(secret, "/v1/status").await.status, 200);
    app.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(app.get(secret, "/v1/status").await.status, 401);

    let made = app.post(ADMIN, &path, &json!({ "name": "long", "mode": "live" })).await.json();
    let secret = made["key"].as_str().unwrap();
    assert_eq!(app.get(secret, "/v1/status").await.status, 200);
    let key = format!("{path}/{}", made["id"].as_str().unwrap());
    assert_eq!(app.call(Call::new("DELETE", key).key(ADMIN)).await.status, 204);
    assert_eq!(app.get(secret, "/v1/status").await.status, 401);
}
