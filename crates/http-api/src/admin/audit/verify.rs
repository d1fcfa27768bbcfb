//! `GET /admin/v1/audit/verify`.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use hermes_ports::audit;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{api::Api, gate::Operator, problem::Problem, reply};

/// What the chain of hashes shows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditVerdict)]
pub(super) struct VerdictView {
    /// Whether every entry is as it was written.
    intact: bool,
    /// Entries whose chain holds, from the first.
    entries: u64,
    /// Hash of the last of them. Noted elsewhere, it shows later that nothing up to it was written anew.
    head: Option<String>,
    /// The first entry that is not as it was written.
    broken: Option<BrokenView>,
}

/// Where the chain breaks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BrokenView {
    /// Its number.
    sequence: u64,
    /// What is wrong with it.
    detail: String,
}

pub(super) async fn verify(State(api): State<Arc<Api>>, _: Operator) -> Result<Response, Problem> {
    let verdict = audit::verify(&*api.ports.audit).await?;
    let broken =
        |broken: audit::Broken| BrokenView { sequence: broken.sequence, detail: broken.flaw.to_string() };
    Ok(reply::ok(&VerdictView {
        intact: verdict.broken.is_none(),
        entries: verdict.entries,
        head: verdict.head.map(|head| audit::hex(&head.hash)),
        broken: verdict.broken.map(broken),
    }))
}
