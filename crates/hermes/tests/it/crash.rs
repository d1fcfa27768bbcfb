//! The crash test: a server under load is killed again and again, and nothing is lost or sent twice.
//!
//! `HERMES_CRASH_SEED` repeats a run. A long one, of an hour or so:
//! `HERMES_CRASH_KILLS=500 cargo nextest run --profile long -p hermes --test it crash::nothing`

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hermes_backend_cluster::{ClusterOptions, CompanionRest, NatsCascadeStore};
use hermes_backend_embedded::{EmbeddedBackend, EmbeddedOptions};
use hermes_domain::cascade::Phase;
use hermes_ports::{CascadeStore, cascade_store::OpenCascade, kill_point};
use hermes_sealing::Cipher;
use hermes_testkit::nats::{self, NatsServer};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use crate::server::{Server, StartOptions, cascade, has_flag};

/// Random kills beside one at each named place.
const KILLS: usize = 20;
/// The same with cascades on NATS: what differs is the store alone.
const KILLS_ON_NATS: usize = 4;
/// Sent while the process may die at any moment.
const LOAD_UNDER_FIRE: usize = 100;
/// What "several hundred" means.
const IN_FLIGHT_MIN: usize = 300;
/// Accepted, and no receipt ever.
const SILENT: &str = "9902";
const ENDINGS: [&str; 15] = [
    "9901", "9902", "9903", "9904", "9905", "9906", "9907", "9908", "9909", "9910", "9911", "9912", "9913",
    "9914", "0001",
];

/// An id, if the reply has one, and the ending of the phone number.
type Accepted = (Option<String>, &'static str);

/// Where cascades are stored.
enum Backing {
    Embedded,
    /// On a server that is never killed; webhooks and claims stay in the embedded store beside it.
    Nats(NatsServer),
}

struct Run {
    server: Server,
    backing: Backing,
    random: StdRng,
    /// Accepted messages and the ending of their phone number, which a failure's report names.
    accepted: BTreeMap<String, &'static str>,
    /// Attempts that were stored as submitting when the process died.
    submitting: BTreeSet<String>,
    /// Every one, random or planned.
    kills: usize,
    /// Open messages at each random kill.
    in_flight: Vec<usize>,
    /// Messages whose end was told to the tenant's webhook.
    told: Arc<Mutex<BTreeSet<String>>>,
}

fn seed() -> u64 {
    let given = std::env::var("HERMES_CRASH_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos().into())
}

impl Backing {
    /// Messages of every kind that are accepted before each kill, beside those that only wait.
    const fn load(&self) -> usize {
        match self {
            Self::Embedded => 150,
            Self::Nats(_) => 300,
        }
    }

    /// A server goes on with what the dead process had sent: how long it must be quiet to be done with it.
    const fn writes_on_their_way(&self) -> Option<Duration> {
        match self {
            Self::Embedded => None,
            Self::Nats(_) => Some(Duration::from_millis(500)),
        }
    }

    /// Seconds that a step waits: longer than a load takes, so that its silent messages are open at the kill.
    const fn step_timeout_s(&self) -> u32 {
        match self {
            Self::Embedded => 6,
            Self::Nats(_) => 15,
        }
    }

    fn kill_points(&self) -> Vec<&'static str> {
        match self {
            Self::Embedded => kill_point::ALL.to_vec(),
            Self::Nats(_) => [kill_point::ALL.as_slice(), &kill_point::NATS].concat(),
        }
    }

    async fn cascades(&self, embedded: &Arc<EmbeddedBackend>) -> Arc<dyn CascadeStore> {
        let Self::Nats(nats) = self else { return Arc::clone(embedded) as _ };
        let rest = CompanionRest::new(Arc::clone(embedded) as _, Arc::clone(embedded) as _);
        let options = ClusterOptions { replicas: 1, ..ClusterOptions::default() };
        NatsCascadeStore::connect(nats.url(), options, Arc::new(rest), Arc::clone(embedded) as _)
            .await
            .unwrap()
    }
}

impl Run {
    /// A message whose phone has this ending, or one at random.
    fn body(&mut self, ending: Option<&'static str>) -> (Value, &'static str) {
        let ending = match ending {
            Some(ending) => ending,
            None if self.random.random_bool(0.2) => "0001",
            None => ENDINGS[self.random.random_range(0..ENDINGS.len())],
        };
        let email = if self.random.random_bool(0.2) { "9902" } else { "0001" };
        let mut body = cascade(ending, email, "1", self.backing.step_timeout_s());
        let policies = ["wait", "resend", "next_provider", "next_channel"];
        body["cascade"]["on_unknown_outcome"] = json!(policies[self.random.random_range(0..4)]);
        body["cascade"]["on_server_error"] = json!(policies[self.random.random_range(0..4)]);
        (body, ending)
    }

    /// Loads until `count` more messages are accepted: a slow machine may refuse some for now.
    async fn accept(&mut self, count: usize, ending: Option<&'static str>) {
        let wanted = self.accepted.len() + count;
        for _ in 0..50 {
            self.load(wanted - self.accepted.len(), ending).await;
            if self.accepted.len() >= wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("a running server keeps refusing messages");
    }

    /// Sends a load concurrently; whatever got a 202 counts as accepted, also when the process dies.
    async fn load(&mut self, count: usize, ending: Option<&'static str>) {
        let mut sends = tokio::task::JoinSet::new();
        for _ in 0..count {
            let (body, ending) = self.body(ending);
            let request = self
                .server
                .client
                .post(format!("{}/v1/messages", self.server.api))
                .bearer_auth(&self.server.tenant_key);
            let request = request.header("content-type", "application/json").body(body.to_string());
            sends.spawn(async move {
                let answer = request.send().await.ok()?;
                let accepted = answer.status().as_u16() == 202;
                let reply: Value = serde_json::from_slice(&answer.bytes().await.ok()?).ok()?;
                accepted.then(|| (reply["id"].as_str().map(str::to_owned), ending))
            });
            if sends.len() >= 64 {
                self.note(sends.join_next().await);
            }
        }
        while let Some(joined) = sends.join_next().await {
            self.note(Some(joined));
        }
    }

    fn note(&mut self, joined: Option<Result<Option<Accepted>, tokio::task::JoinError>>) {
        if let Some(Ok(Some((Some(id), ending)))) = joined {
            self.accepted.insert(id, ending);
        }
    }

    /// What the store says after the process is gone.
    async fn look_at_the_dead(&mut self) -> usize {
        self.kills += 1;
        let embedded = open(&self.server.data).await;
        let store = self.backing.cascades(&embedded).await;
        let mut seen = all_open(&*store).await;
        while let Some(pause) = self.backing.writes_on_their_way() {
            tokio::time::sleep(pause).await;
            let now = all_open(&*store).await;
            if now == seen {
                break;
            }
            seen = now;
        }
        for open in seen.iter().filter(|open| open.owes_effect) {
            let stored = store.load(open.id).await.unwrap().unwrap();
            if let Phase::Submitting { attempt, .. } = stored.state.phase {
                self.submitting.insert(format!("{}.{attempt}", open.id));
            }
        }
        let count = seen.len();
        embedded.close().await;
        count
    }

    /// One round: load, a kill at a random moment, a look at what is stored, a restart.
    async fn random_kill(&mut self) {
        self.accept(self.backing.load(), None).await;
        self.accept(IN_FLIGHT_MIN + 20, Some(SILENT)).await;
        let pause = Duration::from_millis(self.random.random_range(0..500));
        let pid = self.server.pid();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(pause);
            let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        });
        self.load(LOAD_UNDER_FIRE, None).await;
        killer.join().unwrap();
        self.server.kill();
        let open = self.look_at_the_dead().await;
        self.in_flight.push(open);
        self.server.restart(&StartOptions::default()).expect("it starts after a crash");
    }

    /// One round in which the process ends itself at `point`.
    async fn kill_at(&mut self, point: &str, hits: &Path) {
        let passes = self.random.random_range(1..40);
        let value = format!("{point}:{passes}:{}", hits.display());
        self.server.kill();
        self.look_at_the_dead().await;
        let options = StartOptions { env: vec![("HERMES_KILL_POINT".to_owned(), value)], log: None };
        if self.server.restart(&options).is_some() {
            self.load(LOAD_UNDER_FIRE, None).await;
            if !self.server.wait_for_end(Duration::from_secs(20)) {
                println!("{point} was not passed {passes} times");
            }
        }
        self.server.kill();
        self.look_at_the_dead().await;
        self.server.restart(&StartOptions::default()).expect("it starts after a crash");
    }
}

