//! `docs/tenants/errors.md`: one section per code, whose reply is what the server really answers to its request.

use std::sync::atomic::Ordering;

use hermes_ports::adapter::WebhookRefusal;
use hermes_testkit::{connection, tenant};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    app::{ADMIN, App, LIVE, sms, with},
    client::{Answer, Call},
    contract,
};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/tenants/errors.md");
/// Stands in the page for ids that are new each time.
const ULID: &str = "01K8W4T5B6N7Q8R9S0TAVBWCXD";
/// Stands in the page for a text that is too long to be shown.
const LONG: &str = "…300,000 characters…";

/// A problem as it is shown, in the order in which it is sent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    detail: String,
    instance: String,
    code: String,
    request_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    layer: Option<String>,
    errors: Vec<ShownFault>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShownFault {
    pointer: String,
    code: String,
    detail: String,
}

/// The part of the page about one code, from its heading on.
struct Section<'a> {
    code: &'a str,
    text: &'a str,
}

impl<'a> Section<'a> {
    fn all(page: &'a str) -> Vec<Self> {
        let parts = page.split("\n## `").skip(1);
        parts.map(|text| Section { code: text.split('`').next().unwrap(), text }).collect()
    }

    /// The block between the `index`th pair of fences that hold HTTP.
    fn block(&self, index: usize) -> &'a str {
        let block = self.text.split("```http\n").nth(index + 1);
        let block = block.unwrap_or_else(|| panic!("{} has no request and reply", self.code));
        block.split("```").next().unwrap()
    }

    fn request(&self, ids: &Ids) -> Call {
        let text = ids.real(self.block(0)).replace("hk_live_…", LIVE).replace("hak_…", ADMIN);
        let (head, body) = text.split_once("\n\n").unwrap_or_else(|| (text.trim_end(), ""));
        let mut lines = head.lines();
        let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
        let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
        let method = methods.into_iter().find(|known| *known == method).unwrap();
        let call = Call::new(method, path).bytes(body.trim_end().replace(LONG, &"x".repeat(300_000)));
        lines.fold(call, |call, line| {
            let (name, value) = line.split_once(": ").unwrap();
            call.header(&name.to_ascii_lowercase(), value)
        })
    }
}

/// What was made for a section, whose ids differ from run to run.
#[derive(Default)]
struct Ids(Vec<String>);

impl Ids {
    fn shown(id: &str) -> String {
        format!("{}{ULID}", id.split_inclusive('_').next().unwrap())
    }

    fn real(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, id| text.replace(&Self::shown(id), id))
    }

    fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, id| text.replace(id, &Self::shown(id)))
    }
}

async fn policy(app: &App, policy: Value) {
    let call = Call::new("PATCH", format!("/admin/v1/tenants/{}", tenant(1)));
    assert_eq!(app.call(call.key(ADMIN).json(&json!({ "policy": policy }))).await.status, 200);
}

