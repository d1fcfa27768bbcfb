//! Listening, signals, and the orderly end.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use axum::serve::ListenerExt as _;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tracing::{info, warn};

use super::{Assembly, key_uses, memory, retention};

/// Runs `future` on a runtime of this process's own.
///
/// # Errors
/// Those of the future, and when no runtime can be had.
pub(crate) fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .on_thread_park(memory::give_back)
        .build()
        .context("could not start the runtime")?;
    runtime.block_on(future)
}

/// Serves until SIGTERM or SIGINT, then drains: stops accepting, finishes or puts on record what runs,
/// closes the store. A root that gives up ends the process with an error.
///
/// # Errors
/// When the listener fails or the actors' root gave up.
pub(crate) async fn serve(listener: TcpListener, assembly: Assembly, drain: Duration) -> anyhow::Result<()> {
    let Assembly { router, parked_receipts, batches, system, stores, directory, clock, draining, .. } =
        assembly;
    let parked_receipts = tokio::spawn(parked_receipts.run());
    let batches = tokio::spawn(batches.run());
    let key_uses = tokio::spawn(key_uses::keep(Arc::clone(&directory), clock));
    let retention = tokio::spawn(retention::keep(Arc::clone(&directory), Arc::clone(&stores.retention)));
    let (stop, stopped) = watch::channel(false);
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let mut stopping = stopped.clone();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        let _ = stopping.wait_for(|stop| *stop).await; // A dropped sender means stop as well.
    });
    let mut server = tokio::spawn(async move { server.await });
    let gave_up = tokio::select! {
        asked = asked_to_stop() => { asked?; None }
        ended = system.ended() => Some(ended),
        failed = &mut server => return failed.context("the server task ended")?.context("the server failed"),
    };
    draining.store(true, Ordering::Release);
    stop.send_replace(true);
    if let Some(Err(cause)) = gave_up {
        return Err(cause).context("the actors' root gave up");
    }
    info!(limit_s = drain.as_secs(), "draining");
    let watchdog = tokio::spawn(give_up_after(drain));
    if tokio::time::timeout(drain / 3, &mut server).await.is_err() {
        warn!("some clients kept their requests open; they are cut off");
        server.abort();
    }
    parked_receipts.abort();
    batches.abort();
    key_uses.abort();
    retention.abort();
    key_uses::record(&directory, clock).await;
    system.drain(drain / 2).await;
    stores.close().await;
    watchdog.abort();
    info!("drained");
    Ok(())
}

/// Returns when SIGTERM or SIGINT arrives.
///
/// # Errors
/// When the signals cannot be listened for.
pub(crate) async fn asked_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("could not listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("could not listen for SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Everything that matters is on record, so ending late is worse than ending hard.
async fn give_up_after(limit: Duration) {
    tokio::time::sleep(limit.saturating_sub(Duration::from_secs(1))).await;
    warn!("drain took too long, ending now");
    std::process::exit(0);
}

/// Binds `address`; with `fallback`, a busy port gives way to a free one.
///
/// # Errors
/// When the address cannot be bound.
pub(crate) async fn bind(address: SocketAddr, fallback: bool) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) if fallback && error.kind() == std::io::ErrorKind::AddrInUse => {
            let free = SocketAddr::new(address.ip(), 0);
            let listener =
                TcpListener::bind(free).await.with_context(|| format!("could not listen on {free}"))?;
            eprintln!("{address} is in use, listening on {} instead", listener.local_addr()?);
            Ok(listener)
        }
        Err(error) => Err(error).with_context(|| format!("could not listen on {address}")),
    }
}

/// A flag that readiness looks at.
pub(crate) fn flag() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(false))
}
