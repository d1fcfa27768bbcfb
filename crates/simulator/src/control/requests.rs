//! Reading and clearing what was received.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::{StatusCode, Uri};
use serde_json::{Map, Value, json};

use super::Refused;
use crate::{answer, inbound::query_parameter, world::World};

/// How many submissions a list has unless asked for more or fewer.
const LIMIT_DEFAULT: usize = 1000;

fn number(uri: &Uri, name: &str, default: usize) -> Result<usize, Refused> {
    let text = query_parameter(uri.query(), name);
    text.map_or(Ok(default), |text| {
        text.parse().map_err(|_| Refused(format!("`{name}` must be a whole number")))
    })
}

/// References received at least `min` times: how often received, and how often taken over.
fn counts_of(world: &World, min: u32) -> (Map<String, Value>, Map<String, Value>) {
    let (mut received, mut processed) = (Map::new(), Map::new());
    world.log.each_count(|reference, count| {
        if count.received >= min {
            received.insert(reference.to_owned(), count.received.into());
            processed.insert(reference.to_owned(), count.processed.into());
        }
    });
    (received, processed)
}

pub(super) async fn list(State(world): State<Arc<World>>, uri: Uri) -> Result<Response, Refused> {
    let limit = number(&uri, "limit", LIMIT_DEFAULT)?;
    let reference = query_parameter(uri.query(), "reference");
    let (counts, processed) = counts_of(&world, 1);
    let body = json!({
        "data": world.log.newest(limit, reference.as_deref()),
        "totals": world.log.totals(),
        "counts": counts,
        "processed": processed,
    });
    Ok(answer::json(StatusCode::OK, &body))
}

pub(super) async fn counts(State(world): State<Arc<World>>, uri: Uri) -> Result<Response, Refused> {
    let min = u32::try_from(number(&uri, "min", 1)?).unwrap_or(u32::MAX);
    let (counts, processed) = counts_of(&world, min);
    let (references, without_room) = world.log.references();
    let body = json!({
        "totals": world.log.totals(),
        "references": references,
        "without_room": without_room,
        "counts": counts,
        "processed": processed,
    });
    Ok(answer::json(StatusCode::OK, &body))
}

pub(super) async fn clear(State(world): State<Arc<World>>) -> Response {
    world.once.clear();
    world.twilio.forget_messages();
    world.ses.forget_messages();
    world.messente.forget_messages();
    world.vonage.forget_messages();
    world.whatsapp.forget_messages();
    match world.log.clear() {
        Ok(()) => answer::empty(StatusCode::NO_CONTENT),
        Err(_) => answer::json(
            StatusCode::INTERNAL_SERVER_ERROR,
            &json!({ "error": "the log file could not be emptied" }),
        ),
    }
}

pub(super) async fn receipts(State(world): State<Arc<World>>) -> Response {
    answer::json(StatusCode::OK, &world.receipts.summary())
}
