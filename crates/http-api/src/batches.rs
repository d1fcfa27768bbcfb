//! Many messages in one request, and what becomes of them.
//!
//! A JSON body is taken while its sender waits; lines of an NDJSON body are kept first, and taken by [`BatchRunner`].

mod cancelling;
mod claim;
mod create;
mod direct;
mod items;
mod line;
mod list;
mod read;
mod replay;
mod runner;
mod settling;
mod steer;
mod stop;
mod turns;
mod upload;
mod view;

use std::time::Duration;

use hermes_domain::{batch::Batch, batch::BatchCounts, batch::BatchState, tenant::TenantScope};
use http::HeaderMap;
use serde_json::{Value, json};

pub use runner::BatchRunner;
pub(crate) use stop::{any_under_way, stop};
pub(crate) use turns::Turns;

use crate::{
    api::Api,
    operation::{Need, Operation, reference},
    router::Routes,
};

/// Where batches are made.
pub(crate) const PATH: &str = "/v1/batches";
/// How long an upload may take.
pub(crate) const UPLOAD_LIMIT: Duration = Duration::from_secs(600);

/// Whether the lines of a request's body are to be kept and taken later.
pub(crate) fn is_upload(headers: &HeaderMap) -> bool {
    let named = headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = named.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(essence.as_str(), "application/x-ndjson" | "application/ndjson" | "application/jsonl")
}

/// A batch of `scope` without items.
fn new_batch(api: &Api, scope: TenantScope, state: BatchState, request_id: &str) -> Batch {
    let (id, now) = (api.ports.mint.batch(), api.now());
    Batch {
        id,
        scope,
        state,
        key: id.to_string(),
        request_id: request_id.to_owned(),
        counts: BatchCounts::default(),
        created_at: now,
        updated_at: now,
    }
}

const CREATION: &str = "A JSON body holds up to 1,000 messages in 4 MiB, which are taken while you wait: the answer says \
    what became of each. An NDJSON body (`application/x-ndjson`) holds one message a line, up to 100,000 lines of 256 KiB \
    each and 64 MiB, within 10 minutes. Its lines are stored durably, then the answer says so (`data` is empty), and they \
    are accepted in the background as fast as the tenant's limits allow: messages that name no lane go into `bulk`, and \
    what finds no room waits. A tenant has at most 10 uploads under way in each mode. Either way item `i` is accepted under \
    the idempotency key `<Idempotency-Key>#<i>`, and one bad item harms no other. A repeated request gets the reply of the \
    first; only where items of a JSON body were refused for a reason that passes (429 and 5xx) are those taken again.";

pub(crate) fn routes(routes: &mut Routes) {
    let body = json!({
        "type": "object", "additionalProperties": false, "required": ["messages"],
        "properties": { "messages": {
            "type": "array", "minItems": 1, "maxItems": direct::MESSAGES_MAX,
            "items": { "anyOf": [reference("SendRequest"), {}], "description": "Whatever is no `SendRequest` is refused alone." },
        } },
    });
    let create = Operation::post(Need::Send, PATH, "sendBatch", "Accept many messages, each on its own")
        .details(CREATION)
        .body("BatchRequest", body)
        .bytes("application/x-ndjson")
        .reply::<create::BatchReply>(
            202,
            "Messages in JSON: what became of each, in order. NDJSON: durably stored.",
        );
    routes.add(create, create::create);
    let list = Operation::get(Need::Read, PATH, "listBatches", "Batches, newest first");
    routes.add(list.paged().list::<view::BatchView>("A page."), list::list);
    let read = Operation::get(Need::Read, "/v1/batches/{id}", "getBatch", "How far a batch has come");
    routes.add(read.reply::<view::BatchView>(200, "The batch."), read::read);
    let items = Operation::get(
        Need::Read,
        "/v1/batches/{id}/items",
        "listBatchItems",
        "What became of each item, in the order of the request",
    );
    routes.add(items.paged().list::<view::ItemView>("A page."), items::items);
    steering(routes);
}

fn steering(routes: &mut Routes) {
    let pause = Operation::post(
        Need::Send,
        "/v1/batches/{id}/pause",
        "pauseBatch",
        "Take no further items; what was accepted goes on",
    );
    routes.add(pause.reply::<view::BatchView>(200, "The batch."), steer::pause);
    let resume = Operation::post(Need::Send, "/v1/batches/{id}/resume", "resumeBatch", "Take items again");
    routes.add(resume.reply::<view::BatchView>(200, "The batch."), steer::resume);
    let cancel = Operation::post(
        Need::Send,
        "/v1/batches/{id}/cancel",
        "cancelBatch",
        "Drop items that wait and cancel messages that were not sent",
    );
    routes.add(cancel.reply::<view::BatchView>(200, "The batch."), steer::cancel);
}

/// A problem of an item, as JSON.
fn problem_document(problem: &crate::problem::Problem, request_id: &str) -> Value {
    problem.count();
    serde_json::to_value(problem.document(request_id, PATH)).unwrap_or_default()
}
