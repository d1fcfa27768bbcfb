//! Access tokens of Google service accounts.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use hermes_domain::message::Mode;
use hermes_egress::{EgressOptions, HttpEgress, PrivateAccess};
use hermes_ports::{
    adapter::ConnectionAccess,
    egress::{Caller, Egress as _, EgressError},
    http::{AuthScheme, HttpRequest, HttpResponse},
};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::support::{LONG, Reply, Server, access, dev, egress, ok, post, response};

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";

fn vector() -> Value {
    serde_json::from_str(include_str!("../vectors/service_account.json")).unwrap()
}

/// A clock that starts at the vector's time; the value is in seconds.
fn clock() -> (Arc<AtomicU64>, EgressOptions) {
    let now_s = Arc::new(AtomicU64::new(1_767_323_045));
    let read = Arc::clone(&now_s);
    let now = Arc::new(move || UNIX_EPOCH + Duration::from_secs(read.load(Ordering::SeqCst)));
    (now_s, EgressOptions { now, ..dev() })
}

/// A token endpoint at `/token` that numbers its tokens, and an API elsewhere that answers `api_status`.
async fn google(api_status: u16) -> Server {
    let granted = AtomicUsize::new(0);
    Server::start(move |request, _| {
        if !request.line.starts_with("POST /token") {
            return Reply::Answer(response(api_status, ""));
        }
        let number = granted.fetch_add(1, Ordering::SeqCst) + 1;
        ok(&format!(r#"{{"access_token":"ya29.{number}","expires_in":3599,"token_type":"Bearer"}}"#))
    })
    .await
}

fn account(server: &Server, token_uri: &str) -> ConnectionAccess {
    let key_file = vector()["service_account"].to_string();
    access(&[("base_url", &server.url("/")), ("token_uri", token_uri)], &[("service_account", &key_file)])
}

async fn push(
    egress: &HttpEgress,
    server: &Server,
    access: &ConnectionAccess,
) -> Result<HttpResponse, EgressError> {
    let auth = AuthScheme::GoogleServiceAccount { key: "service_account".into(), scope: SCOPE.into() };
    let request = HttpRequest { auth, ..post(&server.url("/v1/projects/p/messages:send"), "{}") };
    egress.perform(Caller::Adapter { access, hosts: &[] }, request, LONG).await
}

/// The bearer values that the API saw, in order, and how many tokens were asked for.
fn seen(server: &Server) -> (Vec<String>, usize) {
    let (asked, sent): (Vec<_>, Vec<_>) =
        server.received().into_iter().partition(|request| request.line.starts_with("POST /token"));
    (sent.into_iter().map(|request| request.headers["authorization"].clone()).collect(), asked.len())
}

#[tokio::test]
async fn a_token_is_asked_for_as_the_vector_has_it() {
    let server = google(200).await;
    let (_, options) = clock();
    let access = account(&server, &server.url("/token"));
    push(&egress(options), &server, &access).await.unwrap();
    let asked = &server.received()[0];
    assert_eq!(asked.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(asked.body, vector()["token_request_body"].as_str().unwrap());
    assert_eq!(seen(&server), (vec!["Bearer ya29.1".to_owned()], 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_at_once_ask_for_one_token() {
    let server = Arc::new(google(200).await);
    let (_, options) = clock();
    let egress = Arc::new(egress(options));
    let access = account(&server, &server.url("/token"));
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let (egress, server, access) = (Arc::clone(&egress), Arc::clone(&server), access.clone());
        calls.spawn(async move { push(&egress, &server, &access).await.unwrap().status });
    }
    assert_eq!(calls.join_all().await, [200; 20]);
    assert_eq!(seen(&server), (vec!["Bearer ya29.1".to_owned(); 20], 1));
}

#[tokio::test]
async fn a_token_lasts_until_it_expires_is_forgotten_or_its_account_changes() {
    let server = google(200).await;
    let (now_s, options) = clock();
    let egress = egress(options);
    let access_1 = account(&server, &server.url("/token"));
    push(&egress, &server, &access_1).await.unwrap();
    now_s.fetch_add(3298, Ordering::SeqCst);
    push(&egress, &server, &access_1).await.unwrap();
    now_s.fetch_add(301, Ordering::SeqCst);
    push(&egress, &server, &access_1).await.unwrap();
    egress.forget(access_1.connection.id);
    push(&egress, &server, &access_1).await.unwrap();
    let access_2 = account(&server, &server.url("/token?changed"));
    push(&egress, &server, &access_2).await.unwrap();
    push(&egress, &server, &access_2).await.unwrap();
    let bearers = [1, 1, 2, 3, 4, 4].map(|number| format!("Bearer ya29.{number}"));
    assert_eq!(seen(&server), (bearers.to_vec(), 4));
}

#[tokio::test]
async fn a_401_drops_the_token() {
    let server = google(401).await;
    let (now_s, options) = clock();
    let egress = egress(options);
    let access = account(&server, &server.url("/token"));
    assert_eq!(push(&egress, &server, &access).await.unwrap().status, 401);
    // Brand new and refused: another one would be refused too.
    push(&egress, &server, &access).await.unwrap();
    now_s.fetch_add(31, Ordering::SeqCst);
    push(&egress, &server, &access).await.unwrap();
    push(&egress, &server, &access).await.unwrap();
    let bearers = ["Bearer ya29.1", "Bearer ya29.1", "Bearer ya29.1", "Bearer ya29.2"];
    assert_eq!(seen(&server), (bearers.map(str::to_owned).to_vec(), 2));
}

#[tokio::test]
async fn a_failing_token_endpoint_keeps_the_request_at_home() {
    let cases = [
        (500, "", EgressError::Token("the endpoint answered 500".into())),
        (
            400,
            r#"{"error":"invalid_grant"}"#,
            EgressError::Credentials("the token endpoint refused the service account: invalid_grant".into()),
        ),
        (200, "nonsense", EgressError::Token("the endpoint's answer cannot be read".into())),
        (302, "", EgressError::Token("the endpoint answered 302".into())),
    ];
    for (status, body, expected) in cases {
        let server = Server::start(move |_, _| Reply::Answer(response(status, body))).await;
        let (_, options) = clock();
        let access = account(&server, &server.url("/token"));
        let error = push(&egress(options), &server, &access).await.unwrap_err();
        assert!(error.is_not_sent());
        assert_eq!(error, expected);
        assert_eq!(server.received().len(), 1);
    }
}

#[tokio::test]
async fn a_silent_token_endpoint_ends_as_a_missing_token() {
    let server = Server::start(|_, _| Reply::Hang).await;
    let access = account(&server, &server.url("/token"));
    let auth = AuthScheme::GoogleServiceAccount { key: "service_account".into(), scope: SCOPE.into() };
    let request = HttpRequest { auth, ..post(&server.url("/v1"), "{}") };
    let caller = Caller::Adapter { access: &access, hosts: &[] };
    let error = egress(dev()).perform(caller, request, Duration::from_millis(80)).await.unwrap_err();
    assert_eq!(error, EgressError::Token("no token arrived in time".into()));
}

#[tokio::test]
async fn the_token_endpoint_is_behind_the_same_guard() {
    let server = google(200).await;
    let options =
        || EgressOptions { allow_private: PrivateAccess::parse(&["127.0.0.1/32"]).unwrap(), ..dev() };
    let port = server.address.port();
    for endpoint in
        ["http://127.0.0.2", "http://[::1]", "https://169.254.169.254", "http://user@127.0.0.1", "ftp://a"]
    {
        let access = account(&server, &format!("{endpoint}:{port}/token"));
        let result = push(&egress(options()), &server, &access).await;
        assert!(matches!(result, Err(EgressError::Refused(_))), "{endpoint}: {result:?}");
    }
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn nothing_that_can_be_printed_shows_a_key_or_a_token() {
    let server = google(200).await;
    let (_, options) = clock();
    let printed_options = format!("{options:?}");
    let egress = egress(options);
    let access = account(&server, &server.url("/token"));
    push(&egress, &server, &access).await.unwrap();
    let printed = format!("{printed_options} {egress:?} {egress:#?} {access:?}");
    for secret in ["ya29", "PRIVATE KEY", "client_email", "iam.gserviceaccount.com"] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}

#[tokio::test]
async fn a_test_connection_asks_nobody_but_the_simulator_for_tokens() {
    let (simulator, elsewhere) = (google(200).await, google(200).await);
    let egress = egress(clock().1);
    let test = |token_uri: &str| {
        let mut access = account(&simulator, token_uri);
        Arc::make_mut(&mut access.connection).mode = Mode::Test;
        access
    };
    // The second one has no such setting: the key file names Google.
    for token_uri in [&elsewhere.url("/token"), ""] {
        let mut access = test(token_uri);
        if token_uri.is_empty() {
            Arc::make_mut(&mut access.connection).config.remove("token_uri");
        }
        let refused = push(&egress, &simulator, &access).await;
        assert!(matches!(refused, Err(EgressError::Refused(_))), "{refused:?}");
    }
    assert_eq!((elsewhere.received().len(), simulator.received().len()), (0, 0));
    push(&egress, &simulator, &test(&simulator.url("/token"))).await.unwrap();
    assert_eq!(seen(&simulator).1, 1);
}
