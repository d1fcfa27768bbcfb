//! Giving messages that were given up another chance, many at once.

mod failed;
mod outcome;
mod parked;
mod selection;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use tracing::info;

use self::{
    outcome::{Redrive, Tally},
    selection::{Selection, What},
};
use crate::{
    api::Api,
    body,
    gate::Operator,
    idempotency::{Keyed, OPERATOR, once},
    operation::{Need, Operation},
    problem::Problem,
    reply::Reply,
    router::Routes,
    schema,
};

/// Messages of one call that are worked on at one time.
const AT_ONCE: usize = 16;

pub(super) fn routes(routes: &mut Routes) {
    let operation = Operation::post(
        Need::Operator,
        "/admin/v1/redrive",
        "redriveMessages",
        "Give messages that were given up another chance, or count them",
    )
    .details(
        "`parked` messages run again. For each `failed` one (and each that expired without reaching anybody) a new \
         message is accepted, at most one ever, which names it as `redrive_of`.",
    )
    .body("RedriveRequest", selection::schema())
    .reply::<Redrive>(200, "What became of them, the newest first.");
    routes.add(operation, redrive);
}

async fn redrive(
    State(api): State<Arc<Api>>,
    operator: Operator,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let keyed = Keyed::of_json(OPERATOR, &incoming.parts, &incoming.value)?;
    let selection = schema::root(incoming.value, selection::selection)?;
    once(&api, keyed, async {
        let mut tally = Tally::default();
        let next = match selection.what {
            What::Parked => parked::redrive(&api, &operator, &selection, &mut tally).await,
            What::Failed => failed::redrive(&api, &selection, &mut tally).await?,
        };
        told(&selection, &tally);
        Ok(Reply::ok(&tally.reply(&selection, next)))
    })
    .await
}

fn told(selection: &Selection, tally: &Tally) {
    if !selection.dry_run {
        let (what, matched, redriven) = (selection.what.as_str(), tally.matched, tally.redriven);
        info!(redrive.what = what, messages = matched, redriven, "messages were redriven");
    }
}
