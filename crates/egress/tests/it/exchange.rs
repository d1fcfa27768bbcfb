//! What each way of failing proves.

use std::time::{Duration, Instant};

use hermes_egress::EgressOptions;
use hermes_ports::egress::EgressError;
use tokio::net::TcpListener;

use crate::support::{LONG, Reply, Server, dev, egress, get, ok, post, response, send, send_within};

/// An address at which nobody listens.
async fn closed_address() -> std::net::SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn a_request_arrives_as_it_was_asked_for_and_its_response_whole() {
    let answer = "HTTP/1.1 201 Created\r\nX-Id: 7\r\nx-id: 8\r\ncontent-length: 2\r\n\r\nhi";
    let server = Server::start(move |_, _| Reply::Answer(answer.to_owned())).await;
    let mut request = post(&server.url("/v1/messages?a=b%20c"), "text=%E2%82%AC");
    request.headers.push(("X-Reference".into(), "msg_1.1".into()));
    let response = send(&egress(dev()), request).await.unwrap();

    assert_eq!((response.status, response.body.as_ref()), (201, b"hi".as_slice()));
    assert_eq!(response.header("x-id"), Some("7"));
    let received = &server.received()[0];
    assert_eq!(received.line, "POST /v1/messages?a=b%20c HTTP/1.1");
    assert_eq!(received.body, "text=%E2%82%AC");
    let headers: Vec<_> =
        received.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let host = server.address.to_string();
    let expected = [
        ("accept", "*/*"),
        ("content-length", "14"),
        ("content-type", "text/plain"),
        ("host", &host),
        ("user-agent", concat!("hermes/", env!("CARGO_PKG_VERSION"))),
        ("x-reference", "msg_1.1"),
    ];
    assert_eq!(headers, expected);
}

#[tokio::test]
async fn a_refused_connection_proves_that_nothing_was_sent() {
    let url = format!("http://{}/", closed_address().await);
    let error = send(&egress(dev()), post(&url, "x")).await.unwrap_err();
    assert!(matches!(&error, EgressError::Connect(why) if why.contains("refused")), "{error:?}");
    assert!(error.is_not_sent());
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_a_connect_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let options = EgressOptions { connect_timeout: Duration::from_millis(50), ..dev() };
    let error = send(&egress(options), post(&url, "x")).await.unwrap_err();
    assert!(matches!(error, EgressError::Connect(_)), "{error:?}");
}

#[tokio::test]
async fn a_limit_that_ends_before_a_connection_is_there_proves_that_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let error = send_within(&egress(dev()), post(&url, "x"), Duration::from_millis(50)).await.unwrap_err();
    assert_eq!(error, EgressError::Connect("no connection within 50 ms".into()));
}

#[tokio::test]
async fn a_request_without_a_body_that_times_out_counts_as_sent() {
    let server = Server::start(|_, _| Reply::Hang).await;
    let limit = Duration::from_millis(50);
    let error = send_within(&egress(dev()), get(&server.url("/")), limit).await.unwrap_err();
    assert_eq!(error, EgressError::Timeout { limit_ms: 50 });
}

#[tokio::test]
async fn a_body_too_large_to_be_taken_at_once_counts_as_sent_when_it_stalls() {
    // The server reads nothing: the head and a part of the body are in its socket, the rest is not.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let large = post(&url, &"x".repeat(16 * 1024 * 1024));
    let error = send_within(&egress(dev()), large, Duration::from_millis(200)).await.unwrap_err();
    assert_eq!(error, EgressError::Timeout { limit_ms: 200 });
}

