//! Nothing reaches places that only this machine can reach.

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use hermes_egress::{EgressOptions, HttpEgress, Lookup, PrivateAccess};
use hermes_ports::egress::EgressError;

use crate::support::{Answers, Reply, Server, dev, egress, get, notify, ok, post, response, send};

fn production() -> EgressOptions {
    EgressOptions::default()
}

fn assert_refused<T: std::fmt::Debug>(result: Result<T, EgressError>, what: &str) {
    assert!(matches!(result, Err(EgressError::Refused(_))), "{what}: {result:?}");
}

const INWARD: [&str; 22] = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0x7f.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "0.0.0.0",
    "[::]",
    "169.254.169.254",
    "10.0.0.1",
    "192.168.1.1",
    "172.31.0.1",
    "100.64.0.1",
    "[fd00::1]",
    "[fe80::1]",
    "224.0.0.1",
];

#[tokio::test]
async fn literal_addresses_are_refused_in_every_spelling() {
    let (strict, http_without_private) =
        (egress(production()), egress(EgressOptions { allow_http: true, ..production() }));
    for host in INWARD {
        assert_refused(send(&strict, get(&format!("https://{host}/"))).await, host);
        assert_refused(notify(&strict, get(&format!("https://{host}:8443/"))).await, host);
        assert_refused(send(&http_without_private, get(&format!("http://{host}/"))).await, host);
        assert_refused(notify(&http_without_private, get(&format!("http://{host}/"))).await, host);
    }
}

