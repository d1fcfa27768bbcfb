//! `/v1/phonebook/blacklist`: numbers that the account sends nothing to, and nobody is told.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{answer, inbound, suppressed::Added, world::World};

const REQUEST_BYTES_MAX: usize = 16 * 1024;
/// Messente keeps no reason.
const REASON: &str = "";

/// An error of the phonebook, whose codes are others than those of messages.
#[derive(Clone, Copy, Serialize)]
struct Problem {
    #[serde(skip)]
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: &'static str,
}

impl Problem {
    const fn new(status: StatusCode, code: &'static str, title: &'static str, detail: &'static str) -> Self {
        Self { status, code, title, detail }
    }

    fn into_response(self) -> Response {
        answer::json(self.status, &json!({ "errors": [self] }))
    }
}

const UNAUTHORIZED: Problem =
    Problem::new(StatusCode::UNAUTHORIZED, "202", "Unauthorized", "Invalid username or password");
const INVALID: Problem =
    Problem::new(StatusCode::BAD_REQUEST, "201", "Invalid data", "Invalid phone number provided");
const MISSING: Problem =
    Problem::new(StatusCode::NOT_FOUND, "203", "Missing resource", "Phone number is not in the blacklist");
const CONFLICT: Problem =
    Problem::new(StatusCode::CONFLICT, "204", "Conflict", "Phone number already blacklisted");
const FULL: Problem = Problem::new(StatusCode::BAD_REQUEST, "244", "Client error", "The blacklist is full");

fn account(world: &World, headers: &HeaderMap) -> Result<String, Problem> {
    world.messente.log_in(headers).map(|account| account.username.clone()).map_err(|_| UNAUTHORIZED)
}

/// E.164 with its `+`, as everywhere at Messente.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn respond(result: Result<Response, Problem>) -> Response {
    result.unwrap_or_else(Problem::into_response)
}

fn no_content() -> Response {
    answer::empty(StatusCode::NO_CONTENT)
}

/// `GET /v1/phonebook/blacklist`.
pub(super) async fn list(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    respond(account(&world, &headers).map(|account| {
        let numbers = world.messente.blacklist.all(&account).into_iter().map(|(number, _)| number);
        answer::json(StatusCode::OK, &json!({ "phoneNumbers": numbers.collect::<Vec<_>>() }))
    }))
}

/// `POST /v1/phonebook/blacklist`.
pub(super) async fn add(State(world): State<Arc<World>>, request: Request) -> Response {
    let Ok((parts, body)) = inbound::read(request, REQUEST_BYTES_MAX).await else {
        return INVALID.into_response();
    };
    respond(account(&world, &parts.headers).and_then(|account| {
        let json = inbound::has_content_type(&parts.headers, "application/json");
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let number = body.get("phoneNumber").and_then(Value::as_str).filter(|number| is_number(number));
        let number = number.filter(|_| json).ok_or(INVALID)?;
        match world.messente.blacklist.add(&account, number, REASON) {
            Added::New => Ok(no_content()),
            Added::ThereAlready => Err(CONFLICT),
            Added::Full => Err(FULL),
        }
    }))
}

/// `GET /v1/phonebook/blacklist/{phone}`.
pub(super) async fn find(
    State(world): State<Arc<World>>,
    Path(number): Path<String>,
    headers: HeaderMap,
) -> Response {
    respond(account(&world, &headers).and_then(|account| match is_number(&number) {
        false => Err(INVALID),
        true => world.messente.blacklist.get(&account, &number).map(|_| no_content()).ok_or(MISSING),
    }))
}

/// `DELETE /v1/phonebook/blacklist/{phone}`.
pub(super) async fn remove(
    State(world): State<Arc<World>>,
    Path(number): Path<String>,
    headers: HeaderMap,
) -> Response {
    respond(account(&world, &headers).and_then(|account| {
        if !is_number(&number) {
            return Err(INVALID);
        }
        world.messente.blacklist.remove(&account, &number).then(no_content).ok_or(MISSING)
    }))
}
