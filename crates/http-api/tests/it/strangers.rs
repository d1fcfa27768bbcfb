//! Every route under `/v1` as the document has it, called by those to whom nothing belongs: another tenant, and the
//! other mode of the same one. What is somebody else's looks exactly like what does not exist.
//!
//! The walk is made from the document. A new route with an id of a kind that [`Belongings`] does not know, or with a
//! body that names ids of a kind that [`named_in_bodies`] does not, fails here until one is added.

use std::collections::BTreeSet;

use hermes_domain::{message::Mode, tenant::KeyOwner};
use hermes_ports::adapter::InboundKind;
use hermes_testkit::tenant;
use serde_json::{Value, json};

use crate::{
    app::{App, LIVE, OTHER, TEST, key, sms, with},
    client::{Answer, Call, send},
    contract, inbound,
};

const OTHER_TEST: &str = "hk_test_tenant-2";
const STRANGERS: [&str; 3] = [OTHER, TEST, OTHER_TEST];
/// Operations under `/v1` that take no key: a token that cannot be guessed stands for one.
const OPEN: [&str; 1] = ["acknowledgeByToken"];
/// Operations that show one thing which everybody has, or a file.
const SINGLE: [&str; 4] = ["getStatus", "getUsage", "getSuppressionSettings", "exportSuppressions"];

