//! The OpenAPI document as a page: operations by tag, then the schemas that they speak of.

mod schema;

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Map, Value};

use super::{html::escape, markdown};

/// An operation with its method and path.
struct Operation<'a> {
    verb: String,
    path: &'a str,
    about: &'a Value,
}

/// The body of the page.
pub(super) fn html(document: &Value) -> String {
    let tags = by_tag(document);
    let mut page = String::from(
        "<h1>Hermes API</h1>\n<p>Send <code>Authorization: Bearer &lt;key&gt;</code> with every request that needs a key: \
         <code>hk_live_…</code> or <code>hk_test_…</code> below <code>/v1</code>, <code>hak_…</code> below \
         <code>/admin/v1</code>. Whatever is refused is told as a <a href=\"#schema-Problem\">problem</a>; \
         <a href=\"/docs/errors\">every code has a section</a>. This page for machines: \
         <a href=\"/openapi.json\">openapi.json</a>.</p>\n",
    );
    for (tag, operations) in &tags {
        contents(&mut page, tag, operations);
    }
    for (tag, operations) in &tags {
        let _ = writeln!(page, "<h2 id=\"tag-{}\">{}</h2>", escape(tag), escape(tag));
        operations.iter().for_each(|operation| render(&mut page, document, operation));
    }
    page.push_str("<h2 id=\"schemas\">Schemas</h2>\n");
    for (name, schema) in object(&document["components"]["schemas"]) {
        schema::section(&mut page, name, schema);
    }
    page
}

/// Those for tenants first; what tenants do not call comes last.
fn by_tag(document: &Value) -> Vec<(&str, Vec<Operation<'_>>)> {
    let mut tags: BTreeMap<&str, Vec<Operation<'_>>> = BTreeMap::new();
    for (path, item) in object(&document["paths"]) {
        for (verb, about) in object(item) {
            let tag = about["tags"][0].as_str().unwrap_or_default();
            tags.entry(tag).or_default().push(Operation { verb: verb.to_uppercase(), path, about });
        }
    }
    let mut tags: Vec<_> = tags.into_iter().collect();
    let rank =
        |tag: &str| ["messages", "", "receipts", "admin", "service"].iter().position(|known| *known == tag);
    tags.sort_by_key(|(tag, _)| rank(tag).unwrap_or(1));
    tags
}

fn contents(page: &mut String, tag: &str, operations: &[Operation<'_>]) {
    let tag = escape(tag);
    let _ = writeln!(page, "<p><a href=\"#tag-{tag}\"><b>{tag}</b></a></p>\n<table class=\"toc\">");
    for Operation { verb, path, about } in operations {
        let _ = writeln!(
            page,
            "<tr><td><span class=\"verb\">{verb}</span></td><td><a href=\"#{}\"><code>{}</code></a></td><td>{}</td></tr>",
            id(about),
            escape(path),
            escape(text(&about["summary"]))
        );
    }
    page.push_str("</table>\n");
}

fn render(page: &mut String, document: &Value, operation: &Operation<'_>) {
    let Operation { verb, path, about } = operation;
    let _ = writeln!(
        page,
        "<h3 id=\"{}\"><span class=\"verb\">{verb}</span> <code>{}</code></h3>\n<p>{}. {}</p>",
        id(about),
        escape(path),
        escape(text(&about["summary"])),
        needs(about)
    );
    if let Some(description) = about["description"].as_str() {
        page.push_str(&markdown::html(description));
    }
    parameters(page, document, about);
    body(page, about);
    replies(page, about);
}

/// Whose key works. What scope or role it needs is part of the description.
fn needs(about: &Value) -> &'static str {
    let scheme = about["security"][0].as_object().and_then(|scheme| scheme.keys().next());
    match scheme.map(String::as_str) {
        Some("tenantKey") => "With a tenant's key.",
        Some("operatorKey") => "With an operator's key.",
        _ => "Without a key.",
    }
}

fn parameters(page: &mut String, document: &Value, about: &Value) {
    let list = about["parameters"].as_array().map_or(&[] as &[Value], Vec::as_slice);
    if list.is_empty() {
        return;
    }
    page.push_str("<table>\n<tr><th>parameter</th><th>in</th><th>value</th><th></th></tr>\n");
    for given in list {
        let reference = given["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        let parameter = reference.and_then(|pointer| document.pointer(pointer)).unwrap_or(given);
        let _ = writeln!(
            page,
            "<tr><td><code>{}</code>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(text(&parameter["name"])),
            if parameter["required"] == true { ", required" } else { "" },
            escape(text(&parameter["in"])),
            schema::kind(&parameter["schema"]),
            markdown::line(text(&parameter["description"]))
        );
    }
    page.push_str("</table>\n");
}

fn body(page: &mut String, about: &Value) {
    for (kind, content) in object(&about["requestBody"]["content"]) {
        let _ =
            writeln!(page, "<p>Body: <code>{}</code> {}</p>", escape(kind), schema::kind(&content["schema"]));
        if content["example"].is_object() {
            let example = serde_json::to_string_pretty(&content["example"]).unwrap_or_default();
            let _ = writeln!(page, "<pre><code>{}</code></pre>", escape(&example));
        }
    }
}

fn replies(page: &mut String, about: &Value) {
    page.push_str("<table>\n<tr><th>reply</th><th></th><th>body</th><th>headers</th></tr>\n");
    for (status, reply) in object(&about["responses"]) {
        if status == "default" {
            page.push_str("<tr><td>other</td><td>The request was refused.</td><td><a href=\"#schema-Problem\">Problem</a></td><td></td></tr>\n");
            continue;
        }
        let headers = object(&reply["headers"]).map(|(name, _)| format!("<code>{}</code>", escape(name)));
        let contents = object(&reply["content"]).map(|(kind, content)| match content["schema"].is_object() {
            true => schema::kind(&content["schema"]),
            false => format!("<code>{}</code>", escape(kind)),
        });
        let _ = writeln!(
            page,
            "<tr><td>{status}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            markdown::line(text(&reply["description"])),
            contents.collect::<Vec<_>>().join(", "),
            headers.collect::<Vec<_>>().join(" ")
        );
    }
    page.push_str("</table>\n");
}

fn id(about: &Value) -> String {
    escape(text(&about["operationId"]))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The entries of an object; of anything else none.
fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}