#[tokio::test]
async fn a_connection_dropped_after_the_request_is_lost() {
    let server = Server::start(|_, _| Reply::Close).await;
    let error = send(&egress(dev()), post(&server.url("/"), "x")).await.unwrap_err();
    assert!(matches!(error, EgressError::Lost(_)), "{error:?}");
    assert!(!error.is_not_sent());
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn a_response_that_breaks_off_is_lost() {
    let broken = [
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\n",
        "HTTP/1.1 200 OK\r\ncontent-le",
        "this is not HTTP\r\n\r\n",
    ];
    for text in broken {
        let server = Server::start(move |_, _| Reply::AnswerAndClose(text.to_owned())).await;
        let error = send(&egress(dev()), post(&server.url("/"), "x")).await.unwrap_err();
        assert!(matches!(error, EgressError::Lost(_)), "{text}: {error:?}");
    }
}

#[tokio::test]
async fn silence_ends_at_the_limit_also_in_the_middle_of_a_body() {
    let limit = Duration::from_millis(80);
    let silent = Server::start(|_, _| Reply::Hang).await;
    let halting =
        Server::start(|_, _| Reply::Answer("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf".into())).await;
    for server in [silent, halting] {
        let started = Instant::now();
        let error = send_within(&egress(dev()), post(&server.url("/"), "x"), limit).await.unwrap_err();
        assert_eq!(error, EgressError::Timeout { limit_ms: 80 });
        assert!(started.elapsed() >= limit && started.elapsed() < LONG / 2);
    }
}

#[tokio::test]
async fn a_response_above_the_limit_is_not_read_to_its_end() {
    let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400));
    let endless = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}", chunk.repeat(8));
    let announced = "HTTP/1.1 200 OK\r\ncontent-length: 5000000\r\n\r\n".to_owned();
    let headers = format!("HTTP/1.1 200 OK\r\nx-a: {}\r\ncontent-length: 0\r\n\r\n", "h".repeat(5000));
    for text in [endless, announced, headers] {
        let server = Server::start(move |_, _| Reply::Answer(text.clone())).await;
        let options = EgressOptions { response_max_bytes: 4096, ..dev() };
        let error = send(&egress(options), get(&server.url("/"))).await.unwrap_err();
        assert_eq!(error, EgressError::TooLarge { limit_bytes: 4096 });
        assert!(!error.is_not_sent());
    }
}

#[tokio::test]
async fn a_body_in_many_chunks_is_joined_in_order() {
    let parts: String = (0..40)
        .map(|n| format!("{:x}\r\n{}\r\n", 600, n.to_string().repeat(600)[..600].to_owned()))
        .collect();
    let text = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{parts}0\r\n\r\n");
    let server = Server::start(move |_, _| Reply::Answer(text.clone())).await;
    let body = send(&egress(dev()), get(&server.url("/"))).await.unwrap().body;
    let expected: String = (0..40).map(|n| n.to_string().repeat(600)[..600].to_owned()).collect();
    assert_eq!(body.as_ref(), expected.as_bytes());
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_an_order() {
    let target = Server::start(|_, _| ok("")).await;
    let location = target.url("/elsewhere");
    let server = Server::start(move |_, _| {
        Reply::Answer(format!("HTTP/1.1 307 X\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"))
    })
    .await;
    let response = send(&egress(dev()), post(&server.url("/"), "x")).await.unwrap();
    assert_eq!(
        (response.status, response.header("location")),
        (307, Some(target.url("/elsewhere").as_str()))
    );
    assert!(target.received().is_empty());
}

#[tokio::test]
async fn connections_are_kept_alive() {
    let server = Server::start(|_, before| ok(&before.to_string())).await;
    let egress = egress(dev());
    for expected in ["0", "1", "2"] {
        let response = send(&egress, post(&server.url("/"), "x")).await.unwrap();
        assert_eq!(response.body.as_ref(), expected.as_bytes());
    }
}

#[tokio::test]
async fn errors_repeat_neither_url_nor_content() {
    let closed = closed_address().await;
    let dropping = Server::start(|_, _| Reply::Close).await;
    let garbage = Server::start(|_, _| Reply::AnswerAndClose("HTTP/1.1 +37255512345\r\n\r\n".into())).await;
    let large = Server::start(|_, _| Reply::Answer(response(200, &"+37255512345".repeat(100)))).await;
    let origins = [format!("http://{closed}"), dropping.url(""), garbage.url(""), large.url("")];
    let egress = egress(EgressOptions { response_max_bytes: 100, ..dev() });
    for origin in origins {
        let url = format!("{origin}/numbers/+37255512345?to=%2B37255512345");
        let error = send(&egress, post(&url, "to +37255512345")).await.unwrap_err();
        assert!(!format!("{error:?} {error}").contains("37255512345"), "{error}");
    }
}
