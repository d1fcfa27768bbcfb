//! What is counted and what it cost, held against what the simulator received: two tenants, several countries and channels.

use std::{collections::BTreeMap, process::Command, time::Duration};

use hermes_simulator::demo;
use serde_json::{Value, json};

use crate::server::{Server, sms};

const LIMIT: Duration = Duration::from_secs(60);

/// Prices of a segment or message in millionths of a euro, by the tables that the connections are given below.
const TWILIO_DK: i64 = 31_250;
const TWILIO_OTHER: i64 = 50_001;
const SES: i64 = 1_000;
/// What the simulator's Messente says in its receipts.
const MESSENTE: i64 = 100_000;

/// What Acme pays: Danish SMS by the segment, other SMS by markup, mail by the message.
const ACME_DK: i64 = 60_000;
const ACME_MARKUP_PERCENT: i64 = 20;
const ACME_MAIL: i64 = 2_000;

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    messages: i64,
    attempts: i64,
    accepted: i64,
    segments: i64,
    delivered: i64,
    cost_micros: i64,
}

impl Counts {
    fn shown(group: &Value) -> Self {
        let number = |name: &str| group[name].as_i64().unwrap();
        let cost = group["cost"].as_array().unwrap();
        assert!(cost.iter().all(|cost| cost["currency"] == "EUR"), "{group}");
        Self {
            messages: number("messages"),
            attempts: number("attempts"),
            accepted: number("accepted"),
            segments: number("segments"),
            delivered: number("delivered"),
            cost_micros: cost.iter().map(|cost| micros(&cost["amount"])).sum(),
        }
    }

    fn add(&mut self, other: Self) {
        self.messages += other.messages;
        self.attempts += other.attempts;
        self.accepted += other.accepted;
        self.segments += other.segments;
        self.delivered += other.delivered;
        self.cost_micros += other.cost_micros;
    }
}

/// Millionths of a decimal amount.
fn micros(amount: &Value) -> i64 {
    let (whole, fraction) = amount.as_str().unwrap().split_once('.').unwrap();
    format!("{whole}{fraction:0<6}").parse().unwrap()
}

/// What a tenant sends: to Denmark and Sweden, in one segment and in several, by mail, with every way to fall over.
fn mix() -> Vec<Value> {
    let through = |mut message: Value, providers: Value| {
        message["cascade"]["steps"][0]["providers"] = providers;
        message
    };
    let saying = |mut message: Value, text: String| {
        message["content"]["text"] = json!(text);
        message
    };
    let to = |mut message: Value, number: &str| {
        message["to"]["phone"] = json!(number);
        message
    };
    let one = || through(sms("0001", 30), json!(["twilio"]));
    let mut undelivered = through(sms("9901", 30), json!(["twilio"]));
    undelivered["to"]["email"] = json!("ada@example.com");
    undelivered["cascade"]["steps"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "channel": "email", "timeout_s": 30 }));
    let mail = json!({
        "to": { "email": "ada@example.com" }, "content": { "subject": "Your order", "text": "It has shipped" },
        "cascade": { "steps": [{ "channel": "email", "timeout_s": 30 }] },
    });
    vec![
        one(),
        saying(one(), "a".repeat(161)),
        saying(one(), "ж".repeat(135)),
        to(saying(one(), "a".repeat(307)), "+46701230001"),
        through(sms("0002", 30), json!(["messente"])),
        // The first provider says that it did nothing, so the second one sends it.
        saying(through(sms("9908", 30), json!(["twilio", "messente"])), "a".repeat(161)),
        undelivered,
        through(sms("9911", 30), json!(["twilio"])),
        mail,
    ]
}

