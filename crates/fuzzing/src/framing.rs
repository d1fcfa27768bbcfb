//! How bytes become a webhook or an answer: written as HTTP is, so that people can read a seed.
//!
//! ```text
//! POST /receipts/provider/prv_1?ref=1     or: twilio send 201
//! content-type: application/json
//!
//! {"status":"delivered"}
//! ```
//!
//! Any bytes mean something. A webhook is a GET if it begins with `GET `, else a POST; what follows the first
//! space is its path and query. An answer begins with the adapter, the call and the status: words that name none
//! count as numbers do. Lines without a colon are no headers. The body is all that follows the first empty line,
//! byte by byte; everything before it is text.

use bytes::Bytes;
use hermes_domain::UnixMillis;
use hermes_ports::http::{HttpResponse, Method, Webhook};

/// When every webhook arrives: 2026-11-24T02:00:00Z.
pub(crate) const RECEIVED_AT: UnixMillis = UnixMillis(1_795_485_600_000);
/// Longer inputs are not tried: they take longer and say no more.
pub(crate) const INPUT_BYTES_MAX: usize = 64 << 10;
const ORIGIN: &str = "https://hermes.example.com";

/// A webhook.
pub(crate) fn webhook(input: &[u8]) -> Webhook {
    let Framed { first, headers, body } = framed(input);
    let (method, target) = first.split_once(' ').unwrap_or(("", &first));
    let slash = if target.starts_with('/') { "" } else { "/" };
    Webhook {
        method: if method == "GET" { Method::Get } else { Method::Post },
        url: format!("{ORIGIN}{slash}{target}"),
        headers,
        body,
        received_at: RECEIVED_AT,
    }
}

/// An answer, and the words that say to which call of which adapter.
pub(crate) fn answer(input: &[u8]) -> (String, String, HttpResponse) {
    let Framed { first, headers, body } = framed(input);
    let mut words = first.split(' ').map(str::to_owned);
    let mut word = || words.next().unwrap_or_default();
    let (adapter, call, status) = (word(), word(), word());
    let status = match status.parse() {
        Ok(status @ 100..=599) => status,
        Ok(_) | Err(_) => 100 + u16::try_from(number(&status) % 500).unwrap_or_default(),
    };
    (adapter, call, HttpResponse { status, headers, body })
}

/// The one of `names` that a word means: its own, else any.
pub(crate) fn index(word: &str, names: &[String]) -> usize {
    let named = names.iter().position(|name| name == word);
    named.unwrap_or_else(|| number(word) % names.len().max(1))
}

fn number(word: &str) -> usize {
    word.bytes().map(usize::from).sum()
}

struct Framed {
    first: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

fn framed(input: &[u8]) -> Framed {
    let end = input.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = match end.and_then(|at| Some((input.get(..at)?, input.get(at + 2..)?))) {
        Some(parts) => parts,
        None => (input, b"".as_slice()),
    };
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split('\n');
    let first = lines.next().unwrap_or_default().to_owned();
    let pairs = lines.filter_map(|line| line.split_once(':'));
    let headers =
        pairs.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned())).collect();
    Framed { first, headers, body: Bytes::copy_from_slice(body) }
}