#[tokio::test]
async fn names_of_this_machine_are_refused() {
    let server = Server::start(|_, _| ok("")).await;
    let port = server.address.port();
    for host in ["localhost", "LOCALHOST"] {
        let egress = egress(EgressOptions { allow_http: true, ..production() });
        assert_refused(send(&egress, get(&format!("http://{host}:{port}/"))).await, host);
        assert_refused(notify(&egress, get(&format!("https://{host}:{port}/"))).await, host);
    }
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_name_is_judged_by_the_addresses_behind_it() {
    for address in ["169.254.169.254", "10.1.2.3", "::1", "::ffff:127.0.0.1", "fd00::1", "2002:7f00:1::1"] {
        let egress = egress(EgressOptions { lookup: Answers::of(&[address]), ..production() });
        assert_refused(send(&egress, get("https://innocent.example/")).await, address);
        assert_refused(notify(&egress, get("https://innocent.example/")).await, address);
    }
}

#[tokio::test]
async fn a_name_that_changes_its_address_is_judged_again() {
    let server = Server::start(|_, _| Reply::AnswerAndClose(close_response())).await;
    let egress = egress(EgressOptions {
        allow_private: PrivateAccess::parse(&["127.0.0.1/32"]).unwrap(),
        allow_http: true,
        lookup: Answers::of(&["127.0.0.1", "127.0.0.2"]),
        ..production()
    });
    let url = format!("http://rebinding.example:{}/", server.address.port());
    assert_eq!(send(&egress, get(&url)).await.unwrap().status, 200);
    assert_refused(send(&egress, get(&url)).await, "second lookup");
}

fn close_response() -> String {
    response(200, "").replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn plain_http_is_for_opened_addresses_only() {
    assert_refused(send(&egress(production()), get("http://api.example.com/")).await, "production");
    let development = egress(EgressOptions { lookup: Answers::of(&["93.184.216.34"]), ..dev() });
    assert_refused(send(&development, get("http://api.example.com/")).await, "public name");
    assert_refused(send(&development, get("http://93.184.216.34/")).await, "public address");
    for scheme in ["ftp", "file", "ws", "gopher"] {
        assert_refused(notify(&development, get(&format!("{scheme}://127.0.0.1/"))).await, scheme);
    }
}

#[tokio::test]
async fn what_is_opened_for_adapters_stays_closed_for_webhooks() {
    let server = Server::start(|_, _| ok("")).await;
    let half_open = egress(EgressOptions { webhook_allow_private: PrivateAccess::None, ..dev() });
    let url = server.url("/");
    assert_eq!(send(&half_open, post(&url, "x")).await.unwrap().status, 200);
    // The adapter's connection idles in its pool by now and must not be found there.
    assert_refused(notify(&half_open, post(&url, "x")).await, "literal");
    let by_name = format!("http://localhost:{}/", server.address.port());
    assert_eq!(send(&half_open, post(&by_name, "x")).await.unwrap().status, 200);
    assert_refused(notify(&half_open, post(&by_name, "x")).await, "name");
    assert_eq!(server.received().len(), 2);
}

/// Answers each lookup with the next of its answers and then with nothing but this machine; counts them.
#[derive(Debug)]
struct Rebinding {
    answers: Mutex<Vec<Vec<&'static str>>>,
    asked: AtomicUsize,
}

#[async_trait::async_trait]
impl Lookup for Rebinding {
    async fn addresses(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.is_empty() { vec!["127.0.0.2"] } else { answers.remove(0) };
        Ok(answer.into_iter().map(|address| address.parse().unwrap()).collect())
    }
}

/// Webhooks may reach 127.0.0.1 alone: it stands for the internet, and the rest of 127/8 for this machine.
fn rebinding(answers: &[&[&'static str]]) -> (HttpEgress, Arc<Rebinding>) {
    let answers = answers.iter().map(|answer| answer.to_vec()).collect();
    let lookup = Arc::new(Rebinding { answers: Mutex::new(answers), asked: AtomicUsize::new(0) });
    let egress = egress(EgressOptions {
        webhook_allow_private: PrivateAccess::parse(&["127.0.0.1/32"]).unwrap(),
        allow_http: true,
        lookup: Some(lookup.clone()),
        ..production()
    });
    (egress, lookup)
}

#[tokio::test]
async fn the_address_that_was_judged_is_the_one_that_is_connected_to() {
    let server = Server::start(|_, _| ok("")).await;
    let (egress, lookup) = rebinding(&[&["127.0.0.1"]]);
    let url = format!("http://rebinding.example:{}/", server.address.port());
    // A second question between judgement and connection would be answered with the other address.
    assert_eq!(notify(&egress, post(&url, "x")).await.unwrap().status, 200);
    assert_eq!(lookup.asked.load(Ordering::SeqCst), 1);
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn a_webhook_whose_name_changes_its_address_is_judged_for_each_connection() {
    let server = Server::start(|_, _| Reply::AnswerAndClose(close_response())).await;
    let (egress, lookup) = rebinding(&[&["127.0.0.1"], &["10.0.0.1"], &["169.254.169.254"], &["127.0.0.1"]]);
    let url = format!("http://rebinding.example:{}/", server.address.port());
    assert_eq!(notify(&egress, post(&url, "x")).await.unwrap().status, 200);
    assert_refused(notify(&egress, post(&url, "x")).await, "a private network");
    assert_refused(notify(&egress, post(&url, "x")).await, "a metadata service");
    assert_eq!(notify(&egress, post(&url, "x")).await.unwrap().status, 200);
    assert_refused(notify(&egress, post(&url, "x")).await, "this machine");
    assert_eq!((lookup.asked.load(Ordering::SeqCst), server.received().len()), (5, 2));
}

#[tokio::test]
async fn of_several_addresses_only_those_that_are_allowed_are_tried() {
    let server = Server::start(|_, _| ok("")).await;
    let forbidden =
        ["127.0.0.2", "::1", "::ffff:127.0.0.3", "64:ff9b::7f00:4", "2002:7f00:5::1", "127.0.0.1"];
    let (egress, _) = rebinding(&[&forbidden, &forbidden[..5]]);
    let url = format!("http://many.example:{}/", server.address.port());
    assert_eq!(notify(&egress, post(&url, "x")).await.unwrap().status, 200);
    let other = url.replace("many", "none");
    assert_refused(notify(&egress, post(&other, "x")).await, "none of them is allowed");
}

#[tokio::test]
async fn a_webhook_follows_no_redirect() {
    let target = Server::start(|_, _| ok("")).await;
    let location = target.url("/elsewhere");
    for status in [301, 302, 303, 307, 308] {
        let location = location.clone();
        let server = Server::start(move |_, _| {
            Reply::Answer(format!("HTTP/1.1 {status} X\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"))
        })
        .await;
        assert_eq!(notify(&egress(dev()), post(&server.url("/"), "x")).await.unwrap().status, status);
    }
    assert!(target.received().is_empty());
}

#[tokio::test]
async fn webhooks_go_to_ports_that_serve_http() {
    let egress = egress(EgressOptions { lookup: Answers::of(&["127.0.0.1"]), ..production() });
    let why = |result: Result<_, EgressError>| match result {
        Err(EgressError::Refused(why)) => why,
        other => panic!("{other:?}"),
    };
    for port in [1, 21, 22, 25, 53, 110, 445, 465, 587, 1023, 1720, 2049, 6000, 6667, 10_080] {
        let url = format!("https://innocent.example:{port}/");
        assert_eq!(why(notify(&egress, get(&url)).await), "the port is not one for webhooks", "{port}");
    }
    for port in [80, 443, 1024, 8080, 8443, 65_535] {
        let url = format!("https://innocent.example:{port}/");
        assert_ne!(why(notify(&egress, get(&url)).await), "the port is not one for webhooks", "{port}");
    }
}
