//! Redriving messages that ended without reaching anybody.

use std::{cmp::Ordering, sync::Arc};

use futures::{StreamExt as _, stream};
use hermes_domain::{MessageId, cascade::MessageStatus, message::Mode, tenant::TenantScope};
use hermes_ports::{cascade_store::StoredCascade, message_log::MessageQuery};
use tokio::time::Instant;

use super::{
    AT_ONCE,
    outcome::{Next, Outcome, Tally},
    selection::{Cursor, Selection},
};
use crate::{
    api::Api,
    gate::Caller,
    messages::{Redriven, redrive as redrive_one, rehearse},
    page::LIMIT_MAX as PAGE,
    problem::Problem,
};

/// Which share of a request's time limit is used before the rest is left to the next call.
const TIME_SHARE: u32 = 2;

/// Redrives what matches, tenant by tenant and newest first, until the limit is reached or half of the time is over.
pub(super) async fn redrive(api: &Api, selection: &Selection, tally: &mut Tally) -> Result<Next, Problem> {
    let until = Instant::now() + api.settings.request_timeout / TIME_SHARE;
    let mut last = None;
    for caller in callers(api, selection) {
        let scope = caller.scope();
        let mut before = selection.cursor.filter(|cursor| cursor.scope == scope).map(|cursor| cursor.message);
        loop {
            let room = selection.limit.saturating_sub(tally.matched);
            let wanted = room.clamp(1, PAGE);
            let mut page = api.ports.log.list(query(selection, scope, before, wanted)).await?;
            let is_last = page.len() <= wanted;
            page.truncate(wanted);
            let Some(message) = page.last().map(|stored| stored.envelope.id) else { break };
            if let Some(cursor) = last.filter(|_| room == 0 || Instant::now() >= until) {
                return Ok(Next::From(cursor));
            }
            work(api, &caller, selection, page, tally).await;
            (before, last) = (Some(message), Some(Cursor { scope, message }));
            if is_last {
                break;
            }
        }
    }
    Ok(Next::Nothing)
}

/// Every tenant and mode that is asked for, in one order, from the cursor's on.
fn callers(api: &Api, selection: &Selection) -> Vec<Caller> {
    let tenants = api.directory().read(|snapshot| match selection.tenant {
        Some(id) => snapshot.tenant(id).cloned().into_iter().collect(),
        None => snapshot.tenants(),
    });
    let modes = [Mode::Live, Mode::Test];
    let modes = modes.into_iter().filter(|mode| selection.mode.is_none_or(|wanted| wanted == *mode));
    let callers = tenants
        .into_iter()
        .flat_map(|tenant| modes.clone().map(move |mode| Caller { tenant: Arc::clone(&tenant.value), mode }));
    let reached =
        |caller: &Caller| selection.cursor.is_none_or(|cursor| !is_before(caller.scope(), cursor.scope));
    callers.filter(reached).collect()
}

/// Whether `one` comes before `other`: the newest tenant first, live before test.
fn is_before(one: TenantScope, other: TenantScope) -> bool {
    match other.tenant.cmp(&one.tenant) {
        Ordering::Less => true,
        Ordering::Equal => one.mode == Mode::Live && other.mode == Mode::Test,
        Ordering::Greater => false,
    }
}

fn query(selection: &Selection, scope: TenantScope, before: Option<MessageId>, limit: usize) -> MessageQuery {
    MessageQuery {
        tenant: scope.tenant,
        mode: scope.mode,
        statuses: vec![MessageStatus::Failed, MessageStatus::Expired],
        channel: selection.channel,
        tag: None,
        to: None,
        created_after: selection.created_after,
        created_before: selection.created_before,
        before,
        limit,
    }
}

async fn work(
    api: &Api,
    caller: &Caller,
    selection: &Selection,
    page: Vec<StoredCascade>,
    tally: &mut Tally,
) {
    let wanted = |stored: &StoredCascade| selection.reason.is_none_or(|reason| reason == stored.state.reason);
    let work = page.into_iter().filter(wanted).map(|stored| async move {
        let outcome = one(api, caller, selection, &stored).await;
        (stored, outcome)
    });
    let mut done = stream::iter(work).buffered(AT_ONCE);
    while let Some((stored, outcome)) = done.next().await {
        let reason = stored.state.reason.as_str().unwrap_or("none");
        tally.count((stored.envelope.id, stored.envelope.tenant), reason, outcome);
    }
}

async fn one(api: &Api, caller: &Caller, selection: &Selection, stored: &StoredCascade) -> Outcome {
    if selection.dry_run {
        return match rehearse(api, caller, stored).await {
            Ok(None) => Outcome::Runs,
            Ok(Some(earlier)) => Outcome::Redriven(Redriven::Before(earlier)),
            Err(refusal) => Outcome::Refused(refusal),
        };
    }
    match redrive_one(api, caller, stored.envelope.id).await {
        Ok(redriven) => Outcome::Redriven(redriven),
        Err(refusal) => Outcome::Refused(refusal),
    }
}
