//! Documentation for people, without anything from elsewhere.

pub(crate) mod examples;

use std::sync::{Arc, LazyLock};

use axum::{
    extract::State,
    response::{Html, IntoResponse as _, Response},
};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::{
    api::Api,
    operation::{Need, Operation},
    problem::Code,
    reply,
    router::Routes,
};

/// Renders `/openapi.json` in the browser.
const PAGE: &str = include_str!("docs/page.html");
const HOME: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Hermes</title>\
    <p>Hermes delivers messages. <a href=\"/docs\">Documentation</a>, \
    <a href=\"/openapi.json\">OpenAPI document</a>.</p></html>";
const POLICY: (HeaderName, HeaderValue) = (
    HeaderName::from_static("content-security-policy"),
    HeaderValue::from_static(
        "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'",
    ),
);

static DOCS: LazyLock<String> = LazyLock::new(|| {
    let row = |code: &Code| {
        let name = code.as_str();
        format!(
            "<tr id=\"{name}\"><td><code>{name}</code></td><td>{}</td><td>{}</td></tr>\n",
            code.status().as_u16(),
            code.title()
        )
    };
    PAGE.replace("<!-- codes -->", &Code::ALL.iter().map(row).collect::<String>())
});

pub(crate) fn routes(routes: &mut Routes) {
    let document = Operation::get(Need::Open, "/openapi.json", "getOpenApi", "This document");
    routes.add(document.plain(200, "The OpenAPI document.", Some("application/json")), openapi);
    let page = Operation::get(Need::Open, "/docs", "getDocs", "The document for people");
    routes.add(page.plain(200, "A page.", Some("text/html")), docs);
    let home = Operation::get(Need::Open, "/", "getHome", "Links to the documentation");
    routes.add(home.plain(200, "A page.", Some("text/html")), home_page);
}

async fn openapi(State(api): State<Arc<Api>>) -> Response {
    reply::json_text(StatusCode::OK, api.document.clone())
}

async fn docs() -> Response {
    ([POLICY], Html(DOCS.as_str())).into_response()
}

async fn home_page() -> Response {
    Html(HOME).into_response()
}
