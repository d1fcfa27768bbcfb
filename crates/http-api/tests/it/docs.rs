//! Pages for people: everything is in them, every link leads somewhere, nothing comes from elsewhere.

use std::collections::BTreeMap;

use hermes_domain::event::OperationalKind;
use serde_json::Value;

use crate::{
    app::{App, LIVE},
    client::{self, Call},
    contract,
};

/// Every page of the documentation, by its path.
async fn pages() -> BTreeMap<String, String> {
    let app = App::start().await;
    let guide = &contract::document()["paths"]["/docs/{page}"]["get"]["parameters"][0]["schema"]["enum"];
    let guides = guide.as_array().unwrap().iter().map(|name| format!("/docs/{}", name.as_str().unwrap()));
    let mut pages = BTreeMap::new();
    for path in guides.chain(["/".to_owned(), "/docs".to_owned()]) {
        let answer = app.call(Call::new("GET", &path)).await;
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert_eq!(policy, "default-src 'none'; style-src 'unsafe-inline'", "{path}");
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        pages.insert(path, answer.text);
    }
    pages
}

fn attributes<'a>(page: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    page.split(name).skip(1).filter_map(|rest| rest.strip_prefix("=\"")?.split('"').next())
}

#[tokio::test]
async fn the_reference_holds_every_operation_with_what_it_needs_and_every_schema() {
    let pages = pages().await;
    let reference = &pages["/docs"];
    let document = contract::document();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (verb, operation) in item.as_object().unwrap() {
            let heading = format!(
                "<h3 id=\"{}\"><span class=\"verb\">{}</span> <code>{path}</code></h3>",
                operation["operationId"].as_str().unwrap(),
                verb.to_uppercase()
            );
            assert!(reference.contains(&heading), "{heading}");
        }
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(reference.contains(&format!("<h3 id=\"schema-{name}\">")), "{name}");
    }
    let part = |id: &str| {
        let after = reference.split(&format!("<h3 id=\"{id}\">")).nth(1).unwrap();
        after.split("<h3 ").next().unwrap().to_owned()
    };
    let send = part("sendMessage");
    for told in [
        "With a tenant's key.",
        "<code>send</code>",
        "<code>Idempotency-Key</code>",
        "<a href=\"#schema-SendRequest\">SendRequest</a>",
        "Order 1042 has shipped",
        "<td>202</td>",
        "<a href=\"#schema-MessageAccepted\">MessageAccepted</a>",
        "<a href=\"#schema-Problem\">Problem</a>",
    ] {
        assert!(send.contains(told), "{told}: {send}");
    }
    let request = part("schema-SendRequest");
    for told in
        ["<code>to</code>, required", "<code>to.push[].token</code>, required", "list of (text 1–128) ≤ 10"]
    {
        assert!(request.contains(told), "{told}: {request}");
    }
}

#[tokio::test]
async fn every_link_of_a_page_leads_somewhere() {
    let pages = pages().await;
    let mut links = 0;
    for (path, page) in &pages {
        for link in attributes(page, "href") {
            links += 1;
            if link.starts_with("https://") || link == "/openapi.json" {
                continue;
            }
            let (target, anchor) =
                link.split_once('#').map_or((link, None), |(target, id)| (target, Some(id)));
            let target = if target.is_empty() { path } else { target };
            let found = pages.get(target).unwrap_or_else(|| panic!("{path}: {link}"));
            assert!(anchor.is_none_or(|id| found.contains(&format!("id=\"{id}\""))), "{path}: {link}");
        }
    }
    assert!(links > 300, "{links}");
}

#[tokio::test]
async fn the_pages_need_nothing_from_elsewhere() {
    for (path, page) in pages().await {
        for foreign in ["<script", "src=", "<link", "<img", "<iframe", "@import", "url("] {
            assert!(!page.contains(foreign), "{path}: {foreign}");
        }
    }
    let app = App::start().await;
    let served: Value = app.call(Call::new("GET", "/openapi.json")).await.json();
    assert_eq!(&served, contract::document());
    for path in ["/docs", "/docs/webhooks"] {
        // No page of its own, so the document says nothing of it.
        let moved = client::send(app.address, &Call::new("GET", format!("{path}/"))).await;
        assert_eq!((moved.status, moved.header("location")), (308, Some(path)));
    }
    for nowhere in ["/docs/nothing/", "/docs//", "/openapi.json/", "//evil.example/docs/"] {
        assert_eq!(app.call(Call::new("GET", nowhere)).await.status, 404, "{nowhere}");
    }
    let unknown = app.call(Call::new("GET", "/docs/nothing")).await;
    assert_eq!((unknown.status, unknown.code()), (404, "not_found".into()));
}

#[tokio::test]
async fn the_messages_that_the_guides_show_are_accepted() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/tenants/");
    let mut accepted = 0;
    for guide in ["quick-start", "cascades"] {
        let text = std::fs::read_to_string(format!("{folder}{guide}.md")).unwrap();
        for block in text.split("<!-- accepted -->\n```json\n").skip(1) {
            let message: Value = serde_json::from_str(block.split("```").next().unwrap()).unwrap();
            let answer = App::start().await.post(LIVE, "/v1/messages", &message).await;
            assert_eq!(
                (answer.status, &answer.json()["warnings"]),
                (202, &serde_json::json!([])),
                "{}",
                answer.text
            );
            accepted += 1;
        }
    }
    assert_eq!(accepted, 3);
}

#[tokio::test]
async fn the_guide_to_webhooks_says_when_each_operational_event_is_sent() {
    let guide = &pages().await["/docs/webhooks"];
    for kind in OperationalKind::ALL {
        let rows = guide
            .split("<tr>")
            .filter(|row| row.contains(&format!("<td><code>{}</code></td>", kind.as_str())));
        let rows: Vec<_> = rows.collect();
        assert_eq!(rows.len(), 1, "{kind:?}: {rows:?}");
        assert!(!rows[0].contains("reserved"), "{}", rows[0]);
    }
}
