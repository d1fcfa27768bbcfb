//! Listening, and closing connections the way a script asks for.
//!
//! Connections are served by hyper directly, not by `axum::serve`: a service that fails makes hyper close the
//! connection without writing a status line, which is what "dropped before the answer" means. There is no
//! middleware, and nothing is traced per request: the simulator shares its machine with what it helps to
//! measure.

use std::{convert::Infallible, io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tower::Service;
use tracing::{info, warn};

use crate::{
    Accounts, SimulatorOptions,
    answer::CloseConnection,
    control, fcm,
    log::RequestLog,
    messente,
    receipts::Receipts,
    ses, twilio, vonage, whatsapp,
    world::{Scenario, World},
};

/// How long running requests may take to finish when the simulator stops.
const DRAIN: Duration = Duration::from_millis(500);
/// Before listening again when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why a simulator could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is taken or not ours.
    #[error("could not listen on {address}")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// The log file cannot be opened or read.
    #[error("could not open the request log {}", path.display())]
    Log {
        /// Where it should be.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// The HTTP client that sends receipts cannot be made.
    #[error("could not build the receipt client")]
    Client(#[source] reqwest::Error),
    /// An account or key is unusable.
    #[error("could not set up the simulated accounts: {0}")]
    Accounts(String),
}

/// Starts simulators.
#[derive(Clone, Copy, Debug)]
pub struct Simulator;

/// A simulator that listens until it is shut down or dropped.
#[derive(Debug)]
pub struct RunningSimulator {
    address: SocketAddr,
    world: Arc<World>,
    stop: watch::Sender<bool>,
    listener: JoinHandle<()>,
}

impl Simulator {
    /// Binds the address and starts serving on the current Tokio runtime; it is ready when this returns.
    ///
    /// Makes `ring` the process's TLS provider if there is none yet.
    ///
    /// # Errors
    /// [`Error`] says what could not be set up; nothing keeps running then.
    pub async fn start(options: SimulatorOptions) -> Result<RunningSimulator, Error> {
        // An earlier choice of the process stands.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listen_error = |cause| Error::Listen { address: options.listen, cause };
        let listener = TcpListener::bind(options.listen).await.map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let world = world(&options, address)?;
        let (stop, stopped) = watch::channel(false);
        let listener = tokio::spawn(accept(listener, router(Arc::clone(&world)), stopped));
        info!(server.address = %address, "simulator listening");
        Ok(RunningSimulator { address, world, stop, listener })
    }
}

impl RunningSimulator {
    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, for a connection's `base_url`; without a trailing slash.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.world.base_url
    }

    /// Subscribes an endpoint to an SNS topic, without the confirmation handshake. The topic is named by its
    /// ARN or by a configuration set, which is made if it does not exist. Subscribing twice is subscribing
    /// once.
    ///
    /// # Errors
    /// [`Error::Accounts`] if the endpoint is not a URL.
    pub fn subscribe_sns(&self, topic_or_set: &str, endpoint: &str) -> Result<(), Error> {
        subscribe(&self.world, topic_or_set, endpoint)
    }

    /// Adds accounts, replacing those with the same keys. A WhatsApp callback URL is asked in the background
    /// whether it wants webhooks, for a minute while nobody answers there; until then they wait.
    ///
    /// # Errors
    /// [`Error::Accounts`] if a service account or application has no usable key; then none is added.
    pub fn add_accounts(&self, accounts: Accounts) -> Result<(), Error> {
        self.world.add_accounts(accounts).map_err(|bad| Error::Accounts(bad.to_string()))
    }

    /// Stops listening, lets running requests finish for half a second, and drops receipts that wait.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        // The task ends only by returning; a panic in it was reported by the runtime.
        let _ = (&mut self.listener).await;
    }
}

impl Drop for RunningSimulator {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.listener.abort();
        self.world.receipts.stop();
    }
}

