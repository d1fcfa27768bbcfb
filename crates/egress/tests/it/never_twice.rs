//! A request is written at most once, however connections end.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use hermes_egress::HttpEgress;
use hermes_ports::egress::EgressError;
use tokio::task::JoinSet;

use crate::support::{Reply, Server, dev, egress, ok, post, response, send};

/// Sends `count` numbered requests, `abreast` at a time; answers how many got a response.
async fn send_numbered(egress: &Arc<HttpEgress>, url: &str, count: usize, abreast: usize) -> usize {
    let (next, answered) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut senders = JoinSet::new();
    for _ in 0..abreast {
        let (egress, url) = (Arc::clone(egress), url.to_owned());
        let (next, answered) = (Arc::clone(&next), Arc::clone(&answered));
        senders.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::SeqCst);
                if number >= count {
                    return;
                }
                match send(&egress, post(&url, &number.to_string())).await {
                    Ok(_) => drop(answered.fetch_add(1, Ordering::SeqCst)),
                    Err(EgressError::Lost(_)) => {}
                    Err(other) => panic!("neither answered nor lost: {other:?}"),
                }
            }
        });
    }
    senders.join_all().await;
    answered.load(Ordering::SeqCst)
}

/// That no two requests of `server` carried the same number.
fn assert_each_once(server: &Server) {
    let mut seen = HashSet::new();
    for request in server.received() {
        assert!(seen.insert(request.body.clone()), "request {} was sent twice", request.body);
    }
}

#[tokio::test]
async fn a_reused_connection_that_closes_on_the_request_is_lost_and_not_tried_again() {
    let server = Server::start(|_, before| if before == 0 { ok("") } else { Reply::Close }).await;
    let egress = Arc::new(egress(dev()));
    send(&egress, post(&server.url("/"), "first")).await.unwrap();
    let error = send(&egress, post(&server.url("/"), "second")).await.unwrap_err();
    assert!(matches!(error, EgressError::Lost(_)), "{error:?}");
    let bodies: Vec<_> = server.received().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies, ["first", "second"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_that_the_server_closes_never_lead_to_a_second_copy() {
    let server = Server::start(|_, _| Reply::AnswerAndClose(response(200, ""))).await;
    let egress = Arc::new(egress(dev()));
    let answered = send_numbered(&egress, &server.url("/"), 400, 4).await;
    assert_each_once(&server);
    // A response was sent for every request that was read.
    assert!(answered <= server.received().len());
    assert!(answered > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_break_at_random_never_lead_to_a_second_copy() {
    let turns = AtomicUsize::new(0);
    let server = Server::start(move |_, _| match turns.fetch_add(1, Ordering::SeqCst) % 5 {
        0 | 3 => ok(""),
        1 => Reply::Close,
        2 => Reply::AnswerAndClose(response(200, "")),
        _ => Reply::AnswerAndClose("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx".into()),
    })
    .await;
    let egress = Arc::new(egress(dev()));
    send_numbered(&egress, &server.url("/"), 400, 8).await;
    assert_each_once(&server);
}

#[tokio::test]
async fn statuses_that_invite_a_retry_are_handed_over() {
    for status in [408, 421, 425, 429, 500, 503] {
        let server = Server::start(move |_, _| Reply::Answer(response(status, ""))).await;
        let answer = send(&egress(dev()), post(&server.url("/"), "x")).await.unwrap();
        assert_eq!((answer.status, server.received().len()), (status, 1));
    }
}
