//! Small raw servers, and calls to them.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use hermes_domain::{ConnectionId, UnixMillis, address::Channel, connection::Connection, message::Mode};
use hermes_egress::{EgressOptions, HttpEgress, Lookup, PrivateAccess};
use hermes_ports::{
    adapter::{ConnectionAccess, Secrets},
    egress::{Caller, Egress as _, EgressError},
    http::{AuthScheme, HttpRequest, HttpResponse, Method, RequestEffect},
};
use std::sync::Mutex;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Longer than any exchange here takes.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A request as a server read it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received {
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// What a server does with a request.
pub(crate) enum Reply {
    /// Writes this and waits for the next request.
    Answer(String),
    /// Writes this and closes.
    AnswerAndClose(String),
    /// Closes without a word.
    Close,
    /// Keeps the connection open and silent.
    Hang,
}

/// `200` with a body.
pub(crate) fn ok(body: &str) -> Reply {
    Reply::Answer(response(200, body))
}

pub(crate) fn response(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// A server on a free port of 127.0.0.1; it ends with this value.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Answers each request by `reply`, which is given the request and how many came before on its connection.
    pub(crate) async fn start<F>(reply: F) -> Self
    where
        F: Fn(&Received, usize) -> Reply + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (reply, log) = (Arc::new(reply), Arc::clone(&received));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&reply), Arc::clone(&log)));
            }
        });
        Self { address, received, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve<F: Fn(&Received, usize) -> Reply>(
    mut stream: TcpStream,
    reply: Arc<F>,
    log: Arc<Mutex<Vec<Received>>>,
) {
    for before in 0.. {
        let Some(request) = read_request(&mut stream).await else { return };
        log.lock().unwrap().push(request.clone());
        match reply(&request, before) {
            Reply::Answer(text) => drop(stream.write_all(text.as_bytes()).await),
            Reply::AnswerAndClose(text) => return drop(stream.write_all(text.as_bytes()).await),
            Reply::Close => return,
            Reply::Hang => std::future::pending().await,
        }
    }
}

/// Reads one request, or `None` at the end of the stream.
pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Received> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.split("\r\n");
    let line = lines.next()?.to_owned();
    let pairs = lines.filter_map(|line| line.split_once(": "));
    let headers: BTreeMap<_, _> =
        pairs.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Received { line, headers, body: String::from_utf8(body).unwrap() })
}

/// Development settings: plain HTTP to this machine.
pub(crate) fn dev() -> EgressOptions {
    EgressOptions {
        allow_private: PrivateAccess::Loopback,
        webhook_allow_private: PrivateAccess::Loopback,
        allow_http: true,
        ..EgressOptions::default()
    }
}

pub(crate) fn egress(options: EgressOptions) -> HttpEgress {
    HttpEgress::new(options).unwrap()
}

/// A connection with these settings and credentials.
pub(crate) fn access(config: &[(&str, &str)], secrets: &[(&str, &str)]) -> ConnectionAccess {
    let at = UnixMillis(1_767_323_045_000);
    let connection = Connection {
        id: ConnectionId::new(at, 7),
        tenant: None,
        mode: Mode::Live,
        provider: "twilio".into(),
        name: "main".into(),
        channel: Channel::Sms,
        config: config.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect(),
        rate_per_s: None,
        held: false,
        created_at: at,
    };
    let secrets = secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    ConnectionAccess { connection: Arc::new(connection), secrets: Arc::new(Secrets(secrets)) }
}

pub(crate) fn get(url: &str) -> HttpRequest {
    HttpRequest {
        method: Method::Get,
        url: url.to_owned(),
        headers: Vec::new(),
        body: Bytes::new(),
        auth: AuthScheme::None,
        effect: RequestEffect::Safe,
    }
}

pub(crate) fn post(url: &str, body: &str) -> HttpRequest {
    HttpRequest {
        method: Method::Post,
        headers: vec![("content-type".into(), "text/plain".into())],
        body: Bytes::from(body.to_owned()),
        effect: RequestEffect::Submits,
        ..get(url)
    }
}

/// Sends `request` for an adapter whose connection has the request's own origin as `base_url`.
pub(crate) async fn send(egress: &HttpEgress, request: HttpRequest) -> Result<HttpResponse, EgressError> {
    send_within(egress, request, LONG).await
}

pub(crate) async fn send_within(
    egress: &HttpEgress,
    request: HttpRequest,
    limit: Duration,
) -> Result<HttpResponse, EgressError> {
    let access = access(&[("base_url", &request.url)], &[]);
    egress.perform(Caller::Adapter { access: &access, hosts: &[] }, request, limit).await
}

/// Sends `request` as a tenant's webhook.
pub(crate) async fn notify(egress: &HttpEgress, request: HttpRequest) -> Result<HttpResponse, EgressError> {
    egress.perform(Caller::TenantWebhook, request, LONG).await
}

/// Answers each lookup with the next of its answers; the last one stays.
#[derive(Debug)]
pub(crate) struct Answers(pub(crate) Mutex<Vec<&'static str>>);

impl Answers {
    pub(crate) fn of(answers: &[&'static str]) -> Option<Arc<dyn Lookup>> {
        Some(Arc::new(Self(Mutex::new(answers.to_vec()))))
    }
}

#[async_trait::async_trait]
impl Lookup for Answers {
    async fn addresses(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        let mut answers = self.0.lock().unwrap();
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0] };
        Ok(vec![answer.parse().unwrap()])
    }
}
