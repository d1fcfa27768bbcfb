//! Proxies named by the environment are ignored: they would resolve names behind the guard's back.

use std::process::Command;

use crate::support::{Server, dev, egress, get, ok, send};

/// Runs in a process of its own, because a process' environment is not a test's to change.
#[test]
fn proxies_of_the_environment_are_ignored() {
    let dead = "http://127.0.0.1:9";
    let names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "proxy::a_call_under_a_dead_proxy", "--ignored"])
        .envs(names.map(|name| (name, dead)))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .status();
    assert!(status.unwrap().success());
}

#[tokio::test]
#[ignore = "run by the test above, with proxies in its environment"]
async fn a_call_under_a_dead_proxy() {
    assert_eq!(std::env::var("HTTP_PROXY").as_deref(), Ok("http://127.0.0.1:9"));
    let server = Server::start(|_, _| ok("")).await;
    assert_eq!(send(&egress(dev()), get(&server.url("/"))).await.unwrap().status, 200);
}