fn world(options: &SimulatorOptions, address: SocketAddr) -> Result<Arc<World>, Error> {
    let messages_max = options.log_detail.messages_max();
    let log = RequestLog::open(options.log.as_deref(), options.log_detail)
        .map_err(|cause| Error::Log { path: options.log.clone().unwrap_or_default(), cause })?;
    let ses =
        ses::Ses::new(messages_max, options.sns_signature).map_err(|bad| Error::Accounts(bad.to_string()))?;
    let world = Arc::new(World {
        log,
        receipts: Receipts::start().map_err(Error::Client)?,
        once: crate::world::Once::default(),
        twilio: twilio::Twilio::new(messages_max),
        ses,
        fcm: fcm::Fcm::new(),
        messente: messente::Messente::new(messages_max),
        vonage: vonage::Vonage::new(messages_max),
        whatsapp: whatsapp::WhatsApp::new(messages_max).map_err(Error::Client)?,
        base_url: base_url(options, address),
        scenario: parking_lot::RwLock::new(Scenario::new(options.receipt_delay)),
    });
    world.add_accounts(options.accounts.clone()).map_err(|bad| Error::Accounts(bad.to_string()))?;
    for (topic_or_set, endpoints) in &options.sns_endpoints {
        endpoints.iter().try_for_each(|endpoint| subscribe(&world, topic_or_set, endpoint))?;
    }
    Ok(world)
}

fn subscribe(world: &World, topic_or_set: &str, endpoint: &str) -> Result<(), Error> {
    let bad = |_| Error::Accounts(format!("the endpoint for {topic_or_set} is not a URL"));
    let endpoint = endpoint.parse().map_err(bad)?;
    let topics = &world.ses.topics;
    let topic = topics.topic_for(topic_or_set);
    let subscription = topics.subscribe(&topic, endpoint);
    topics.confirm(&topic, &subscription.token);
    Ok(())
}

fn base_url(options: &SimulatorOptions, address: SocketAddr) -> String {
    let configured = options.public_url.as_deref().map(|url| url.trim_end_matches('/').to_owned());
    configured.unwrap_or_else(|| format!("http://{address}"))
}

fn router(world: Arc<World>) -> Router {
    Router::new()
        .merge(twilio::routes())
        .merge(ses::routes())
        .merge(fcm::routes())
        .merge(messente::routes())
        .merge(vonage::routes())
        .merge(control::routes())
        .fallback(unknown_path)
        .with_state(world)
}

/// Answers as the provider that the path looks like.
async fn unknown_path(State(world): State<Arc<World>>, request: Request) -> Response {
    match request.uri().path() {
        path if whatsapp::owns(path) => whatsapp::answer(world, request).await,
        path if path.starts_with("/v2/email") => ses::unknown_operation().await,
        path if messente::owns(path) => messente::not_found(),
        path if vonage::owns(path) => vonage::not_found(),
        path if path.starts_with("/v1/") => fcm::unknown_method().await,
        _ => twilio::not_found(request.uri()),
    }
}

async fn accept(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, router.clone(), stopped.clone()));
                }
                Err(cause) => {
                    warn!(error = &cause as &dyn std::error::Error, "could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = stopped.changed() => break,
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    // What is still open hangs by script, or its caller keeps it; dropping the set closes it.
    let _ = tokio::time::timeout(DRAIN, drained).await;
}

/// A script asked for the connection to be closed instead of answered.
#[derive(Debug, thiserror::Error)]
#[error("connection closed by script")]
struct ClosedByScript;

async fn serve(stream: TcpStream, router: Router, mut stopped: watch::Receiver<bool>) {
    // Without it answers still arrive, only later.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let answered = router.clone().call(request);
        async move { answered.await.map_err(|never: Infallible| match never {}).and_then(or_close) }
    });
    let mut connection =
        std::pin::pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    // A connection that ends with an error was closed by its caller, or by a script; neither is worth a word.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

fn or_close(response: Response) -> Result<Response, ClosedByScript> {
    if response.extensions().get::<CloseConnection>().is_some() { Err(ClosedByScript) } else { Ok(response) }
}