async fn set_up(server: &Server) {
    let (status, all) = server.get("/admin/v1/providers", &server.admin_key).await.unwrap();
    assert_eq!(status, 200, "{all}");
    let euros = |country: Option<&str>, amount: &str| json!({ "country": country, "amount": amount, "currency": "EUR" });
    for (name, cost) in [
        ("twilio", json!([euros(Some("DK"), "0.03125"), euros(None, "0.050001")])),
        ("ses", json!([euros(None, "0.001")])),
    ] {
        let known = all["data"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
        let url = format!("{}/admin/v1/providers/{}", server.api, known["id"].as_str().unwrap());
        let request = server.client.patch(url).bearer_auth(&server.admin_key);
        let request = request.header("content-type", "application/json");
        let answer = request.body(json!({ "cost": cost }).to_string()).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
    }
    let account = demo::messente();
    let messente = json!({
        "mode": "test", "provider": "messente", "name": "messente", "channel": "sms", "rate_per_s": 10_000,
        "config": { "sender": account.default_sender },
        "credentials": { "username": account.username, "password": account.password },
    });
    server.create("/admin/v1/providers", &messente).await;
}

/// A further tenant: its id and a key of test mode.
async fn tenant(server: &Server, name: &str) -> (String, String) {
    let made = server.create("/admin/v1/tenants", &json!({ "name": name })).await;
    let id = made["id"].as_str().unwrap().to_owned();
    let path = format!("/admin/v1/tenants/{id}/keys");
    let key = server.create(&path, &json!({ "name": "tests", "mode": "test" })).await;
    (id, key["key"].as_str().unwrap().to_owned())
}

async fn data(server: &Server, path: &str, key: &str) -> Vec<Value> {
    let (status, answer) = server.get(path, key).await.unwrap();
    assert_eq!(status, 200, "{path}: {answer}");
    answer["data"].as_array().unwrap().clone()
}

/// Sends everything as one tenant, and waits for every end; ids and whether they went to Denmark.
async fn sent(server: &Server, key: &str, messages: &[Value]) -> BTreeMap<String, bool> {
    let mut ids = BTreeMap::new();
    for message in messages {
        let (status, reply) = server.post("/v1/messages", key, message).await.unwrap();
        assert_eq!(status, 202, "{reply}");
        let danish = message["to"]["phone"].as_str().is_some_and(|phone| phone.starts_with("+45"));
        ids.insert(reply["id"].as_str().unwrap().to_owned(), danish);
    }
    for id in ids.keys() {
        let polls = LIMIT.as_millis() / 20;
        let mut ended = Value::Null;
        for _ in 0..polls {
            (_, ended) = server.get(&format!("/v1/messages/{id}"), key).await.unwrap();
            if !ended["completed_at"].is_null() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(!ended["completed_at"].is_null(), "not within {LIMIT:?}: {ended}");
    }
    ids
}

/// What the simulator received of these messages, by provider, and what Acme would pay for it.
async fn received(server: &Server, ids: &BTreeMap<String, bool>) -> (BTreeMap<String, Counts>, i64) {
    let requests = server.simulator_get("/sim/requests?limit=100000").await;
    let (mut all, mut price) = (BTreeMap::<String, Counts>::new(), 0);
    for entry in requests["data"].as_array().unwrap() {
        let (id, _) = entry["reference"].as_str().unwrap().split_once('.').unwrap();
        let Some(danish) = ids.get(id) else { continue };
        let provider = entry["provider"].as_str().unwrap();
        let (processed, segments) =
            (i64::from(entry["processed"] == true), entry["segments"].as_i64().unwrap_or(0));
        let (cost_micros, charged) = match (provider, danish) {
            ("twilio", true) => (segments * TWILIO_DK, segments * ACME_DK),
            ("messente", true) => (segments * MESSENTE, segments * ACME_DK),
            ("twilio", false) => {
                let cost = segments * TWILIO_OTHER;
                // Rounded to the nearest: 20 % of 150,003 are 30,000.6.
                (cost, cost + (cost * ACME_MARKUP_PERCENT + 50) / 100)
            }
            ("ses", _) => (processed * SES, processed * ACME_MAIL),
            other => panic!("{other:?}"),
        };
        price += charged;
        all.entry(provider.to_owned()).or_default().add(Counts {
            messages: 0,
            attempts: 1,
            accepted: processed,
            segments,
            delivered: i64::from(entry["reaches"] == true),
            cost_micros,
        });
    }
    (all, price)
}

/// Groups by provider; messages are counted under none.
fn by_provider(groups: &[Value]) -> BTreeMap<String, Counts> {
    let attempts = groups.iter().filter(|group| !group["provider"].is_null());
    attempts.map(|group| (group["provider"].as_str().unwrap().to_owned(), Counts::shown(group))).collect()
}

fn total(groups: &BTreeMap<String, Counts>, messages: usize) -> Counts {
    let messages = i64::try_from(messages).unwrap();
    let mut total = Counts { messages, ..Counts::default() };
    groups.values().for_each(|counts| total.add(*counts));
    total
}

#[tokio::test]
async fn usage_adds_up_to_what_the_simulator_received() {
    let mut server = Server::serve("").await;
    set_up(&server).await;
    let (acme, acme_key) = tenant(&server, "Acme").await;
    let (other, other_key) = tenant(&server, "Other").await;
    let card = json!({ "valid_from": "2020-01-01", "currency": "EUR", "rates": [
        { "channel": "sms", "country": "DK", "price": "0.06" },
        { "channel": "sms", "markup_percent": "20" },
        { "channel": "email", "price": "0.002" },
    ] });
    server.create(&format!("/admin/v1/tenants/{acme}/rate_cards"), &card).await;
    let mine = mix();
    let theirs: Vec<_> = mine.iter().take(3).chain(mine.last()).cloned().collect();
    let (my_ids, their_ids) =
        tokio::join!(sent(&server, &acme_key, &mine), sent(&server, &other_key, &theirs));
    let (expected, price) = received(&server, &my_ids).await;
    let (elsewhere, _) = received(&server, &their_ids).await;
    let twilio = expected["twilio"];
    assert_eq!(
        (twilio.attempts, twilio.accepted, twilio.segments),
        (7, 5, 1 + 2 + 3 + 3 + 1),
        "the mix is what it is"
    );
    assert_eq!((twilio.delivered, expected["messente"].segments), (4, 1 + 2));

    // What is counted outlives the process.
    server.kill();
    server.restart(&Default::default()).expect("the server starts again");
    for (key, expected, messages) in
        [(&acme_key, &expected, mine.len()), (&other_key, &elsewhere, theirs.len())]
    {
        let groups = data(&server, "/v1/usage?from=2020-01-01&to=2020-01-02", key).await;
        assert!(groups.is_empty(), "another time: {groups:?}");
        assert_eq!(&by_provider(&data(&server, "/v1/usage?group_by=provider", key).await), expected);
        let all = data(&server, "/v1/usage", key).await;
        assert_eq!(Counts::shown(&all[0]), total(expected, messages));
    }
    let admin = &server.admin_key;
    let groups = data(&server, "/admin/v1/usage?group_by=tenant_id&mode=test", admin).await;
    let of = |id: &str| groups.iter().find(|group| group["tenant_id"] == id).unwrap();
    assert_eq!(Counts::shown(of(&acme)), total(&expected, mine.len()));
    assert_eq!(Counts::shown(of(&other)), total(&elsewhere, theirs.len()));
    let cost = total(&expected, 0).cost_micros;
    assert_eq!((micros(&of(&acme)["price"]["amount"]), &of(&acme)["missing"]), (price, &json!([])));
    assert_eq!(micros(&of(&acme)["margin"]["amount"]), price - cost);
    assert_eq!(
        (&of(&other)["price"], &of(&other)["missing"][0]["reason"]),
        (&Value::Null, &json!("no_rate_card"))
    );
    let acme_alone =
        data(&server, &format!("/admin/v1/usage?tenant_id={acme}&group_by=provider"), admin).await;
    assert_eq!(by_provider(&acme_alone), expected);

    let file = Command::new(env!("CARGO_BIN_EXE_hermes"))
        .args(["usage", "report", "--tenant", &acme, "--csv", "--api", &server.api, "--key", admin])
        .output()
        .unwrap();
    let file = String::from_utf8(file.stdout).unwrap();
    let (header, line) = file.trim_end().split_once('\n').unwrap();
    let cells: BTreeMap<_, _> = header.split(',').zip(line.split(',')).collect();
    assert_eq!(micros(&json!(cells["price"])), price, "{file}");
    assert_eq!(micros(&json!(cells["cost_EUR"])), cost, "{file}");
}
