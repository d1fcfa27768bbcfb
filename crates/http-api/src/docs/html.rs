//! What all pages share.

use std::fmt::Write as _;

use super::pages;

const STYLE: &str = include_str!("style.css");

/// Text that means nothing to a browser but itself.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A whole page around `body`, which is HTML.
pub(super) fn page(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title} · Hermes</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<nav>{}</nav>\n<main>\n{body}</main>\n</body>\n</html>\n",
        links()
    )
}

/// What is at `/`.
pub(super) fn home() -> String {
    page(
        "Hermes",
        "<h1>Hermes</h1>\n<p>Delivers messages: SMS, then email, then push, until one arrives.</p>\n",
    )
}

fn links() -> String {
    let mut links = String::from("<a href=\"/docs\">Reference</a>");
    for page in pages::ALL {
        // Writing to a string cannot fail.
        let _ = write!(links, " <a href=\"/docs/{}\">{}</a>", page.name, page.title);
    }
    links.push_str(" <a href=\"/openapi.json\">openapi.json</a>");
    links
}
