//! `GET /v1/inbound`.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};
use hermes_domain::{InboundId, address::Channel};
use hermes_ports::inbound_log::{InboundEntry, InboundQuery};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{api::Api, gate::Caller, page::Page, problem::Problem, query::Query, reply};

/// A message from a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Inbound)]
pub(super) struct InboundView {
    /// Its id.
    id: String,
    /// `live` or `test`.
    mode: &'static str,
    /// `sms`, `email`, `push` or `whatsapp`.
    channel: &'static str,
    /// Who wrote: a number, or a mail address in lower case; null once they are erased.
    from: Option<String>,
    /// The tenant's number or address that it was sent to, where the provider tells.
    to: Option<String>,
    /// `opt_out`, `opt_in` or `message`.
    kind: &'static str,
    /// Name of the connection that it came through; null once that is gone.
    provider: Option<String>,
    /// The newest message to that person before it; null where there was none.
    message_id: Option<String>,
    /// When it arrived.
    created_at: String,
}

impl InboundView {
    fn of(api: &Api, entry: InboundEntry) -> Self {
        let connection = api.directory().access(entry.connection);
        Self {
            id: entry.id.to_string(),
            mode: entry.scope.mode.as_str(),
            channel: entry.channel.as_str(),
            from: entry.from,
            to: entry.to,
            kind: entry.meaning.as_str(),
            provider: connection.map(|access| access.connection.name.clone()),
            message_id: entry.message.map(|message| message.to_string()),
            created_at: entry.received_at.rfc3339(),
        }
    }
}

pub(super) async fn list(State(api): State<Arc<Api>>, caller: Caller, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query);
    let channel = query.read("channel", "sms, email, push or whatsapp", |text| {
        Channel::ALL.into_iter().find(|channel| channel.as_str() == text)
    });
    let from = query.text("from").map(|text| named(&text));
    let created_after = query.instant("created_after");
    query.finish()?;
    let wanted = InboundQuery {
        from,
        channel,
        created_after,
        before: page.before.map(InboundId::from_u128),
        ..InboundQuery::all(caller.scope(), page.limit + 1)
    };
    let found = api.ports.inbound.newest(wanted).await?;
    let shown = page.list(found, |entry| entry.id.as_u128(), |entry| InboundView::of(&api, entry));
    Ok(reply::ok(&shown))
}

/// An address as it is kept. The `+` of a number arrives as a blank where a client forgot to encode it.
fn named(text: &str) -> String {
    match text.strip_prefix(' ') {
        Some(digits) => format!("+{digits}"),
        None if text.contains('@') => text.to_ascii_lowercase(),
        None => text.to_owned(),
    }
}
