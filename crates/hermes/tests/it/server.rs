//! A server and a simulator, each in a process of its own.

use std::{
    fs::OpenOptions,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a process may take to be ready.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// A client without idle connections: they would not outlive the server that they lead to.
fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
    builder.timeout(Duration::from_secs(20)).build().unwrap()
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn hermes() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hermes"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn first_line(stdout: ChildStdout) -> Option<String> {
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).ok().filter(|read| *read > 0)?;
    Some(line.trim().to_owned())
}

/// A process that ends with the test.
#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A simulator that is never killed within a test.
#[derive(Debug)]
pub(crate) struct Simulator {
    _process: Process,
    pub(crate) url: String,
}

impl Simulator {
    pub(crate) fn start(log: &Path) -> Self {
        let mut child = hermes()
            .args(["simulator", "--listen", "127.0.0.1:0", "--log"])
            .arg(log)
            .spawn()
            .expect("the simulator starts");
        let url = child.stdout.take().and_then(first_line).expect("the simulator prints its URL");
        Self { _process: Process(child), url }
    }
}

/// What one run of the server is started with.
#[derive(Debug, Default, Clone)]
pub(crate) struct StartOptions {
    pub(crate) env: Vec<(String, String)>,
    /// Where its log is appended.
    pub(crate) log: Option<PathBuf>,
}

impl StartOptions {
    fn stderr(&self) -> Stdio {
        let Some(path) = &self.log else { return Stdio::null() };
        OpenOptions::new().create(true).append(true).open(path).expect("a log file can be made").into()
    }
}

/// A server that can be killed and started again on the same data and the same port.
#[derive(Debug)]
pub(crate) struct Server {
    process: Option<Process>,
    pub(crate) simulator: Simulator,
    pub(crate) data: PathBuf,
    pub(crate) api: String,
    pub(crate) tenant_key: String,
    pub(crate) admin_key: String,
    pub(crate) client: reqwest::Client,
    port: u16,
    launch: Launch,
    _dir: TempDir,
}

/// Which command serves.
#[derive(Debug)]
pub(crate) enum Launch {
    /// `hermes dev`, which makes a tenant and connections.
    Dev,
    /// `hermes serve` with this configuration.
    Serve { config: PathBuf },
}

/// What a configuration has to name.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) port: u16,
    pub(crate) data: &'a Path,
    pub(crate) simulator: &'a str,
}

