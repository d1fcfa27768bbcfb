//! Letting parked messages run again.

use std::cmp::Reverse;

use futures::{StreamExt as _, stream};
use hermes_ports::actor_tree::ParkedMessage;

use super::{
    AT_ONCE,
    outcome::{Next, Outcome, Tally},
    selection::Selection,
};
use crate::{api::Api, gate::Operator, messages::Refusal};

/// Lets those that match run again, the newest first, as a retry of each would.
pub(super) async fn redrive(
    api: &Api,
    operator: &Operator,
    selection: &Selection,
    tally: &mut Tally,
) -> Next {
    let mut all = api.ports.actors.parked().await;
    all.retain(|parked| may_match(selection, parked));
    all.sort_by_key(|parked| Reverse(parked.id));
    let looked_at = stream::iter(all).map(|parked| async move {
        let matches = matches(api, operator, selection, &parked).await;
        matches.then_some(parked)
    });
    // One more than wanted, to see whether there are more.
    let found = looked_at.buffered(AT_ONCE).filter_map(std::future::ready).take(selection.limit + 1);
    let mut found: Vec<_> = found.collect().await;
    let has_more = found.len() > selection.limit;
    found.truncate(selection.limit);
    let mut done = stream::iter(found)
        .map(|parked| async move {
            let outcome = one(api, selection, &parked).await;
            (parked, outcome)
        })
        .buffered(AT_ONCE);
    while let Some((parked, outcome)) = done.next().await {
        tally.count((parked.id, parked.tenant), &parked.reason, outcome);
    }
    if has_more { Next::Again } else { Next::Nothing }
}

/// What the id and its tenant tell.
fn may_match(selection: &Selection, parked: &ParkedMessage) -> bool {
    let created_at = parked.id.at();
    selection.tenant.is_none_or(|tenant| tenant == parked.tenant)
        && selection.created_after.is_none_or(|bound| created_at >= bound)
        && selection.created_before.is_none_or(|bound| created_at < bound)
}

/// What only the message itself tells; one that cannot be read now does not match.
async fn matches(api: &Api, operator: &Operator, selection: &Selection, parked: &ParkedMessage) -> bool {
    if selection.mode.is_none() && selection.channel.is_none() {
        return true;
    }
    let Ok(Some(stored)) = api.ports.store.load_any(operator, parked.id).await else { return false };
    let envelope = &stored.envelope;
    let uses = |channel| envelope.plan.steps.iter().any(|step| step.channel == channel);
    selection.mode.is_none_or(|mode| mode == envelope.mode) && selection.channel.is_none_or(uses)
}

async fn one(api: &Api, selection: &Selection, parked: &ParkedMessage) -> Outcome {
    if selection.dry_run || api.ports.actors.release(parked.tenant, parked.id).await {
        return Outcome::Runs;
    }
    let detail = "It is parked no more: somebody else let it run, or it has ended.".to_owned();
    Outcome::Refused(Refusal { code: "not_parked", detail })
}
