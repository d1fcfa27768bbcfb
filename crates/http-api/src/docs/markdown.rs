//! Our own Markdown as HTML: headings get the anchors that GitHub gives them, links between guides stay links.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd};

use super::pages;

/// Renders a guide, or a description of the document.
pub(super) fn html(source: &str) -> String {
    let mut events: Vec<Event<'_>> = Parser::new_ext(source, Options::ENABLE_TABLES).collect();
    for index in 0..events.len() {
        let anchor = anchor(&events, index);
        if let Some(Event::Start(Tag::Heading { id, .. })) = events.get_mut(index) {
            *id = Some(anchor.into());
        }
    }
    let mut dropped = Vec::new();
    let kept = events.into_iter().filter_map(|event| match event {
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let target = target(&dest_url);
            dropped.push(target.is_none());
            Some(Event::Start(Tag::Link { link_type, dest_url: target?, title, id }))
        }
        Event::End(TagEnd::Link) => (dropped.pop() != Some(true)).then_some(event),
        // Marks for tests.
        Event::Html(_) | Event::InlineHtml(_) => None,
        other => Some(other),
    });
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, kept);
    html
}

/// Text as the inside of a paragraph.
pub(super) fn line(source: &str) -> String {
    let html = html(source);
    let inside = html.trim().strip_prefix("<p>").and_then(|rest| rest.strip_suffix("</p>"));
    inside.map_or_else(|| html.clone(), str::to_owned)
}

/// The anchor of a heading that starts at `index`: its words in lower case, joined by `-`.
fn anchor(events: &[Event<'_>], index: usize) -> String {
    let inside =
        events.iter().skip(index + 1).take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
    let mut anchor = String::new();
    for event in inside {
        if let Event::Text(text) | Event::Code(text) = event {
            let lower = text.to_lowercase();
            anchor.extend(lower.chars().filter_map(|character| match character {
                ' ' => Some('-'),
                '-' | '_' => Some(character),
                other => other.is_alphanumeric().then_some(other),
            }));
        }
    }
    anchor
}

/// Where a link leads from here; `None` for files that are not served.
fn target<'a>(link: &CowStr<'a>) -> Option<CowStr<'a>> {
    if link.starts_with('#') || link.starts_with("https://") || link.starts_with('/') {
        return Some(link.clone());
    }
    let (file, fragment) = link.split_once('#').map_or((&**link, None), |(file, part)| (file, Some(part)));
    let name = file.rsplit('/').next()?.strip_suffix(".md")?;
    let page = pages::ALL.iter().find(|page| page.name == name)?;
    let fragment = fragment.map(|part| format!("#{part}")).unwrap_or_default();
    Some(format!("/docs/{}{fragment}", page.name).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_anchors_and_links_lead_to_what_is_served() {
        assert_eq!(
            html("## What `rate_limited` means?"),
            "<h2 id=\"what-rate_limited-means\">What <code>rate_limited</code> means?</h2>\n"
        );
        let links = "[a](../webhooks.md#verify) [b](cascades.md) [c](../operations.md) [d](#x) <b>e</b>";
        assert_eq!(
            line(links),
            "<a href=\"/docs/webhooks#verify\">a</a> <a href=\"/docs/cascades\">b</a> c <a href=\"#x\">d</a> e"
        );
    }
}
