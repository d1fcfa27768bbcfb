//! `GET /v1/suppressions/export`: read and written page by page, as fast as the client takes it.

use std::{error::Error, io, sync::Arc};

use axum::{
    body::Body,
    extract::State,
    http::Uri,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures::stream;
use hermes_domain::suppression::Suppression;
use hermes_ports::suppressions::SuppressionQuery;
use http::{HeaderValue, header};
use tracing::error;

use super::rule::SuppressionView;
use crate::{api::Api, gate::Caller, problem::Problem, query::Query};

/// Rules read at once.
const PAGE: usize = 500;
/// The columns; an import reads those that a tenant may write and overlooks the others.
pub(super) const COLUMNS: [&str; 11] = [
    "id",
    "address",
    "domain",
    "prefix",
    "channel",
    "sender",
    "reason",
    "source",
    "note",
    "created_at",
    "expires_at",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Ndjson,
}

pub(super) async fn export(
    State(api): State<Arc<Api>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let format = query.read("format", "csv or ndjson", |text| match text {
        "csv" => Some(Format::Csv),
        "ndjson" => Some(Format::Ndjson),
        _ => None,
    });
    query.finish()?;
    let format = format.unwrap_or(Format::Csv);
    let first = page(&api, SuppressionQuery::all(caller.tenant.id, caller.mode, PAGE), format, true).await?;
    let pages = stream::try_unfold(Some(first), move |state| {
        let api = Arc::clone(&api);
        async move {
            let Some((bytes, next)) = state else { return Ok(None) };
            let following = match next {
                Some(query) => Some(page(&api, query, format, false).await.map_err(broken_off)?),
                None => None,
            };
            Ok::<_, io::Error>(Some((bytes, following)))
        }
    });
    let content_type = match format {
        Format::Csv => "text/csv; charset=utf-8",
        Format::Ndjson => "application/x-ndjson",
    };
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
    Ok((headers, Body::from_stream(pages)).into_response())
}

type Page = (Bytes, Option<SuppressionQuery>);

/// The text of a page, and the query for the next one.
async fn page(
    api: &Api,
    query: SuppressionQuery,
    format: Format,
    is_first: bool,
) -> Result<Page, hermes_ports::StoreError> {
    let found = api.ports.suppressions.list(query.clone()).await?;
    let before = found.last().filter(|_| found.len() == PAGE).map(|stored| stored.rule.id);
    // An erased address cannot be told, and so not be imported elsewhere.
    let rules = found.iter().map(|stored| &stored.rule).filter(|rule| !rule.covers.is_erased());
    let text = match format {
        Format::Csv => csv(rules, is_first),
        Format::Ndjson => ndjson(rules),
    };
    let next = before.map(|before| SuppressionQuery { before: Some(before), ..query });
    Ok((text.into(), next))
}

#[expect(
    clippy::expect_used,
    reason = "texts into memory, as many in each line: there is no case that fails"
)]
fn csv<'a>(rules: impl Iterator<Item = &'a Suppression>, with_header: bool) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if with_header {
        writer.write_record(COLUMNS).expect("a line is written");
    }
    for rule in rules {
        let view = SuppressionView::of(rule);
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let record = [
            view.id.clone(),
            text(&view.address),
            text(&view.domain),
            text(&view.prefix),
            view.channel.unwrap_or_default().to_owned(),
            text(&view.sender),
            view.reason.to_owned(),
            view.source.to_owned(),
            text(&view.note),
            view.created_at.clone(),
            text(&view.expires_at),
        ];
        writer.write_record(record).expect("a line is written");
    }
    writer.into_inner().expect("the text is flushed")
}

#[expect(clippy::expect_used, reason = "plain structs with text keys: there is no case that fails")]
fn ndjson<'a>(rules: impl Iterator<Item = &'a Suppression>) -> Vec<u8> {
    let mut text = Vec::new();
    for rule in rules {
        serde_json::to_writer(&mut text, &SuppressionView::of(rule)).expect("a rule serialises");
        text.push(b'\n');
    }
    text
}

/// The status is long out: only a broken connection tells the client that it has not got everything.
fn broken_off(failure: hermes_ports::StoreError) -> io::Error {
    error!(error = &failure as &dyn Error, "an export broke off");
    io::Error::other("the store is away")
}