async fn all_open(store: &dyn CascadeStore) -> Vec<OpenCascade> {
    let mut all = Vec::new();
    loop {
        let after = all.last().map(|open: &OpenCascade| open.id);
        let page = store.open_all(after, 10_000).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

async fn open(data: &Path) -> Arc<EmbeddedBackend> {
    let credentials = Arc::new(Cipher::new(&credentials_key(data), None));
    let options = EmbeddedOptions { credentials, ..EmbeddedOptions::new(data) };
    EmbeddedBackend::open(options).await.expect("the data is whole and nobody holds it")
}

/// The key that the server made for itself.
fn credentials_key(data: &Path) -> [u8; 32] {
    let keys: Value = serde_json::from_slice(&std::fs::read(data.join("keys.json")).unwrap()).unwrap();
    let key = STANDARD.decode(keys["credentials_key"].as_str().unwrap()).unwrap();
    key.try_into().unwrap()
}

/// Every accepted message ends; returns them.
async fn all_ended(run: &Run) -> HashMap<String, Value> {
    let until = Instant::now() + Duration::from_secs(120);
    let mut ended = HashMap::new();
    for id in run.accepted.keys() {
        let limit = until.saturating_duration_since(Instant::now()).max(Duration::from_secs(1));
        ended.insert(id.clone(), run.server.ended(id, limit).await);
    }
    ended
}

/// Nothing was sent twice unless it is on record that nobody knew.
async fn nothing_sent_twice(run: &Run, ended: &HashMap<String, Value>) {
    let counts = run.server.simulator_get("/sim/counts").await;
    let processed = counts["processed"].as_object().unwrap();
    for (reference, received) in counts["counts"].as_object().unwrap() {
        assert_eq!(received.as_u64(), Some(1), "{reference} was submitted more than once");
    }
    for (id, message) in ended {
        let mut by_step: BTreeMap<u64, u64> = BTreeMap::new();
        for attempt in message["attempts"].as_array().unwrap() {
            let reference = format!("{id}.{}", attempt["number"]);
            let taken = processed.get(&reference).and_then(Value::as_u64).unwrap_or(0);
            *by_step.entry(attempt["step"].as_u64().unwrap()).or_default() += taken;
        }
        let twice: Vec<u64> =
            by_step.into_iter().filter(|(_, taken)| *taken > 1).map(|(step, _)| step).collect();
        if twice.is_empty() {
            continue;
        }
        assert!(has_flag(message, "outcome_unknown"), "sent twice without a flag: {message:#}");
        let events = run.server.events(id).await;
        for step in twice {
            let unknown = events.iter().any(|event| {
                event["type"] == "attempt.outcome_unknown" && event["step"].as_u64() == Some(step)
            });
            assert!(unknown, "sent twice in step {step}, of which everything was known: {message:#}");
        }
    }
}

/// The tenant hears of every end, once or more.
async fn everybody_was_told(run: &Run) {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let missing = {
            let told = run.told.lock().unwrap();
            run.accepted.keys().filter(|id| !told.contains(*id)).cloned().collect::<Vec<_>>()
        };
        if missing.is_empty() {
            return;
        }
        assert!(Instant::now() < until, "the tenant never heard of the end of {missing:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A crash makes nothing unknown but what was submitting when it came.
fn unknown_only_where_submitting(run: &Run, ended: &HashMap<String, Value>) -> (usize, usize) {
    let (mut unknown, mut all) = (0, 0);
    for (id, message) in ended {
        for attempt in message["attempts"].as_array().unwrap() {
            all += 1;
            if attempt["error"]["detail"] == "interrupted between sending and answer" {
                unknown += 1;
                let reference = format!("{id}.{}", attempt["number"]);
                assert!(
                    run.submitting.contains(&reference),
                    "{reference} is unknown but was not submitting: {message:#}"
                );
            }
        }
    }
    (unknown, all)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_sent_twice_however_the_process_dies() {
    crash_and_check(Server::start(), Backing::Embedded, KILLS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_sent_twice_with_cascades_on_nats() {
    let nats = nats::private(); // Its buckets belong to this server's data directory.
    let store = format!(
        "kind = \"nats\"\nallow_unsafe_durability = true\nnats.url = \"{}\"\nnats.replicas = 1",
        nats.url()
    );
    crash_and_check(Server::serve(&store).await, Backing::Nats(nats), KILLS_ON_NATS).await;
}

async fn crash_and_check(server: Server, backing: Backing, kills: usize) {
    let seed = seed();
    println!("seed {seed}");
    let kills =
        std::env::var("HERMES_CRASH_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(kills);
    let hits = server.data.join("kill-points");
    let mut run = Run {
        server,
        backing,
        random: StdRng::seed_from_u64(seed),
        accepted: BTreeMap::new(),
        submitting: BTreeSet::new(),
        kills: 0,
        in_flight: Vec::new(),
        told: Arc::default(),
    };
    run.webhook().await;
    for _ in 0..kills {
        run.random_kill().await;
    }
    for point in run.backing.kill_points() {
        run.kill_at(point, &hits).await;
    }
    let ended = all_ended(&run).await;
    nothing_sent_twice(&run, &ended).await;
    everybody_was_told(&run).await;
    let (unknown, attempts) = unknown_only_where_submitting(&run, &ended);
    println!(
        "{} kills, {} messages accepted, {attempts} attempts, {unknown} unknown because of a kill ({:.2} %)",
        run.kills,
        run.accepted.len(),
        100.0 * unknown as f64 / attempts as f64
    );
    let hit = std::fs::read_to_string(&hits).unwrap_or_default();
    for point in run.backing.kill_points() {
        assert!(hit.lines().any(|line| line == point), "no process ended at {point}; hit: {hit}");
    }
    println!("open messages at random kills: {:?}", run.in_flight);
    assert!(run.in_flight.iter().all(|open| *open >= IN_FLIGHT_MIN), "{:?}", run.in_flight);
    assert_eq!(run.in_flight.len(), kills);
    assert!(run.accepted.len() > 1_000);
}

impl Run {
    /// A tenant webhook, so that its kill points are passed too. It answers from a thread of this test.
    async fn webhook(&self) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let told = Arc::clone(&self.told);
        let hear = move |axum::Json(event): axum::Json<Value>| async move {
            let id = event["data"]["message_id"].as_str().unwrap_or_default().to_owned();
            told.lock().unwrap().insert(id);
        };
        let app = axum::Router::new().route("/hook", axum::routing::post(hear));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let (status, reply) =
            self.server.post("/v1/webhooks", &self.server.tenant_key, &json!({ "url": url })).await.unwrap();
        assert_eq!(status, 201, "{reply}");
    }
}
