//! What scopes and roles let through. Every operation of the document is tried.

use hermes_domain::{
    access::{Role, Scope, Scopes},
    message::Mode,
    tenant::{ApiKey, KeyOwner},
};
use hermes_testkit::{START, tenant};
use serde_json::{Value, json};

use crate::{
    app::{ADMIN, App, LIVE, key},
    client::{Answer, Call, send},
    contract,
};

const METHODS: [(&str, &str); 5] =
    [("get", "GET"), ("post", "POST"), ("put", "PUT"), ("patch", "PATCH"), ("delete", "DELETE")];

/// Every operation: method, path with ids of nobody, what its security asks for.
fn operations() -> Vec<(&'static str, String, Value)> {
    let paths = contract::document()["paths"].as_object().unwrap();
    let mut all = Vec::new();
    for (template, item) in paths {
        for (name, method) in METHODS {
            let Some(operation) = item.get(name) else { continue };
            let path: Vec<_> =
                template.split('/').map(|part| if part.starts_with('{') { "nobody" } else { part }).collect();
            all.push((method, path.join("/"), operation["security"].clone()));
        }
    }
    all
}

/// The scope or role that a requirement names.
fn named<'a>(security: &'a Value, scheme: &str) -> Option<&'a str> {
    security[0][scheme][0].as_str()
}

async fn tried(app: &App, secret: &str, method: &'static str, path: &str) -> Answer {
    send(app.address, &Call::new(method, path).key(secret).json(&json!({}))).await
}

async fn with_scope(app: &App, number: u128, scope: Scope) -> String {
    let secret = format!("hk_live_only-{}", scope.as_str());
    let owner = KeyOwner::Tenant(tenant(1), Mode::Live);
    let key = ApiKey { scopes: Scopes::named([scope]), ..key(number, owner) };
    app.directory.import_key(key, &secret).await.unwrap();
    secret
}

async fn with_role(app: &App, number: u128, role: Role) -> String {
    let secret = format!("hak_only-{}", role.as_str());
    let key = ApiKey { role: Some(role), ..key(number, KeyOwner::Operator) };
    app.directory.import_key(key, &secret).await.unwrap();
    secret
}

#[tokio::test]
async fn every_operation_of_tenants_takes_exactly_the_scope_that_the_document_names() {
    let app = App::start().await;
    for (number, scope) in (20..).zip(Scope::ALL) {
        let secret = with_scope(&app, number, scope).await;
        let mut tried_some = false;
        for (method, path, security) in operations() {
            let Some(wanted) = named(&security, "tenantKey") else { continue };
            let answer = tried(&app, &secret, method, &path).await;
            if wanted == scope.as_str() {
                tried_some = true;
                assert_ne!(answer.code(), "forbidden", "{method} {path}");
            } else {
                assert_eq!((answer.status, answer.code()), (403, "forbidden".into()), "{method} {path}");
                assert!(answer.text.contains(&format!("the scope {wanted}")), "{}", answer.text);
            }
        }
        assert!(tried_some, "{scope:?} opens nothing");
    }
}

#[tokio::test]
async fn every_operation_of_operators_takes_the_role_that_the_document_names_and_those_above() {
    let app = App::start().await;
    for (number, role) in (20..).zip(Role::ALL) {
        let secret = with_role(&app, number, role).await;
        for (method, path, security) in operations() {
            let Some(wanted) = named(&security, "operatorKey") else { continue };
            let needed = Role::ALL.into_iter().find(|role| role.as_str() == wanted).unwrap();
            let answer = tried(&app, &secret, method, &path).await;
            if role.includes(needed) {
                assert_ne!(answer.code(), "forbidden", "{method} {path}");
            } else {
                assert_eq!((answer.status, answer.code()), (403, "forbidden".into()), "{method} {path}");
                assert!(answer.text.contains(&format!("the role {wanted}")), "{}", answer.text);
            }
        }
    }
}

#[tokio::test]
async fn reading_changing_and_administering_are_told_apart() {
    for (method, path, security) in operations() {
        let wanted = named(&security, "tenantKey").or_else(|| named(&security, "operatorKey"));
        let (tenants, admin) = (path.starts_with("/v1/"), path.starts_with("/admin/"));
        let open = path.starts_with("/v1/ack/") || !(tenants || admin);
        assert_eq!(wanted.is_none(), open, "{method} {path}: {wanted:?}");
        // Who changes something sees who else did: no other key has to.
        let reading = tenants && method == "GET" && path != "/v1/audit";
        assert_eq!(tenants && wanted == Some("read"), reading, "{method} {path}");
        assert_eq!(admin && wanted == Some("viewer"), admin && method == "GET", "{method} {path}");
    }
}

