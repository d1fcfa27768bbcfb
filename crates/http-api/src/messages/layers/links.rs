//! Hosts that a text leads to, as a browser or a phone would resolve them.

mod entities;

use std::collections::BTreeSet;

use url::{Host, Url};

use entities::decoded;

/// Public link shorteners. Carriers filter them, because many senders share one domain and none can be told from
/// another (CTIA, Messaging Principles and Best Practices, section 5.3, "shared public URL shorteners").
pub(super) const SHORTENERS: [&str; 14] = [
    "bit.ly",
    "buff.ly",
    "cutt.ly",
    "goo.gl",
    "is.gd",
    "ow.ly",
    "rb.gy",
    "rebrand.ly",
    "s.id",
    "shorturl.at",
    "t.co",
    "t.ly",
    "tiny.cc",
    "tinyurl.com",
];

/// What separates the labels of a name, by UTS 46.
const DOTS: [char; 4] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];

/// Hosts in plain `text`: of links with a scheme, and of words like `bit.ly/abc` that phones make links of. In lower case,
/// names of other scripts as `xn--…`.
pub(super) fn hosts(text: &str) -> BTreeSet<String> {
    let between = |char: char| {
        char.is_whitespace() || matches!(char, '"' | '\'' | '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';')
    };
    text.split(between).filter_map(host).collect()
}

/// Hosts in `html`: those of its text, and those of its attributes, where a browser takes more for a link.
pub(super) fn hosts_in_html(html: &str) -> BTreeSet<String> {
    let mut found = hosts(&decoded(html));
    found.extend(values(html).filter_map(|value| host_of_link(&decoded(value))));
    found
}

/// Whether `host` is `domain` or below it.
pub(super) fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

fn host(word: &str) -> Option<String> {
    let start = word.char_indices().find_map(|(at, _)| {
        let rest = word.get(at..)?;
        let scheme =
            |name: &str| rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        ["https://", "http://"].into_iter().find(|name| scheme(name)).map(|name| &rest[name.len()..])
    });
    let has_scheme = start.is_some();
    let authority = start.unwrap_or(word).split(['/', '?', '#', '\\']).next()?;
    if !has_scheme && authority.contains('@') {
        return None; // A mail address.
    }
    let written = authority.rsplit('@').next()?.split(':').next()?;
    if !has_scheme && !written.contains(DOTS) {
        return None; // A number is the address of a host, too, but nobody makes a link of one.
    }
    // The end of a sentence is no part of a name.
    let host = resolved(written.trim_end_matches(|char: char| !char.is_alphanumeric()));
    (host.contains('.') && !host.starts_with('.')).then_some(host)
}

/// The name that `written` is looked up under: percent-decoded and mapped by UTS 46, which knows other dots than ours, takes
/// wide and styled letters for plain ones, and ignores what has no width.
fn resolved(written: &str) -> String {
    let host = Host::parse(written).map_or_else(|_| written.to_lowercase(), |host| host.to_string());
    host.trim_end_matches('.').to_owned()
}

/// Whatever may be the value of an attribute. It knows no tags: what is a link to some reader of the document must be
/// found, whatever stands around it.
fn values(html: &str) -> impl Iterator<Item = &str> {
    let unquoted = html.split(|char: char| char.is_ascii_whitespace() || char == '>');
    let unquoted = unquoted.filter_map(|piece| Some(piece.split_once('=')?.1));
    html.split('"').chain(html.split('\'')).chain(unquoted)
}

/// The host that a browser goes to for the value of a `href`, by the URL standard: line breaks are nothing wherever they
/// stand, `\` is `/`, and how many of them follow the scheme does not matter. A link may have no scheme.
fn host_of_link(value: &str) -> Option<String> {
    let link = value.replace(['\t', '\n', '\r'], "");
    let link = link.trim_matches(|char: char| char <= ' ');
    let slash = |at| link.as_bytes().get(at).is_some_and(|byte| matches!(byte, b'/' | b'\\'));
    let has_scheme = link.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("http"));
    let url = match (has_scheme, slash(0) && slash(1)) {
        (true, _) => Url::parse(link),
        (false, true) => Url::parse(&format!("https:{link}")),
        (false, false) => return None,
    };
    let host = url.ok()?.host_str()?.trim_end_matches('.').to_owned();
    host.contains('.').then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(found: BTreeSet<String>) -> Vec<String> {
        found.into_iter().collect()
    }

    #[test]
    fn hosts_are_found_as_phones_find_them() {
        let text = "See https://Shop.Example/a?b=1, bit.ly/x or (HTTP://user@evil.example:8080). Mail a@b.dk. v1.2 end.";
        assert_eq!(all(hosts(text)), ["bit.ly", "evil.example", "shop.example", "v1.2"]);
        assert_eq!(all(hosts("<a href='https://t.co/1'>x</a>")), ["t.co"]);
        assert!(hosts("no links here.").is_empty());
    }

    #[test]
    fn a_name_is_the_one_that_it_is_looked_up_under() {
        for written in [
            "https://evil.example",
            "https://EVIL.example./path",
            "https://evil\u{3002}example",
            "https://evil\u{ff0e}example",
            "https://evil\u{ff61}example/",
            "https://evil%2eexample/",
            "https://%65vil.example",
            "https://ev\u{200b}il.example",
            "https://ev\u{ad}il.ex\u{2060}ample",
            "https://\u{feff}evil.example",
            "https://\u{ff45}\u{ff56}\u{ff49}\u{ff4c}.example",
            "https://\u{1d556}vil.example",
            "https://good.example@evil.example",
            "https://good.example:443@evil.example:8443",
            "https://evil.example\\@good.example",
            "evil\u{3002}example/offer",
            "ev\u{200b}il.example",
            "Go to https://evil.example!",
            "\u{201c}https://evil.example\u{201d}",
        ] {
            assert_eq!(all(hosts(written)), ["evil.example"], "{written:?}");
        }
        assert_eq!(all(hosts("https://b\u{fc}cher.example")), ["xn--bcher-kva.example"]);
    }

    #[test]
    fn html_hides_no_host() {
        for html in [
            "<a href='https://evil&#46;example'>x</a>",
            "<a href='https://evil&#46example'>x</a>",
            "<a href=\"https://evil&#x2E;example/\">x</a>",
            "<a href=\"https://evil&period;example/\">x</a>",
            "<a href=\"https&colon;&sol;&sol;evil.example\">x</a>",
            "<a href=https://evil&#0046;example>x</a>",
            "<a href = 'https://evil.ex&#10;ample'>x</a>",
            "<a href='ht\ntps://evil.ex\tample'>x</a>",
            "<a href='https://ev&Tab;il.example'>x</a>",
            "<a href='https://ev&ZeroWidthSpace;il.example'>x</a>",
            "<a href='https://ev&shyil.example'>x</a>",
            "<a href='https://evil%2&#101;example'>x</a>",
            "<a href='https://&eopf;vil.example'>x</a>",
            "<a href='//evil.example/a'>x</a>",
            "<a href='\\\\evil.example'>x</a>",
            "<a href='https:/evil.example'>x</a>",
            "<a href='https:\\\\evil.example'>x</a>",
            "<a href=' &#1;https:evil.example'>x</a>",
            "<a href=//evil.example/a>x</a>",
            "<a href=\"https://a&quot;b'c,d@evil.example\">x</a>",
            "<a href=https://a\"b@evil.example>x</a>",
            "<p>x=\"</p><a href=\"https://ev&#10;il.example\">x</a>",
            "<a href=https://ev&#10;il.example\nclass=x>x</a>",
            "<p>Buy&#10;evil.example</p>",
            "<form action=\"https://evil.example\">",
            "<meta http-equiv=refresh content=\"0;url=https://evil&#46;example\">",
            "<p>evil&#46;example</p>",
        ] {
            let found = hosts_in_html(html);
            assert!(found.contains("evil.example"), "{html:?}: {found:?}");
        }
    }

    #[test]
    fn what_only_looks_like_a_link_in_html_is_none() {
        for html in [
            "<p title='a &lt; b &amp;c &unknown; &#xffffffff; &# &'>1 = 2</p>",
            "<a href='/path'>x</a><a href='mailto:a@b.dk'>x</a><a href='page'>x</a>",
            "<td width='50' style='color: red'> // a remark",
        ] {
            assert!(hosts_in_html(html).is_empty(), "{html:?}: {:?}", hosts_in_html(html));
        }
    }

    #[test]
    fn a_domain_covers_what_is_below_it_and_nothing_beside_it() {
        assert!(is_below("bit.ly", "bit.ly") && is_below("x.bit.ly", "bit.ly"));
        assert!(!is_below("rabbit.ly", "bit.ly") && !is_below("bit.ly.evil.example", "bit.ly"));
    }
}
