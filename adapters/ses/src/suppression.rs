//! The suppression list of the account, or of the SES tenant that the connection names.
//!
//! Addresses on it are taken, counted and not written to. The list is read from the newest entry seen before: SES
//! filters by the time of an entry's last change.

use hermes_adapter_sdk::{
    Submission, by_status,
    contract::HttpResponse,
    delete, get, host, json, list_failure, percent_encoded, pick, put_json, rfc3339,
    suppression_list::{Addition, Answer, Entry, Operation, Page, Reason},
};
use serde_json::{Map, Value, json};

use crate::{endpoint, errors};

const PATH: &str = "/v2/email/suppression/addresses";
/// Addresses of one page.
const PAGE_SIZE: usize = 1_000;
/// How much of what was read is read again next time, in seconds: entries may show late.
const OVERLAP_S: u64 = 300;

/// What is read next: from when on, which page, and the newest entry so far. In seconds since 1970.
#[derive(Default)]
struct Cursor {
    since_s: u64,
    newest_s: u64,
    token: Option<String>,
}

pub(crate) fn request(operation: Operation) -> Result<Submission, Answer> {
    let (endpoint, auth) = endpoint().map_err(list_failure)?;
    let tenant = host::get_config("tenant_name").filter(|name| !name.is_empty());
    let url = format!("{endpoint}{PATH}");
    let query = tenant.as_deref().map(|name| format!("TenantName={}", percent_encoded(name)));
    Ok(match operation {
        Operation::Add(addition) => {
            let request = put_json(url, &body(&addition, tenant.as_deref()), auth);
            Submission { request, notes: b"a".to_vec() }
        }
        Operation::Remove(address) => {
            let query = query.map(|query| format!("?{query}")).unwrap_or_default();
            let url = format!("{url}/{}{query}", percent_encoded(&address));
            Submission { request: delete(url, auth), notes: b"r".to_vec() }
        }
        Operation::Page(cursor) => {
            let text = cursor.unwrap_or_default();
            let url = format!("{url}?{}", Cursor::read(&text).query(query));
            Submission { request: get(url, auth), notes: format!("p{text}").into_bytes() }
        }
    })
}

fn body(addition: &Addition, tenant: Option<&str>) -> Value {
    // There are two reasons; whoever opted out is closer to having complained.
    let reason = match addition.reason {
        Reason::HardBounce => "BOUNCE",
        Reason::OptOut | Reason::Complaint | Reason::Manual => "COMPLAINT",
    };
    let mut body = Map::new();
    body.insert("EmailAddress".to_owned(), json!(addition.address));
    body.insert("Reason".to_owned(), json!(reason));
    if let Some(tenant) = tenant {
        body.insert("TenantName".to_owned(), json!(tenant));
    }
    Value::Object(body)
}

pub(crate) fn answer(response: &HttpResponse, notes: &[u8]) -> Answer {
    let answer = json(&response.body);
    let code = errors::code(response, &answer);
    match (notes.split_first(), response.status, code.as_deref()) {
        (Some((b'a' | b'r', _)), 200..=299, _) => Answer::Done,
        // Not there: as wanted.
        (Some((b'r', _)), 404, Some("NotFoundException")) => Answer::Done,
        (Some((b'p', cursor)), 200, _) => match answer.pointer("/SuppressedDestinationSummaries") {
            Some(Value::Array(summaries)) => {
                let token = pick(&answer, "/NextToken").map(str::to_owned);
                Answer::Page(page(summaries, token, &Cursor::read(&String::from_utf8_lossy(cursor))))
            }
            _ => list_failure(by_status(response)),
        },
        // Tokens do not live for ever: the reading begins again.
        (Some((b'p', cursor)), 400, Some("InvalidNextTokenException")) => {
            let before = Cursor::read(&String::from_utf8_lossy(cursor));
            let again = Cursor { token: None, ..before };
            Answer::Page(Page {
                entries: Vec::new(),
                cursor: Some(again.write()),
                more: before_had_token(cursor),
            })
        }
        _ => list_failure(errors::refusal(response, &answer, "")),
    }
}

fn before_had_token(cursor: &[u8]) -> bool {
    Cursor::read(&String::from_utf8_lossy(cursor)).token.is_some()
}

fn page(summaries: &[Value], token: Option<String>, before: &Cursor) -> Page {
    let newest = summaries.iter().filter_map(|summary| seconds(summary.pointer("/LastUpdateTime")?)).max();
    let newest_s = before.newest_s.max(newest.unwrap_or_default());
    let more = token.is_some();
    let cursor = if more {
        Cursor { since_s: before.since_s, newest_s, token }
    } else {
        let since_s = before.since_s.max(newest_s.saturating_sub(OVERLAP_S));
        Cursor { since_s, newest_s, token: None }
    };
    Page { entries: summaries.iter().filter_map(entry).collect(), cursor: Some(cursor.write()), more }
}

fn entry(summary: &Value) -> Option<Entry> {
    let reason = match pick(summary, "/Reason") {
        Some("BOUNCE") => Some(Reason::HardBounce),
        Some("COMPLAINT") => Some(Reason::Complaint),
        _ => None,
    };
    Some(Entry { address: pick(summary, "/EmailAddress")?.to_owned(), reason })
}

/// AWS writes times as seconds, with a fraction.
fn seconds(value: &Value) -> Option<u64> {
    let seconds = value.as_f64().filter(|seconds| (0.0..1e11).contains(seconds))?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some(seconds as u64)
}

impl Cursor {
    /// `since.newest.token`.
    fn read(text: &str) -> Self {
        let mut parts = text.splitn(3, '.');
        let mut number = || parts.next().and_then(|part| part.parse().ok()).unwrap_or_default();
        let (since_s, newest_s) = (number(), number());
        let token = parts.next().filter(|token| !token.is_empty()).map(str::to_owned);
        Self { since_s, newest_s, token }
    }

    fn write(&self) -> String {
        format!("{}.{}.{}", self.since_s, self.newest_s, self.token.as_deref().unwrap_or_default())
    }

    fn query(&self, tenant: Option<String>) -> String {
        // In the order of their names, as they are signed.
        let token = self.token.as_deref().map(|token| format!("NextToken={}", percent_encoded(token)));
        let since = (self.since_s > 0).then(|| rfc3339(self.since_s));
        let since = since.map(|since| format!("StartDate={}", percent_encoded(&since)));
        let size = Some(format!("PageSize={PAGE_SIZE}"));
        [token, size, since, tenant].into_iter().flatten().collect::<Vec<_>>().join("&")
    }
}
