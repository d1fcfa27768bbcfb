//! `DELETE /admin/v1/tenants/{id}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hermes_domain::{
    MessageId, TenantId,
    cascade::{Event, MessageStatus},
    message::Mode,
};
use hermes_ports::{cascade_inbox::DeliverError, cascade_store::StoredCascade, message_log::MessageQuery};
use http::HeaderMap;

use super::tenant::find;
use crate::{
    api::Api,
    batches, etag,
    gate::Operator,
    messages::deliver,
    page::LIMIT_MAX,
    problem::{Code, Problem},
    reply,
};

/// Most messages that one request cancels.
const CANCELLED_MAX: usize = 10_000;
/// Messages that are cancelled at one time.
const AT_ONCE: usize = 64;

/// Where messages still are on their way.
const LIVE: [MessageStatus; 3] =
    [MessageStatus::Accepted, MessageStatus::Scheduled, MessageStatus::InProgress];

/// Removes a tenant and whatever is its own. Messages on their way are a reason to refuse, unless the tenant was
/// suspended before: then they are cancelled. What was sent already ends by its receipt or its expiry, with nobody to
/// be told.
pub(super) async fn delete(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let stored = find(&api, &id)?;
    etag::if_match(&headers, stored.version)?;
    let tenant = stored.value.id;
    if !stored.value.suspended {
        if any_live(&api, tenant).await? || batches::any_under_way(&api, tenant).await? {
            let detail = "Messages or batches of the tenant are on their way. Suspend it first: deleting it then \
                          cancels them.";
            return Err(Problem::new(Code::Conflict, detail));
        }
        api.directory().set_suspended(tenant, true).await?;
    }
    batches::stop(&api, tenant).await?;
    cancel_all(&api, tenant).await?;
    api.ports.inbound.discard_all(tenant).await?;
    api.directory().delete_tenant(tenant).await?;
    Ok(reply::no_content())
}

async fn any_live(api: &Api, tenant: TenantId) -> Result<bool, Problem> {
    for (mode, status) in worlds() {
        if !page(api, tenant, mode, status, None, 1).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn cancel_all(api: &Api, tenant: TenantId) -> Result<(), Problem> {
    let mut cancelled = 0;
    for (mode, status) in worlds() {
        let mut before: Option<MessageId> = None;
        loop {
            let found = page(api, tenant, mode, status, before, LIMIT_MAX).await?;
            let Some(oldest) = found.last().map(|stored| stored.envelope.id) else { break };
            if cancelled + found.len() > CANCELLED_MAX {
                let detail =
                    format!("{cancelled} messages were cancelled, but more are on their way: repeat this.");
                return Err(Problem::new(Code::Conflict, detail));
            }
            cancelled += found.len();
            before = Some(oldest);
            let cancel = |stored: StoredCascade| async move {
                match deliver(api, &stored, Event::Cancel).await {
                    Ok(_) | Err(DeliverError::Unknown(_)) => Ok(()),
                    Err(failure @ (DeliverError::Retry | DeliverError::Store(_))) => {
                        Err(Problem::from(failure))
                    }
                }
            };
            stream::iter(found).map(cancel).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        }
    }
    Ok(())
}

fn worlds() -> impl Iterator<Item = (Mode, MessageStatus)> {
    [Mode::Live, Mode::Test].into_iter().flat_map(|mode| LIVE.map(|status| (mode, status)))
}

/// At most `limit` messages of a tenant in one status, newest first, older than `before`.
async fn page(
    api: &Api,
    tenant: TenantId,
    mode: Mode,
    status: MessageStatus,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Vec<StoredCascade>, Problem> {
    let query = MessageQuery {
        tenant,
        mode,
        statuses: vec![status],
        channel: None,
        tag: None,
        to: None,
        created_after: None,
        created_before: None,
        before,
        limit,
    };
    let mut found = api.ports.log.list(query).await?;
    found.truncate(limit);
    Ok(found)
}
