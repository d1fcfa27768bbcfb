//! `GET /v1/messages`.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};
use hermes_domain::{MessageId, address::Channel, cascade::MessageStatus};
use hermes_ports::message_log::MessageQuery;

use super::view::MessageView;
use crate::{api::Api, gate::Caller, page::Page, problem::Problem, query::Query, reply};

pub(super) async fn list(State(api): State<Arc<Api>>, caller: Caller, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query);
    let wanted = MessageQuery {
        tenant: caller.tenant.id,
        mode: caller.mode,
        statuses: query.read("status", "a message status", status).into_iter().collect(),
        channel: query.read("channel", "sms, email, push or whatsapp", |text| {
            Channel::ALL.into_iter().find(|channel| channel.as_str() == text)
        }),
        tag: query.text("tag"),
        to: query.text("to").map(address),
        created_after: query.instant("created_after"),
        created_before: query.instant("created_before"),
        before: page.before.map(MessageId::from_u128),
        limit: page.limit,
    };
    query.finish()?;
    let found = api.ports.log.list(wanted).await?;
    let key = |stored: &hermes_ports::cascade_store::StoredCascade| stored.envelope.id.as_u128();
    Ok(reply::ok(&page.list(found, key, |stored| MessageView::of(&stored))))
}

/// A forgotten encoding turns the `+` of a phone number into a blank.
fn address(text: String) -> String {
    match text.strip_prefix(' ') {
        Some(digits) => format!("+{digits}"),
        None => text,
    }
}

fn status(text: &str) -> Option<MessageStatus> {
    MessageStatus::ALL.into_iter().find(|status| status.as_str() == text)
}
