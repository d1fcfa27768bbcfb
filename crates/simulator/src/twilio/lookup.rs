//! Reading messages and accounts.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::{HeaderMap, StatusCode, Uri};
use serde::Serialize;
use serde_json::{Value, json};

use super::{auth, fault, fault::Fault, message::Message};
use crate::{answer, clock, world::World};

const PAGE_SIZE_DEFAULT: usize = 50;
const PAGE_SIZE_MAX: usize = 1000;

/// `GET …/Messages/{Sid}.json`.
pub(super) async fn message(
    State(world): State<Arc<World>>,
    Path((account, message)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let found = auth::log_in(&world.twilio, &headers, &account, uri.path()).and_then(|account| {
        message
            .strip_suffix(".json")
            .and_then(|sid| world.twilio.messages.find(sid))
            .filter(|message| message.account_sid == account.account_sid)
            .ok_or_else(|| fault::not_found(uri.path()))
    });
    match found {
        Ok(message) => answer::json(StatusCode::OK, &message.resource(clock::now())),
        Err(fault) => fault.into_response(),
    }
}

/// `GET …/Messages.json`: newest first.
pub(super) async fn search(
    State(world): State<Arc<World>>,
    Path(account): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let found = auth::log_in(&world.twilio, &headers, &account, uri.path()).and_then(|account| {
        let search = Search::parse(uri.query().unwrap_or_default())?;
        let skip = search.page * search.page_size;
        // One more than a page, to see whether there is another.
        let found = world.twilio.messages.search(skip, search.page_size + 1, |message| {
            message.account_sid == account.account_sid && search.matches(message)
        });
        Ok((search, found))
    });
    match found {
        Ok((search, found)) => answer::json(StatusCode::OK, &search.page_of(&uri, &found)),
        Err(fault) => fault.into_response(),
    }
}

#[derive(Default)]
struct Search {
    to: Option<String>,
    from: Option<String>,
    sent_on: Option<String>,
    sent_from: Option<String>,
    sent_until: Option<String>,
    page_size: usize,
    page: usize,
}

impl Search {
    fn parse(query: &str) -> Result<Self, Fault> {
        let mut search = Self { page_size: PAGE_SIZE_DEFAULT, ..Self::default() };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.into_owned();
            match &*name {
                "To" => search.to = Some(value),
                "From" => search.from = Some(value),
                "DateSent" => search.sent_on = Some(value),
                "DateSent>" => search.sent_from = Some(value),
                "DateSent<" => search.sent_until = Some(value),
                "PageSize" => search.page_size = number(&value, 1..=PAGE_SIZE_MAX)?,
                "Page" => search.page = number(&value, 0..=usize::MAX / PAGE_SIZE_MAX)?,
                _ => {}
            }
        }
        Ok(search)
    }

    fn matches(&self, message: &Message) -> bool {
        let is_or_unasked = |wanted: &Option<String>, value: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| value.is_some_and(|value| value == wanted))
        };
        // Days compare as text.
        let day = clock::date(message.created_at);
        is_or_unasked(&self.to, Some(&message.to))
            && is_or_unasked(&self.from, message.from.as_deref())
            && is_or_unasked(&self.sent_on, Some(&day))
            && self.sent_from.as_deref().is_none_or(|from| &*day >= from.get(..10).unwrap_or(from))
            && self.sent_until.as_deref().is_none_or(|until| &*day <= until.get(..10).unwrap_or(until))
    }

    fn page_of(&self, uri: &Uri, found: &[Arc<Message>]) -> Value {
        let now = clock::now();
        let page: Vec<_> =
            found.iter().take(self.page_size).map(|message| value(&message.resource(now))).collect();
        let start = self.page * self.page_size;
        let at = |page: usize| self.uri(uri.path(), page);
        json!({
            "end": start + page.len().saturating_sub(1),
            "first_page_uri": at(0),
            "messages": page,
            "next_page_uri": (found.len() > self.page_size).then(|| at(self.page + 1)),
            "page": self.page,
            "page_size": self.page_size,
            "previous_page_uri": self.page.checked_sub(1).map(at),
            "start": start,
            "uri": at(self.page),
        })
    }

    fn uri(&self, path: &str, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let asked = [
            ("To", &self.to),
            ("From", &self.from),
            ("DateSent", &self.sent_on),
            ("DateSent>", &self.sent_from),
            ("DateSent<", &self.sent_until),
        ];
        query.extend_pairs(asked.iter().filter_map(|(name, value)| Some((name, value.as_deref()?))));
        query.append_pair("PageSize", &self.page_size.to_string()).append_pair("Page", &page.to_string());
        format!("{path}?{}", query.finish())
    }
}

fn value(resource: &impl Serialize) -> Value {
    serde_json::to_value(resource).expect("resources have only text keys and plain values")
}

fn number(text: &str, allowed: std::ops::RangeInclusive<usize>) -> Result<usize, Fault> {
    let number = text.parse().ok().filter(|number| allowed.contains(number));
    number.ok_or_else(|| Fault::uncoded(format!("Page parameters must be within {allowed:?}")))
}

/// `GET /2010-04-01/Accounts/{Sid}.json`.
pub(super) async fn account(
    State(world): State<Arc<World>>,
    Path(account): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let Some(sid) = account.strip_suffix(".json") else {
        return fault::not_found(uri.path()).into_response();
    };
    match auth::log_in(&world.twilio, &headers, sid, uri.path()) {
        Err(fault) => fault.into_response(),
        Ok(account) => {
            let sid = &account.account_sid;
            let body = json!({
                "sid": sid,
                "friendly_name": "Simulated account",
                "status": "active",
                "type": "Full",
                "owner_account_sid": sid,
                "date_created": "Fri, 02 Jan 2026 03:04:05 +0000",
                "date_updated": "Fri, 02 Jan 2026 03:04:05 +0000",
                "uri": format!("/2010-04-01/Accounts/{sid}.json"),
                "subresource_uris": { "messages": format!("/2010-04-01/Accounts/{sid}/Messages.json") },
            });
            answer::json(StatusCode::OK, &body)
        }
    }
}
