//! Documentation for people: guides, a section per problem code, and the reference of the API.
//!
//! All of it is part of the program and made once, without a script, a font or anything else from elsewhere.

pub(crate) mod examples;
mod html;
mod markdown;
mod pages;
mod reference;

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use axum::{
    extract::{Path, State},
    response::{Html, IntoResponse as _, Response},
};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use crate::{
    api::Api,
    openapi,
    operation::{Need, Operation},
    problem::Problem,
    reply,
    router::Routes,
};

/// Nothing but the page itself and its own style: no script, no image, no connection.
const POLICY: (HeaderName, HeaderValue) = (
    HeaderName::from_static("content-security-policy"),
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'"),
);

/// The reference, and the links to everything else.
static REFERENCE: LazyLock<String> = LazyLock::new(|| {
    let document = serde_json::from_str(&openapi::document()).unwrap_or_default();
    html::page("Hermes API", &reference::html(&document))
});

/// Guides, by name.
static GUIDES: LazyLock<BTreeMap<&'static str, String>> = LazyLock::new(|| {
    let guide = |page: &pages::Page| (page.name, html::page(page.title, &markdown::html(page.source)));
    pages::ALL.iter().map(guide).collect()
});

pub(crate) fn routes(routes: &mut Routes) {
    let document = Operation::get(Need::Open, "/openapi.json", "getOpenApi", "This document");
    routes.add(document.plain(200, "The OpenAPI document.", Some("application/json")), openapi);
    let reference = Operation::get(Need::Open, "/docs", "getDocs", "This document for people");
    routes.add(reference.plain(200, "A page.", Some("text/html")), docs);
    let names: Vec<_> = pages::ALL.iter().map(|page| page.name).collect();
    let guide = Operation::get(Need::Open, "/docs/{page}", "getGuide", "A guide for people")
        .path_parameter("page", json!({ "enum": names }));
    routes.add(guide.plain(200, "A page.", Some("text/html")), guide_page);
    let home = Operation::get(Need::Open, "/", "getHome", "Links to the documentation");
    routes.add(home.plain(200, "A page.", Some("text/html")), home_page);
}

/// The page that people mean who put a slash behind its path.
pub(crate) fn without_slash(path: &str) -> Option<&str> {
    let page = path.strip_suffix('/')?;
    let is_guide = |name: &str| pages::ALL.iter().any(|page| page.name == name);
    (page == "/docs" || page.strip_prefix("/docs/").is_some_and(is_guide)).then_some(page)
}

async fn openapi(State(api): State<Arc<Api>>) -> Response {
    reply::json_text(StatusCode::OK, api.document.clone())
}

async fn docs() -> Response {
    ([POLICY], Html(REFERENCE.as_str())).into_response()
}

async fn guide_page(Path(name): Path<String>) -> Result<Response, Problem> {
    let guide = GUIDES.get(name.as_str()).ok_or_else(Problem::not_found)?;
    Ok(([POLICY], Html(guide.as_str())).into_response())
}

async fn home_page() -> Response {
    ([POLICY], Html(html::home())).into_response()
}
