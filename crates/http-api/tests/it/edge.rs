//! What surrounds every request.

use std::{sync::atomic::Ordering, time::Duration};

use serde_json::json;

use crate::{
    app::{App, AppOptions, LIVE, OTHER, sms},
    client::Call,
};

#[tokio::test]
async fn request_ids_are_echoed_or_made() {
    let app = App::start().await;
    let given = app.call(Call::new("GET", "/healthz").header("x-request-id", "mine-1")).await;
    assert_eq!(given.header("x-request-id"), Some("mine-1"));
    for bad in ["", "a b", &"x".repeat(200)] {
        let made = app.call(Call::new("GET", "/healthz").header("x-request-id", bad)).await;
        assert!(made.header("x-request-id").unwrap().starts_with("req_"), "{bad}");
    }
}

#[tokio::test]
async fn rate_headers_count_down_and_the_rest_is_told_when_to_return() {
    let mut options = AppOptions::default();
    (options.limits.requests_per_s, options.limits.burst) = (2, 3);
    let app = App::start_with(options).await;
    for left in ["r=2", "r=1", "r=0"] {
        let answer = app.get(LIVE, "/v1/status").await;
        assert_eq!((answer.status, answer.header("ratelimit-policy")), (200, Some("\"tenant\";q=3;w=2")));
        assert!(answer.header("ratelimit").unwrap().contains(left), "{answer:?}");
    }
    let refused = app.get(LIVE, "/v1/status").await;
    assert_eq!(
        (refused.status, refused.code(), refused.header("retry-after")),
        (429, "rate_limited".into(), Some("1"))
    );
    let told = (refused.header("ratelimit"), refused.header("ratelimit-policy"));
    assert_eq!(told, (Some("\"tenant\";r=0;t=1"), Some("\"tenant\";q=3;w=2")));
    assert_eq!(refused.json()["layer"], "rate");
    assert_eq!(app.get(OTHER, "/v1/status").await.status, 200, "tenants do not spend for each other");
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(app.get(LIVE, "/v1/status").await.status, 200);
}

#[tokio::test]
async fn beyond_the_concurrency_limit_requests_are_shed_but_probes_pass() {
    let app = App::start_with(AppOptions { max_concurrent_requests: 1, ..AppOptions::default() }).await;
    let held = app.intake.gate.write().await;
    let body = sms();
    let sending = app.post(LIVE, "/v1/messages", &body);
    tokio::pin!(sending);
    tokio::select! {
        _ = &mut sending => panic!("the intake is held"),
        () = app.intake.arrived.notified() => {}
    }
    let shed = app.get(LIVE, "/v1/status").await;
    assert_eq!((shed.code(), shed.header("retry-after")), ("overloaded".into(), Some("1")));
    assert_eq!(app.call(Call::new("GET", "/healthz")).await.status, 200);
    assert_eq!(app.call(Call::new("GET", "/metrics")).await.status, 200);
    drop(held);
    assert_eq!(sending.await.status, 202);
}

#[tokio::test]
async fn only_a_tenants_own_messages_fill_its_lane() {
    let app = App::start().await;
    let refused = async || {
        let answer = app.post(LIVE, "/v1/messages", &sms()).await;
        let told = ["retry-after", "ratelimit"].map(|name| answer.header(name).map(str::to_owned));
        (answer.status, answer.code(), told)
    };
    app.intake.overloaded.store(true, Ordering::SeqCst);
    assert_eq!(
        refused().await,
        (429, "rate_limited".into(), [Some("7".into()), Some("\"under_way.transactional\";r=0;t=7".into())])
    );
    app.intake.overloaded.store(false, Ordering::SeqCst);
    app.intake.away.store(true, Ordering::SeqCst);
    assert_eq!(refused().await, (503, "overloaded".into(), [Some("3".into()), None]));
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up() {
    let app =
        App::start_with(AppOptions { request_timeout: Duration::from_millis(50), ..AppOptions::default() })
            .await;
    let _held = app.intake.gate.write().await;
    let answer = app.post(LIVE, "/v1/messages", &sms()).await;
    assert_eq!((answer.status, answer.code()), (503, "overloaded".into()));
}

#[tokio::test]
async fn a_panic_is_an_internal_error_without_detail() {
    let app = App::start().await;
    app.intake.panics.store(true, Ordering::SeqCst);
    let answer = app.post(LIVE, "/v1/messages", &sms()).await;
    assert_eq!((answer.status, answer.code()), (500, "internal".into()));
    assert!(!answer.text.contains("told to panic"));
    app.intake.panics.store(false, Ordering::SeqCst);
    assert_eq!(app.post(LIVE, "/v1/messages", &sms()).await.status, 202);
}

#[tokio::test]
async fn probes_say_alive_and_ready() {
    let app = App::start().await;
    assert_eq!(app.call(Call::new("GET", "/healthz")).await.json(), json!({ "status": "ok" }));
    assert_eq!(app.call(Call::new("GET", "/readyz")).await.status, 200);
    app.ready.store(false, Ordering::SeqCst);
    assert_eq!(app.call(Call::new("GET", "/readyz")).await.status, 503);
    assert_eq!(app.call(Call::new("GET", "/healthz")).await.status, 200);
    assert_eq!(app.call(Call::new("GET", "/metrics")).await.text, "hermes_up 1\n");
}

#[tokio::test]
async fn refusals_name_the_methods_that_are_allowed() {
    let app = App::start().await;
    let answer = app.call(Call::new("DELETE", "/v1/messages").key(LIVE)).await;
    let allow = answer.header("allow").unwrap();
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
    let unauthenticated = app.call(Call::new("GET", "/v1/messages")).await;
    assert_eq!(unauthenticated.header("www-authenticate"), Some("Bearer"));
}