/// One of each kind that the live mode of tenant 1 has, by the path segment that stands before its id: the id, and
/// one of the same kind that nobody has.
struct Belongings(Vec<(&'static str, String, String)>);

impl Belongings {
    async fn seed(app: &App) -> Self {
        let message = app.message(&with(sms(), "/tags", json!(["secret-tag"]))).await;
        app.accepted(message, "SM1").await;
        app.message(&sms()).await;
        let mut all = vec![("messages", message.to_string())];
        for number in [1, 2] {
            let batch = app.post(LIVE, "/v1/batches", &json!({ "messages": [sms()] })).await;
            all.push(("batches", batch.json()["id"].as_str().unwrap().to_owned()));
            let hook = json!({ "url": format!("https://example.com/{number}") });
            let cascade = json!({ "name": format!("c{number}"), "steps": [{ "channel": "sms" }] });
            let route = json!({ "name": format!("r{number}"), "prefer": ["twilio"] });
            let rule = json!({ "address": format!("+452012000{number}"), "channel": "sms" });
            let template = with(template(), "/name", json!(format!("t{number}")));
            let sender = json!({ "channel": "email", "identity": format!("{number}.acme.example") });
            app.dns.records.lock().insert(("nothing.example".to_owned(), "TXT"), String::new());
            let bodies = [
                ("webhooks", hook),
                ("cascades", cascade),
                ("routes", route),
                ("suppressions", rule),
                ("templates", template),
                ("senders", sender),
            ];
            for (segment, body) in bodies {
                let made = app.post(LIVE, &format!("/v1/{segment}"), &body).await;
                assert_eq!(made.status, 201, "{}", made.text);
                all.push((segment, made.json()["id"].as_str().unwrap().to_owned()));
            }
        }
        for text in ["first", "second"] {
            inbound::said(app, 1, InboundKind::Message, text).await;
        }
        Self(all.into_iter().map(|(segment, id)| (segment, id.clone(), unknown(&id))).collect())
    }

    fn of(&self, segment: &str) -> &str {
        let found = self.0.iter().find(|(known, ..)| *known == segment);
        let missing = || panic!("no id is known for `{segment}/{{…}}`: seed one in Belongings");
        &found.unwrap_or_else(missing).1
    }

    /// An answer without the ids that were asked for.
    fn scrubbed(&self, answer: &Answer) -> (u16, String) {
        let mut text = answer.text.clone();
        for (_, known, unknown) in &self.0 {
            text = text.replace(known, "<id>").replace(unknown, "<id>");
        }
        // What the request itself has made has an id of its own.
        let made = serde_json::from_str::<Value>(&answer.text).unwrap_or_default();
        if let Some(id) = made["id"].as_str() {
            text = text.replace(id, "<id>");
        }
        (answer.status, text)
    }
}

/// An id of the same kind and form that names nothing.
fn unknown(id: &str) -> String {
    let (prefix, ulid) = id.split_once('_').unwrap();
    let last = if ulid.ends_with('0') { '1' } else { '0' };
    format!("{prefix}_{}{last}", &ulid[..ulid.len() - 1])
}

struct Route {
    method: &'static str,
    template: &'static str,
    id: &'static str,
    parameters: Vec<&'static str>,
    body: &'static Value,
}

/// Every route for tenants' keys, those that remove something last.
fn routes() -> Vec<Route> {
    let mut all = Vec::new();
    for (template, item) in contract::document()["paths"].as_object().unwrap() {
        for (name, method) in
            [("get", "GET"), ("post", "POST"), ("put", "PUT"), ("patch", "PATCH"), ("delete", "DELETE")]
        {
            let Some(operation) = item.get(name).filter(|_| template.starts_with("/v1/")) else { continue };
            let id = operation["operationId"].as_str().unwrap();
            if OPEN.contains(&id) {
                continue;
            }
            assert!(operation["security"][0]["tenantKey"].is_array(), "{id} takes no tenant's key");
            let query = operation["parameters"].as_array().unwrap().iter().filter(|one| one["in"] == "query");
            let parameters = query.map(|one| one["name"].as_str().unwrap()).collect();
            all.push(Route { method, template, id, parameters, body: &operation["requestBody"] });
        }
    }
    all.sort_by_key(|route| route.method == "DELETE");
    all
}

/// What a message template says.
fn template() -> Value {
    json!({ "default_locale": "en", "locales": { "en": { "sms": { "text": "Hello" } } } })
}

/// A body with which the operation reaches what its path names.
fn body(route: &Route) -> Value {
    match route.id {
        "createCascadeVersion" => json!({ "steps": [{ "channel": "sms" }] }),
        "createTemplateVersion" => template(),
        "replaceTemplate" => with(template(), "/name", json!("mine")),
        "eraseRecipient" => json!({ "phone": "+4520123456" }),
        "replaceRoute" => json!({ "name": "mine", "prefer": ["twilio"] }),
        "replaceCascade" => json!({ "name": "mine", "steps": [{ "channel": "sms" }] }),
        _ => json!({}),
    }
}

fn call(route: &Route, path: &str, secret: &str) -> Call {
    let query = if route.parameters.contains(&"since") { "?since=2026-01-01T00:00:00Z" } else { "" };
    let call = Call::new(route.method, format!("{path}{query}")).key(secret).header("if-match", "*");
    let call = call.header("x-request-id", "same");
    if route.method == "GET" { call } else { call.json(&body(route)) }
}

impl Route {
    fn names_something(&self) -> bool {
        self.template.contains('{')
    }

    /// Its path with `fill` for what stands after each segment.
    fn path(&self, fill: impl Fn(&str) -> String) -> String {
        let parts: Vec<_> = self.template.split('/').collect();
        let filled = parts.iter().enumerate().map(|(place, part)| match part.starts_with('{') {
            // Numbered from 1; everything else has an id.
            true if parts[place - 1] == "versions" => "1".to_owned(),
            true => fill(parts[place - 1]),
            false => (*part).to_owned(),
        });
        filled.collect::<Vec<_>>().join("/")
    }
}

async fn started() -> (App, Belongings) {
    let app = App::start().await;
    let owner = KeyOwner::Tenant(tenant(2), Mode::Test);
    app.directory.import_key(key(40, owner), OTHER_TEST).await.unwrap();
    let belongings = Belongings::seed(&app).await;
    (app, belongings)
}

#[tokio::test]
async fn what_is_somebody_else_s_cannot_be_told_from_what_does_not_exist() {
    let (app, belongings) = started().await;
    let mut walked = 0;
    for route in routes().iter().filter(|route| route.names_something()) {
        for stranger in STRANGERS {
            for (_, known, unknown) in &belongings.0 {
                let mut answers = Vec::new();
                for id in [known, unknown] {
                    let path = route.path(|_| id.clone());
                    answers.push(send(app.address, &call(route, &path, stranger)).await);
                }
                let shown: Vec<_> = answers.iter().map(|answer| belongings.scrubbed(answer)).collect();
                assert_eq!(shown[0].0, 404, "{} {known} as {stranger}: {}", route.id, answers[0].text);
                assert_eq!(shown[0], shown[1], "{} as {stranger}", route.id);
                assert_eq!(answers[0].header("etag"), None, "{}", route.id);
                walked += 1;
            }
        }
    }
    assert!(walked >= 12 * STRANGERS.len() * belongings.0.len(), "{walked}");
    // Nothing was changed by all that, and its owner finds it: the walk called what is there.
    for route in routes().iter().filter(|route| route.names_something()) {
        let path = route.path(|segment| belongings.of(segment).to_owned());
        let answer = send(app.address, &call(route, &path, LIVE)).await;
        assert!(answer.status < 300 || answer.status == 409, "{} {path}: {}", route.id, answer.text);
    }
}

#[tokio::test]
async fn lists_hold_nothing_of_somebody_else_whatever_is_asked_for() {
    let (app, belongings) = started().await;
    for route in routes().iter().filter(|route| route.method == "GET" && !route.names_something()) {
        if SINGLE.contains(&route.id) {
            continue;
        }
        let own = app.get(LIVE, &format!("{}?limit=1", route.template)).await.json();
        let cursor = own["next_cursor"].as_str().unwrap_or_else(|| panic!("{}: seed two", route.id));
        let mut queries = vec![String::new()];
        for (name, value) in [
            ("to", "%2B4520123456"),
            ("from", "%2B4520123456"),
            ("tag", "secret-tag"),
            ("cursor", cursor),
            ("status", "in_progress"),
        ] {
            queries.extend(route.parameters.contains(&name).then(|| format!("?{name}={value}")));
        }
        for query in queries {
            for stranger in STRANGERS {
                let answer = app.get(stranger, &format!("{}{query}", route.template)).await;
                assert_eq!(answer.json()["data"], json!([]), "{}{query} as {stranger}", route.id);
                assert_eq!(answer.json()["next_cursor"], Value::Null);
            }
        }
    }
    for stranger in STRANGERS {
        for path in ["/v1/status", "/v1/suppressions/export?format=ndjson"] {
            let shown = app.get(stranger, path).await;
            assert!(belongings.0.iter().all(|(_, id, _)| !shown.text.contains(id)), "{path}: {}", shown.text);
            assert!(!shown.text.contains("+45201200"), "{path}: {}", shown.text);
        }
    }
}

/// Bodies that name something by its id: operation, prefix of the id, the body.
fn named_in_bodies(id: &str) -> Vec<(&'static str, &'static str, Value)> {
    let message = with(sms(), "/cascade", json!(id));
    let mut filled = with(sms(), "/template", json!({ "id": id }));
    filled.as_object_mut().unwrap().remove("content");
    vec![
        ("sendMessage", "tpl_", filled.clone()),
        ("validateMessage", "tpl_", filled.clone()),
        ("sendBatch", "tpl_", json!({ "messages": [filled] })),
        ("sendMessage", "csc_", message.clone()),
        ("validateMessage", "csc_", message.clone()),
        ("sendBatch", "csc_", json!({ "messages": [message] })),
    ]
}

#[tokio::test]
async fn bodies_reach_nothing_of_somebody_else() {
    let (app, belongings) = started().await;
    let mut covered = BTreeSet::new();
    for (_, known, unknown) in &belongings.0 {
        let bodies = named_in_bodies(known).into_iter().zip(named_in_bodies(unknown));
        for ((operation, prefix, with_known), (.., with_unknown)) in bodies {
            let routes = routes();
            let route = routes.iter().find(|route| route.id == operation).unwrap();
            if !known.starts_with(prefix) {
                continue;
            }
            covered.insert((operation, prefix));
            for stranger in STRANGERS {
                let ask = async |body| {
                    let call = Call::new("POST", route.template).key(stranger).json(body);
                    belongings.scrubbed(&app.call(call.header("x-request-id", "same")).await)
                };
                let shown = ask(&with_known).await;
                assert!(
                    shown.1.contains("unknown_cascade") || shown.1.contains("unknown_template"),
                    "{operation}: {}",
                    shown.1
                );
                assert_eq!(shown, ask(&with_unknown).await, "{operation} as {stranger}");
            }
            let own = app.post(LIVE, route.template, &with_known).await;
            assert!(!own.text.contains("unknown_"), "{operation}: {}", own.text);
        }
    }
    for route in routes() {
        for prefix in prefixes(route.body) {
            let known = covered.iter().any(|(id, covered)| *id == route.id && prefix.starts_with(covered));
            assert!(known, "{} takes ids {prefix} in its body: add them to named_in_bodies", route.id);
        }
    }
}

/// Prefixes of the ids that a body may hold, by the patterns of its schema.
fn prefixes(body: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(body, &mut found, &mut BTreeSet::new());
    found
}

fn collect(schema: &Value, found: &mut BTreeSet<String>, seen: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            let pattern = fields.get("pattern").and_then(Value::as_str).unwrap_or_default();
            if let Some(prefix) = pattern.strip_prefix('^').filter(|rest| rest.get(3..4) == Some("_")) {
                found.insert(prefix.to_owned());
            }
            let reference = fields.get("$ref").and_then(Value::as_str);
            if let Some(pointer) = reference.filter(|name| seen.insert((*name).to_owned())) {
                let target = contract::document().pointer(pointer.trim_start_matches('#')).unwrap();
                collect(target, found, seen);
            }
            fields.values().for_each(|value| collect(value, found, seen));
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, found, seen)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn keys_that_clients_choose_mean_something_to_their_owner_alone() {
    let (app, _) = started().await;
    let message = with(sms(), "/dedupe", json!({ "key": "order-1", "window_s": 3600 }));
    let mut ids = BTreeSet::new();
    for caller in [LIVE, OTHER, TEST] {
        let call =
            Call::new("POST", "/v1/messages").key(caller).header("idempotency-key", "k").json(&message);
        let sent = app.call(call.clone()).await;
        assert_eq!((sent.status, sent.header("idempotent-replayed")), (202, None), "{caller}: {}", sent.text);
        assert!(ids.insert(sent.json()["id"].to_string()), "{caller}");
        assert_eq!(app.call(call).await.header("idempotent-replayed"), Some("true"), "{caller}");
        assert_eq!(
            app.post(caller, "/v1/messages", &message).await.code(),
            "duplicate_suppressed",
            "{caller}"
        );
    }
}
