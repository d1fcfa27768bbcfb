//! SIGTERM under load: drains in time, and nothing is lost.

use std::time::{Duration, Instant};

use crate::server::{Server, StartOptions, sms};

#[tokio::test]
async fn a_drain_under_load_loses_nothing() {
    let mut server = Server::start();
    let mut accepted = Vec::new();
    for index in 0..200u32 {
        let ending = if index % 10 == 0 { "9903" } else { "0001" };
        accepted.push(server.send(&sms(ending, 20)).await);
    }
    let asked = Instant::now();
    server.terminate();
    assert!(server.wait_for_end(Duration::from_secs(30)), "it did not end within 30 s");
    let drained = asked.elapsed();
    server.restart(&StartOptions::default()).expect("the server starts again");
    for id in &accepted {
        let message = server.ended(id, Duration::from_secs(40)).await;
        assert_eq!(message["status"], "delivered", "{message}");
        assert!(server.requests_of(id).await.iter().all(|(_, received, _)| *received == 1));
    }
    println!("drained in {drained:?}");
}
