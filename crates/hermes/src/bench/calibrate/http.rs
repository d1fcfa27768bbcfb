//! The least that an HTTP request costs here: an axum route that does nothing, driven by our own generator.

use std::{
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use axum::{Router, body::Bytes, http::header, routing::post, serve::ListenerExt as _};
use serde::Serialize;
use tokio::{net::TcpListener, sync::oneshot, task::LocalSet};

use crate::bench::{
    generator::{self, Run},
    options::{Load, Scenario, Until},
    process::thread_cpu,
    request::{Envelope, Template},
};

/// Connections, each with one request at a time.
const CONNECTIONS: usize = 32;
/// A reply of the size that the API sends.
const REPLY: &str = r#"{"created_at":"2026-01-02T03:04:05.678Z","expires_at":"2026-01-05T03:04:05.678Z","id":"msg_01KDYXPCWV0000000000000000","lane":"transactional","metadata":{},"plan":[{"channel":"sms","providers":["twilio"],"step":0,"success_on":"delivered","timeout_s":90}],"status":"accepted","tags":[],"warnings":[]}"#;

/// Both ends of a connection, each on a thread of its own.
#[derive(Debug, Serialize)]
pub(super) struct Bare {
    pub(super) requests_per_s: f64,
    /// Processor time per request of the serving thread, in microseconds.
    pub(super) server_us: Option<f64>,
    /// Likewise of the sending one.
    pub(super) generator_us: Option<f64>,
}

/// Sends for `length`.
///
/// # Errors
/// When nothing can be served on this machine.
pub(super) fn measure(length: Duration) -> anyhow::Result<Bare> {
    let (tell, told) = std::sync::mpsc::channel();
    let (stop, stopped) = oneshot::channel();
    let server =
        std::thread::Builder::new().name("calibrate".to_owned()).spawn(move || serve(&tell, stopped))?;
    let address = told.recv().context("the bare server did not start")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (cpu, started) = (thread_cpu(), Instant::now());
    let requests = LocalSet::new().block_on(&runtime, send(address, length));
    let (elapsed, generator) = (started.elapsed(), cpu.zip(thread_cpu()));
    drop(stop);
    let served = server.join().map_err(|_| anyhow::anyhow!("the bare server panicked"))??;
    anyhow::ensure!(requests > 0, "the bare server answered nothing");
    let each_us = |cpu: Duration| cpu.as_secs_f64() * 1e6 / requests as f64;
    Ok(Bare {
        requests_per_s: requests as f64 / elapsed.as_secs_f64(),
        server_us: served.map(each_us),
        generator_us: generator.map(|(before, after)| each_us(after.saturating_sub(before))),
    })
}

async fn send(address: SocketAddr, length: Duration) -> u64 {
    let load = Load::Closed { messages: CONNECTIONS, until: Until::Accepted };
    let run = Rc::new(Run::new(load, None));
    let host = address.to_string();
    let key = "hk_test_0123456789abcdefghij";
    let envelope = Envelope { host: &host, key, idempotency: None, lane: None, connection: None };
    generator::start(&run, address, &Template::new(Scenario::Sms, envelope), CONNECTIONS);
    run.begin();
    tokio::time::sleep(length).await;
    run.stop_sending();
    run.tickets.close();
    run.ledger.borrow().total.accepted
}

/// Serves until told to stop; returns the processor time that this thread took.
fn serve(
    tell: &std::sync::mpsc::Sender<SocketAddr>,
    stopped: oneshot::Receiver<()>,
) -> anyhow::Result<Option<Duration>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let before = thread_cpu();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        tell.send(listener.local_addr()?)?;
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let app = Router::new().route("/v1/messages", post(answer));
        tokio::select! {
            served = axum::serve(listener, app) => served.context("the bare server failed"),
            _ = stopped => Ok(()),
        }
    })?;
    Ok(before.zip(thread_cpu()).map(|(before, after)| after.saturating_sub(before)))
}

async fn answer(_: Bytes) -> (axum::http::StatusCode, [(header::HeaderName, &'static str); 1], &'static str) {
    (axum::http::StatusCode::ACCEPTED, [(header::CONTENT_TYPE, "application/json")], REPLY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_gets_answers_from_a_real_server() {
        let bare = measure(Duration::from_millis(100)).unwrap();
        assert!(bare.requests_per_s > 10.0, "{bare:?}");
        assert!(bare.generator_us.is_none_or(|us| us > 0.0));
    }
}
