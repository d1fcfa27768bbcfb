//! CPU time of one call on the loopback interface: `cargo bench -p hermes-egress`.
//!
//! The budget is 55 µs. Counted is the CPU time of the client's thread alone (Linux); the server runs on
//! another one.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use hermes_domain::{ConnectionId, UnixMillis, address::Channel, connection::Connection, message::Mode};
use hermes_egress::{EgressOptions, HttpEgress, PrivateAccess};
use hermes_ports::{
    adapter::{ConnectionAccess, Secrets},
    egress::{Caller, Egress as _},
    http::{AuthScheme, HttpRequest, Method, RequestEffect},
};

const WARM_UP: u32 = 2_000;
const CALLS: u32 = 20_000;
const BODY: &str =
    "To=%2B37255512345&From=Hermes&Body=Your+code+is+123456&StatusCallback=https%3A%2F%2Fhermes.example";

fn main() {
    let address = start_server();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let sigv4 = AuthScheme::AwsSigV4 {
        access_key_id: "user".into(),
        secret_access_key: "password".into(),
        session_token: "none".into(),
        region: "eu-west-1".into(),
        service: "ses".into(),
    };
    let basic = AuthScheme::Basic { user: "user".into(), password: "password".into() };
    for (name, auth) in [("none", AuthScheme::None), ("basic", basic), ("sigv4", sigv4)] {
        runtime.block_on(measure(name, address, auth));
    }
}

async fn measure(name: &str, address: SocketAddr, auth: AuthScheme) {
    let options = EgressOptions {
        allow_private: PrivateAccess::Loopback,
        allow_http: true,
        ..EgressOptions::default()
    };
    let egress = HttpEgress::new(options).expect("certificate authorities");
    let access = access(address);
    let (mut cpu, mut started) = (cpu_time(), Instant::now());
    for call in 0..WARM_UP + CALLS {
        if call == WARM_UP {
            (cpu, started) = (cpu_time(), Instant::now());
        }
        let caller = Caller::Adapter { access: &access, hosts: &[] };
        let response = egress.perform(caller, request(address, auth.clone()), Duration::from_secs(10)).await;
        assert_eq!(response.expect("an answer").status, 201);
    }
    let (cpu, wall) = ((cpu_time() - cpu) / CALLS, started.elapsed() / CALLS);
    println!("{name:>6}: {cpu:?} CPU, {wall:?} wall per call");
}

fn request(address: SocketAddr, auth: AuthScheme) -> HttpRequest {
    HttpRequest {
        method: Method::Post,
        url: format!("http://{address}/2010-04-01/Accounts/AC1/Messages.json"),
        headers: vec![("content-type".into(), "application/x-www-form-urlencoded".into())],
        body: Bytes::from_static(BODY.as_bytes()),
        auth,
        effect: RequestEffect::Submits,
    }
}

fn access(address: SocketAddr) -> ConnectionAccess {
    let at = UnixMillis(1_767_323_045_000);
    let connection = Connection {
        id: ConnectionId::new(at, 7),
        tenant: None,
        mode: Mode::Live,
        provider: "twilio".into(),
        name: "main".into(),
        channel: Channel::Sms,
        config: BTreeMap::from([("base_url".to_owned(), format!("http://{address}").into())]),
        rate_per_s: None,
        held: false,
        created_at: at,
    };
    let secrets = [("user", "AC0123456789"), ("password", "0123456789abcdef")];
    let secrets = secrets.map(|(name, value)| (name.to_owned(), value.to_owned()));
    ConnectionAccess { connection: Arc::new(connection), secrets: Arc::new(Secrets(secrets.into())) }
}

/// Answers whatever arrives in one read; the requests here are small enough for that.
fn start_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let answer = b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 45\r\n\r\n\
        {\"sid\":\"SM0123456789\",\"status\":\"queued\",\"e\":0}";
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).is_ok_and(|read| read > 0) && stream.write_all(answer).is_ok()
                {
                }
            });
        }
    });
    address
}

/// CPU time of this thread since it began.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let spent_ns = text.split(' ').next().and_then(|field| field.parse().ok()).expect("nanoseconds first");
    Duration::from_nanos(spent_ns)
}
