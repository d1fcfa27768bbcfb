//! `If-Match`, the same way for everything that has a version.

use hermes_testkit::tenant;
use serde_json::json;

use crate::{
    app::{ADMIN, App, LIVE},
    client::{Answer, Call},
};

impl App {
    async fn made_route(&self) -> String {
        let made = self.post(LIVE, "/v1/routes", &json!({ "name": "r", "prefer": ["first"] })).await;
        assert_eq!((made.status, made.header("etag")), (201, Some("\"1\"")), "{}", made.text);
        made.header("location").unwrap().to_owned()
    }

    async fn renamed(&self, path: &str, tags: &str) -> Answer {
        let body = json!({ "name": "renamed", "prefer": ["first"] });
        self.call(Call::new("PUT", path).key(LIVE).header("if-match", tags).json(&body)).await
    }
}

#[tokio::test]
async fn one_of_several_tags_is_enough_and_a_weak_one_matches_nothing() {
    let app = App::start().await;
    let path = app.made_route().await;
    for other in ["W/\"1\"", "\"2\", \"99\"", "\"x\""] {
        let answer = app.renamed(&path, other).await;
        assert_eq!((answer.status, answer.code().as_str()), (412, "version_conflict"), "{other}");
    }
    assert_eq!(app.renamed(&path, "1").await.code(), "header_invalid");
    assert_eq!(app.renamed(&path, "\"99\", \"1\"").await.header("etag"), Some("\"2\""));
    let delete = |tags: &str| Call::new("DELETE", path.clone()).key(LIVE).header("if-match", tags);
    assert_eq!(app.call(delete("\"1\", W/\"2\"")).await.status, 412);
    assert_eq!(app.call(delete("\"1\",\"2\"")).await.status, 204);
}

#[tokio::test]
async fn what_is_made_from_what_was_read_says_what_that_was() {
    let app = App::start().await;
    let path = app.made_route().await;
    let body = json!({ "name": "renamed", "prefer": ["first"] });
    assert_eq!(app.call(Call::new("PUT", path.clone()).key(LIVE).json(&body)).await.status, 428);
    assert_eq!(app.call(Call::new("DELETE", path).key(LIVE)).await.status, 204);
    let admin = Call::new("PATCH", format!("/admin/v1/tenants/{}", tenant(1))).key(ADMIN);
    assert_eq!(app.call(admin.json(&json!({ "name": "Renamed" }))).await.status, 200);
}

#[tokio::test]
async fn a_new_secret_is_a_new_version() {
    let app = App::start().await;
    let made = app.post(LIVE, "/v1/webhooks", &json!({ "url": "https://tenant.example/hook" })).await;
    let path = made.header("location").unwrap().to_owned();
    let rotated = app.post(LIVE, &format!("{path}/rotate_secret"), &json!({})).await;
    assert_eq!((made.header("etag"), rotated.header("etag")), (Some("\"1\""), Some("\"2\"")));
    assert_eq!(app.get(LIVE, &path).await.header("etag"), Some("\"2\""));
}

#[tokio::test]
async fn a_bad_body_is_told_before_another_version() {
    let app = App::start().await;
    let made = app.post(LIVE, "/v1/routes", &json!({ "name": "a", "prefer": ["b"] })).await;
    let path = format!("/v1/routes/{}", made.json()["id"].as_str().unwrap());
    for (body, status) in [(json!({ "name": 7 }), 422), (json!({ "name": "b", "prefer": ["b"] }), 412)] {
        let stale = Call::new("PUT", path.clone()).key(LIVE).header("if-match", "\"9\"").json(&body);
        assert_eq!(app.call(stale).await.status, status, "{body}");
    }
}