async fn made(app: &App, path: &str, body: &Value) -> String {
    let answer = app.post(LIVE, path, body).await;
    assert!((200..300).contains(&answer.status), "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// Puts things as the section says they are.
async fn prepare(app: &App, code: &str) -> Ids {
    let route = json!({ "name": "Danish codes", "prefer": ["twilio"] });
    let mut ids = Ids::default();
    match code {
        "receipt_malformed" => {
            app.gateway.receive_once(Ok(Err(WebhookRefusal::Malformed)));
            ids.0.push(connection(1).to_string());
        }
        "tenant_suspended" => {
            let path = format!("/admin/v1/tenants/{}/suspend", tenant(1));
            assert_eq!(app.call(Call::new("POST", path).key(ADMIN)).await.status, 200);
        }
        "compliance_blocked" => policy(app, json!({ "countries": ["SE", "NO"] })).await,
        "outside_window" => {
            let night = json!({ "from": "21:00", "until": "08:00", "action": "refuse" });
            policy(app, json!({ "quiet_hours": night })).await;
        }
        "recipient_suppressed" => {
            let rule = json!({ "address": "+4520123456", "channel": "sms", "reason": "manual" });
            ids.0.push(made(app, "/v1/suppressions", &rule).await);
        }
        "sender_unverified" => {
            let sender = json!({ "channel": "sms", "sender": "ACME", "countries": ["DK"] });
            ids.0.push(made(app, "/v1/senders", &sender).await);
        }
        "quota_exceeded" => {
            policy(app, json!({ "messages_per_month": 1 })).await;
            app.message(&sms()).await;
        }
        "template_missing_variable" => {
            let template = json!({ "name": "order", "default_locale": "en",
                "variables": [{ "name": "number", "type": "string", "example": "1042" }],
                "locales": { "en": { "sms": { "text": "Order {{ number }} has shipped" } } } });
            made(app, "/v1/templates", &template).await;
        }
        "rate_limited" => {
            policy(app, json!({ "rates": [{ "lane": "bulk", "messages": 1, "period_s": 60 }] })).await;
            app.message(&with(sms(), "/lane", json!("bulk"))).await;
        }
        "duplicate_suppressed" => {
            policy(app, json!({ "duplicate_window_s": 300 })).await;
            ids.0.push(app.message(&sms()).await.to_string());
        }
        "idempotency_mismatch" => {
            let first = Call::new("POST", "/v1/messages").key(LIVE).header("idempotency-key", "order-1042");
            assert_eq!(app.call(first.json(&sms())).await.status, 202);
        }
        "not_cancellable" => {
            let id = app.message(&sms()).await;
            let cancel = Call::new("POST", format!("/v1/messages/{id}/cancel")).key(LIVE);
            assert_eq!(app.call(cancel).await.status, 200);
            ids.0.push(id.to_string());
        }
        "version_conflict" | "precondition_required" => ids.0.push(made(app, "/v1/routes", &route).await),
        "overloaded" => {
            ids.0.push(app.message(&sms()).await.to_string());
            app.inbox.busy.store(true, Ordering::SeqCst);
        }
        "internal" => app.intake.panics.store(true, Ordering::SeqCst),
        _ => {}
    }
    ids
}

/// The answer to a section's request, after its preparation.
async fn answer(app: &App, section: &Section<'_>, ids: &Ids) -> Answer {
    let call = section.request(ids);
    if section.code != "idempotency_in_progress" {
        return app.call(call).await;
    }
    let held = app.intake.gate.write().await;
    let first = app.call(call.clone());
    tokio::pin!(first);
    tokio::select! {
        _ = &mut first => panic!("the intake is held"),
        () = app.intake.arrived.notified() => {}
    }
    let second = app.call(call).await;
    drop(held);
    assert_eq!(first.await.status, 202);
    second
}

/// A reply as the page shows it.
fn shown(answer: &Answer, ids: &Ids) -> String {
    let mut problem: Shown = serde_json::from_str(&answer.text).unwrap();
    problem.request_id = Ids::shown(&problem.request_id);
    let reason = StatusCode::from_u16(answer.status).unwrap().canonical_reason().unwrap();
    let mut text = format!("HTTP/1.1 {} {reason}\nContent-Type: application/problem+json\n", answer.status);
    for name in ["Allow", "Retry-After", "WWW-Authenticate"] {
        if let Some(value) = answer.header(&name.to_ascii_lowercase()) {
            text.push_str(&format!("{name}: {value}\n"));
        }
    }
    format!("{text}\n{}\n", ids.hide(&serde_json::to_string_pretty(&problem).unwrap()))
}

/// Regenerate replies with `HERMES_BLESS=1 cargo nextest run -p hermes-http-api error_page`.
#[tokio::test]
async fn every_reply_on_the_page_is_what_the_server_answers() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let mut written = page.clone();
    for section in Section::all(&page) {
        let app = App::start().await;
        let ids = prepare(&app, section.code).await;
        let answer = answer(&app, &section, &ids).await;
        assert_eq!(answer.code(), section.code, "{}", answer.text);
        let problem = answer.json();
        let layer = problem["layer"].as_str();
        let status = match layer {
            Some(layer) => format!("**{}**, layer `{layer}`.", answer.status),
            None => format!("**{}**, no layer.", answer.status),
        };
        assert!(section.text.contains(&status), "{} lacks: {status}", section.code);
        assert!(section.text.contains("\n**What to do.** "), "{} does not say what to do", section.code);
        written =
            written.replace(section.text, &section.text.replace(section.block(1), &shown(&answer, &ids)));
    }
    if std::env::var_os("HERMES_BLESS").is_some() {
        std::fs::write(PAGE, &written).unwrap();
    } else {
        assert_eq!(page, written, "docs/tenants/errors.md is stale: see this test's comment");
    }
}

#[tokio::test]
async fn every_code_has_a_section_and_every_problem_s_type_leads_to_it() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let told: Vec<_> = Section::all(&page).into_iter().map(|section| section.code).collect();
    let codes =
        contract::document()["components"]["schemas"]["Problem"]["properties"]["code"]["enum"].clone();
    assert_eq!(json!(told), codes, "sections are those of the table, in its order");

    let app = App::start().await;
    let problem = app.get(LIVE, "/v1/messages?limit=0").await.json();
    let (path, anchor) = problem["type"].as_str().unwrap().split_once('#').unwrap();
    assert_eq!(anchor, problem["code"]);
    let served = app.call(Call::new("GET", path)).await;
    assert_eq!((served.status, served.header("content-type")), (200, Some("text/html; charset=utf-8")));
    for code in told {
        assert!(served.text.contains(&format!("<h2 id=\"{code}\"><code>{code}</code></h2>")), "{code}");
    }
}