#[tokio::test]
async fn keys_of_one_kind_open_nothing_of_the_other() {
    let app = App::start().await;
    for (method, path, security) in operations() {
        if security.as_array().unwrap().is_empty() {
            continue;
        }
        let stranger = if security[0]["tenantKey"].is_array() { ADMIN } else { LIVE };
        assert_eq!(tried(&app, stranger, method, &path).await.status, 403, "{method} {path}");
        assert_eq!(tried(&app, "hak_guessed", method, &path).await.status, 401, "{method} {path}");
    }
    assert_eq!(tried(&app, LIVE, "HEAD", "/admin/v1/tenants").await.status, 403);
}

#[tokio::test]
async fn an_operator_key_is_made_listed_and_revoked() {
    let app = App::start().await;
    let body = json!({ "name": "on call", "role": "operator", "expires_at": "2026-02-01T00:00:00Z" });
    let made = app.post(ADMIN, "/admin/v1/keys", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let (location, made) = (made.header("location").unwrap().to_owned(), made.json());
    let secret = made["key"].as_str().unwrap();
    assert!(secret.starts_with("hak_"));
    assert_eq!((&made["role"], &made["last_used_at"]), (&json!("operator"), &Value::Null));
    assert_eq!(app.post(secret, "/admin/v1/keys", &body).await.code(), "forbidden");
    let listed = app.get(secret, "/admin/v1/keys").await;
    assert!(!listed.text.contains(secret), "{}", listed.text);
    let shown = &listed.json()["data"][0];
    assert_eq!(shown["hint"], format!("hak_…{}", &secret[secret.len() - 4..]));
    assert_eq!((&shown["id"], shown["last_used_at"].is_string()), (&made["id"], true));
    assert_eq!(app.call(Call::new("DELETE", &location).key(ADMIN)).await.status, 204);
    assert_eq!(app.get(secret, "/admin/v1/keys").await.status, 401);
    assert_eq!(app.call(Call::new("DELETE", &location).key(ADMIN)).await.status, 404);
}

#[tokio::test]
async fn the_last_admins_key_that_works_stays() {
    let app = App::start().await;
    let revoke =
        async |id: &str| app.call(Call::new("DELETE", format!("/admin/v1/keys/{id}")).key(ADMIN)).await;
    let make = async |role: &str, expires_at: Option<&str>| {
        let body = json!({ "name": "another", "role": role, "expires_at": expires_at });
        let made = app.post(ADMIN, "/admin/v1/keys", &body).await.json();
        made["id"].as_str().unwrap().to_owned()
    };
    let ours = app.directory.authenticate(ADMIN, START).unwrap().key_id().to_string();
    let soon = START.plus_s(60).rfc3339();
    make("operator", None).await;
    let expired = make("admin", Some(&soon)).await;
    app.clock.advance(std::time::Duration::from_secs(60));
    let kept = revoke(&ours).await;
    assert_eq!((kept.status, kept.code()), (409, "conflict".into()));
    assert!(kept.json()["detail"].as_str().unwrap().contains("last operator key"), "{}", kept.text);
    assert_eq!(app.get(ADMIN, "/admin/v1/keys").await.status, 200);
    assert_eq!(revoke(&expired).await.status, 204, "an expired one is no loss");
    make("admin", None).await;
    assert_eq!(revoke(&ours).await.status, 204);
}

#[tokio::test]
async fn keys_of_tenants_are_not_reached_as_operators_keys() {
    let app = App::start().await;
    let of_tenant = hermes_domain::KeyId::new(START, 1);
    let path = format!("/admin/v1/keys/{of_tenant}");
    assert_eq!(app.call(Call::new("DELETE", path).key(ADMIN)).await.status, 404);
    assert_eq!(app.get(LIVE, "/v1/status").await.status, 200);
    let unknown = json!({ "name": "x", "role": "owner", "scopes": ["read"] });
    let refused = app.post(ADMIN, "/admin/v1/keys", &unknown).await;
    assert_eq!((refused.status, refused.pointers()), (422, vec!["/role".to_owned(), "/scopes".to_owned()]));
}