/// One request on a connection of its own.
fn says_ready(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200 "))
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(&StartOptions::default())
    }

    pub(crate) fn start_with(options: &StartOptions) -> Self {
        let mut server = Self::new(|_| Launch::Dev);
        server.restart(options).expect("the server starts");
        server
    }

    /// A server that [`Self::restart`] has yet to start.
    pub(crate) fn new(launch: impl FnOnce(&Plan<'_>) -> Launch) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default(); // Once per process.
        let dir = TempDir::new().unwrap();
        let simulator = Simulator::start(&dir.path().join("requests.jsonl"));
        let (port, data) = (free_port(), dir.path().join("data"));
        let launch = launch(&Plan { dir: dir.path(), port, data: &data, simulator: &simulator.url });
        Self {
            process: None,
            simulator,
            data,
            api: format!("http://127.0.0.1:{port}"),
            tenant_key: String::new(),
            admin_key: String::new(),
            client: client(),
            port,
            launch,
            _dir: dir,
        }
    }

    /// Starts the process again; `None` when it ended before it was ready (a kill point may do that).
    pub(crate) fn restart(&mut self, options: &StartOptions) -> Option<Duration> {
        let started = Instant::now();
        let mut command = hermes();
        match &self.launch {
            Launch::Dev => {
                let listen = format!("127.0.0.1:{}", self.port);
                command.args(["dev", "--json", "--listen", &listen, "--simulator-url", &self.simulator.url]);
                command.arg("--data").arg(&self.data);
            }
            Launch::Serve { config } => drop(command.arg("serve").arg("--config").arg(config)),
        }
        let mut child = command
            .env("HERMES__TELEMETRY__LOG", "warn")
            .envs(options.env.iter().map(|(name, value)| (name.as_str(), value.as_str())))
            .stderr(options.stderr())
            .spawn()
            .expect("the server process starts");
        let stdout = child.stdout.take().unwrap();
        self.process = Some(Process(child));
        match self.launch {
            Launch::Dev => {
                let ready: Value = serde_json::from_str(&first_line(stdout)?).expect("one line of JSON");
                self.tenant_key = ready["tenant_key"].as_str().unwrap().to_owned();
                self.admin_key = ready["admin_key"].as_str().unwrap().to_owned();
            }
            Launch::Serve { .. } => self.until_ready()?,
        }
        assert!(started.elapsed() < READY_LIMIT);
        Some(started.elapsed())
    }

    /// Asks until the server says that it is ready; `None` when the process ends first.
    fn until_ready(&mut self) -> Option<()> {
        let until = Instant::now() + READY_LIMIT;
        while !says_ready(self.port).unwrap_or(false) {
            let ended = self.process.as_mut()?.0.try_wait().unwrap().is_some();
            if ended {
                return None;
            }
            assert!(Instant::now() < until, "not ready within {READY_LIMIT:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.as_ref().map_or(0, |process| process.0.id())
    }

    /// SIGKILL, and waits until the process is gone.
    pub(crate) fn kill(&mut self) {
        self.process = None; // Dropping a process kills it.
    }

    /// Waits for the process to end by itself; `false` when it did not within `limit`.
    pub(crate) fn wait_for_end(&mut self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        while Instant::now() < until {
            match self.process.as_mut().map(|process| process.0.try_wait()) {
                Some(Ok(None)) => std::thread::sleep(Duration::from_millis(5)),
                Some(_) | None => return true,
            }
        }
        false
    }

    /// Waits for the process to end by itself; its exit code, `None` when it did not end within `limit`.
    pub(crate) fn exit_code(&mut self, limit: Duration) -> Option<i32> {
        let until = Instant::now() + limit;
        while Instant::now() < until {
            match self.process.as_mut()?.0.try_wait().unwrap() {
                Some(status) => return status.code(),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        None
    }

    /// Waits until the simulator knows where callbacks go: some are confirmed by calls to the server.
    pub(crate) async fn callbacks_are_set_up(&self) {
        let until = Instant::now() + READY_LIMIT;
        loop {
            let topics = self.simulator_get("/sim/subscriptions").await;
            let confirmed = |topic: &Value| topic["confirmed"] == true;
            let body = json!({
                "to": { "whatsapp": "+4520120001" },
                "content": { "text": "probe" },
                "cascade": { "steps": [{ "channel": "whatsapp", "timeout_s": 1 }] },
            });
            let probe = self.send(&body).await;
            let told = self.ended(&probe, Duration::from_secs(10)).await["status"] == "delivered";
            if told && topics["data"].as_array().is_some_and(|all| all.iter().any(confirmed)) {
                return;
            }
            assert!(Instant::now() < until, "{topics}");
        }
    }

    /// A webhook endpoint of the tenant for these types; what it hears.
    pub(crate) async fn hook(&self, event_types: Value) -> Arc<Mutex<Vec<Value>>> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let inbox = Arc::clone(&heard);
        let hear =
            move |axum::Json(event): axum::Json<Value>| async move { inbox.lock().unwrap().push(event) };
        let app = axum::Router::new().route("/hook", axum::routing::post(hear));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let body = json!({ "url": url, "event_types": event_types });
        let (status, reply) = self.post("/v1/webhooks", &self.tenant_key, &body).await.unwrap();
        assert_eq!(status, 201, "{reply}");
        heard
    }

    /// Asks the process to drain, as an operator's `kill` does.
    pub(crate) fn terminate(&self) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> reqwest::Result<(u16, Value)> {
        let request = self.client.post(format!("{}{path}", self.api)).bearer_auth(key);
        let answer = request.header("content-type", "application/json").body(body.to_string()).send().await?;
        let status = answer.status().as_u16();
        Ok((status, serde_json::from_slice(&answer.bytes().await?).unwrap_or(Value::Null)))
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> reqwest::Result<(u16, Value)> {
        let answer = self.client.get(format!("{}{path}", self.api)).bearer_auth(key).send().await?;
        let status = answer.status().as_u16();
        Ok((status, serde_json::from_slice(&answer.bytes().await?).unwrap_or(Value::Null)))
    }

    /// Sends a message under an idempotency key.
    pub(crate) async fn post_once(&self, body: &Value, key: &str) -> reqwest::Result<(u16, Value)> {
        let request = self.client.post(format!("{}/v1/messages", self.api)).bearer_auth(&self.tenant_key);
        let request = request.header("idempotency-key", key).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await?;
        let status = answer.status().as_u16();
        Ok((status, serde_json::from_slice(&answer.bytes().await?).unwrap_or(Value::Null)))
    }

    /// Sends a message and returns its id.
    pub(crate) async fn send(&self, body: &Value) -> String {
        let (status, reply) = self.post("/v1/messages", &self.tenant_key, body).await.unwrap();
        assert_eq!(status, 202, "{reply}");
        reply["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn message(&self, id: &str) -> Value {
        let (status, message) = self.get(&format!("/v1/messages/{id}"), &self.tenant_key).await.unwrap();
        assert_eq!(status, 200, "{message}");
        message
    }

    /// The message's timeline, oldest first.
    pub(crate) async fn events(&self, id: &str) -> Vec<Value> {
        let (status, events) =
            self.get(&format!("/v1/messages/{id}/events"), &self.tenant_key).await.unwrap();
        assert_eq!(status, 200, "{events}");
        events["data"].as_array().unwrap().clone()
    }

    /// Types of the message's timeline, oldest first.
    pub(crate) async fn timeline(&self, id: &str) -> Vec<String> {
        self.events(id).await.iter().map(|entry| entry["type"].as_str().unwrap().to_owned()).collect()
    }

    /// Looks until `done` holds of the message, at most `limit`.
    pub(crate) async fn until(&self, id: &str, limit: Duration, done: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + limit;
        loop {
            let message = self.message(id).await;
            if done(&message) {
                return message;
            }
            assert!(Instant::now() < until, "not within {limit:?}: {message:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn ended(&self, id: &str, limit: Duration) -> Value {
        self.until(id, limit, |message| !message["completed_at"].is_null()).await
    }

    /// How often each reference of message `id` reached the simulator, and how often it was taken over.
    pub(crate) async fn requests_of(&self, id: &str) -> Vec<(String, u64, u64)> {
        let counts = self.simulator_get("/sim/counts").await;
        let mut found: Vec<_> = counts["counts"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(reference, _)| reference.starts_with(id))
            .map(|(reference, received)| {
                (
                    reference.clone(),
                    received.as_u64().unwrap(),
                    counts["processed"][reference].as_u64().unwrap_or(0),
                )
            })
            .collect();
        found.sort();
        found
    }

    pub(crate) async fn simulator_get(&self, path: &str) -> Value {
        let answer = self.client.get(format!("{}{path}", self.simulator.url)).send().await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    pub(crate) async fn simulator_post(&self, path: &str, body: &Value) {
        let request = self
            .client
            .post(format!("{}{path}", self.simulator.url))
            .header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }
}

/// Looks until `count` is at least `wanted`.
pub(crate) async fn counted(count: &AtomicUsize, wanted: usize) {
    let until = Instant::now() + READY_LIMIT;
    while count.load(Ordering::Relaxed) < wanted {
        assert!(Instant::now() < until, "{count:?} of {wanted} within {READY_LIMIT:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// An SMS-only message to a number with this ending.
pub(crate) fn sms(ending: &str, timeout_s: u32) -> Value {
    json!({
        "to": { "phone": phone(ending) },
        "content": { "text": "Order 1042 has shipped" },
        "cascade": { "steps": [{ "channel": "sms", "timeout_s": timeout_s }] },
    })
}

/// SMS, then email, then push; each address with its own ending.
pub(crate) fn cascade(sms: &str, email: &str, push: &str, timeout_s: u32) -> Value {
    json!({
        "to": {
            "phone": phone(sms),
            "email": format!("ada+{email}@example.com"),
            "push": [{ "token": format!("sim-{push}-token"), "platform": "android" }],
        },
        "content": { "text": "Order 1042 has shipped", "subject": "Your order" },
        "cascade": { "steps": [
            { "channel": "sms", "timeout_s": timeout_s },
            { "channel": "email", "timeout_s": timeout_s },
            { "channel": "push", "timeout_s": timeout_s },
        ] },
    })
}

pub(crate) fn phone(ending: &str) -> String {
    format!("+452012{ending}")
}

/// `value` with `key` set inside its cascade.
pub(crate) fn with_policy(mut value: Value, key: &str, policy: &str) -> Value {
    value["cascade"][key] = json!(policy);
    value
}

pub(crate) fn attempts(message: &Value) -> Vec<(u64, String)> {
    let list = message["attempts"].as_array().unwrap();
    list.iter()
        .map(|attempt| (attempt["step"].as_u64().unwrap(), attempt["status"].as_str().unwrap().to_owned()))
        .collect()
}

pub(crate) fn has_flag(message: &Value, flag: &str) -> bool {
    message["flags"].as_array().unwrap().iter().any(|set| set == flag)
}
