//! `GET /v1/suppressions`.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};
use hermes_domain::{
    SuppressionId,
    address::Channel,
    suppression::{SenderKey, SuppressionReason},
};
use hermes_ports::suppressions::SuppressionQuery;

use super::rule::SuppressionView;
use crate::{api::Api, gate::Caller, page::Page, problem::Problem, query::Query, reply};

pub(super) async fn list(State(api): State<Arc<Api>>, caller: Caller, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query);
    let channel = query.read("channel", "sms, email, push or whatsapp", |text| {
        Channel::ALL.into_iter().find(|channel| channel.as_str() == text)
    });
    let reason = query.read("reason", "opt_out, complaint, hard_bounce or manual", |text| {
        SuppressionReason::ALL.into_iter().find(|reason| reason.as_str() == text)
    });
    let address = query.text("address").map(|text| named(&text, channel));
    let sender = query.text("sender").map(|text| SenderKey::of(&text));
    let created_after = query.instant("created_after");
    query.finish()?;
    let wanted = SuppressionQuery {
        address,
        channel,
        reason,
        sender,
        created_after,
        before: page.before.map(SuppressionId::from_u128),
        ..SuppressionQuery::all(caller.tenant.id, caller.mode, page.limit + 1)
    };
    let found = api.ports.suppressions.list(wanted).await?;
    let shown =
        page.list(found, |stored| stored.rule.id.as_u128(), |stored| SuppressionView::of(&stored.rule));
    Ok(reply::ok(&shown))
}

/// An address as rules hold it. The `+` of a number arrives as a blank where a client forgot to encode it.
fn named(text: &str, channel: Option<Channel>) -> String {
    if channel == Some(Channel::Push) {
        return text.to_owned();
    }
    match text.strip_prefix(' ') {
        Some(digits) => format!("+{digits}"),
        None if text.contains('@') || text.contains('.') => text.to_ascii_lowercase(),
        None => text.to_owned(),
    }
}
