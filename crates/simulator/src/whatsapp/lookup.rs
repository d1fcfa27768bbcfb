//! Reading: the number itself, which proves the credentials, and what became of its messages.
//!
//! The history does not say what became of the webhooks (`webhook_update_state`, `webhook_uri`): nothing here
//! follows them to their end.

use axum::{extract::Request, response::Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    fault::{self, Fault},
    status::Status,
    wamid,
};
use crate::{
    answer,
    clock::{self, UnixMillis},
    inbound::query_parameter,
    world::World,
};

const LIMIT_DEFAULT: usize = 25;
const LIMIT_MAX: usize = 100;
const NUMBER_FIELDS: [&str; 8] = [
    "id",
    "display_phone_number",
    "verified_name",
    "quality_rating",
    "platform_type",
    "code_verification_status",
    "name_status",
    "status",
];
const HISTORY_FIELDS: [&str; 3] = ["id", "message_id", "events"];

/// A message and what will have happened to it.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) phone_number_id: String,
    pub(super) id: String,
    /// In order of time.
    pub(super) history: Vec<(UnixMillis, Status)>,
}

/// `GET /{version}/{phone-number-id}?fields=…`.
pub(super) fn number(world: &World, id: &str, request: &Request) -> Response {
    let found = world.whatsapp.authorize(request.headers(), request.method(), id).and_then(|number| {
        let default =
            || "verified_name,code_verification_status,display_phone_number,quality_rating".to_owned();
        let asked = query_parameter(request.uri().query(), "fields").unwrap_or_else(default);
        let account = &number.account;
        let all = json!({
            "id": account.phone_number_id,
            "display_phone_number": format!("+{}", account.display_phone_number),
            "verified_name": account.verified_name,
            "quality_rating": "GREEN",
            "platform_type": "CLOUD_API",
            "code_verification_status": "VERIFIED",
            "name_status": "APPROVED",
            "status": "CONNECTED",
        });
        select(&all, &asked, &NUMBER_FIELDS, "WhatsAppBusinessPhoneNumber")
    });
    respond(found)
}

/// The fields asked for, and always the id.
fn select(all: &Value, asked: &str, known: &[&str], node: &str) -> Result<Value, Fault> {
    let mut found = Map::from_iter([("id".to_owned(), all["id"].clone())]);
    for name in names(asked) {
        if !known.contains(&name) {
            return Err(fault::no_such_field(name, node));
        }
        found.insert(name.to_owned(), all[name].clone());
    }
    Ok(Value::Object(found))
}

/// The names of a field list, without what some of them have in braces.
fn names(fields: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    let outside = move |character: char| {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        character == ',' && depth == 0
    };
    fields
        .split(outside)
        .filter_map(|field| field.split('{').next())
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

/// `GET /{version}/{phone-number-id}/message_history?message_id=…&fields=…`, newest first.
pub(super) fn history(world: &World, id: &str, request: &Request) -> Response {
    let found = world.whatsapp.authorize(request.headers(), request.method(), id).and_then(|number| {
        let parameter = |name| query_parameter(request.uri().query(), name);
        let fields = parameter("fields").unwrap_or_else(|| "id,message_id".to_owned());
        let limit = match parameter("limit").map(|text| text.parse()) {
            None => LIMIT_DEFAULT,
            Some(Ok(limit)) if (1..=LIMIT_MAX).contains(&limit) => limit,
            Some(_) => return Err(fault::parameter("Param limit must be between 1 and 100.")),
        };
        let skip = match parameter("after").map(|cursor| position(&cursor)) {
            None => 0,
            Some(Some(skip)) => skip,
            Some(None) => return Err(fault::parameter("Invalid cursor.")),
        };
        let wanted = parameter("message_id");
        let messages = world.whatsapp.messages.search(skip, limit, |message| {
            message.phone_number_id == number.account.phone_number_id
                && wanted.as_ref().is_none_or(|wanted| *wanted == message.id)
        });
        let now = clock::now();
        let read = |message: &std::sync::Arc<Kept>| {
            select(&message.node(now), &fields, &HISTORY_FIELDS, "WhatsAppMessageHistory")
        };
        let data = messages.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let cursors = json!({ "before": cursor(skip), "after": cursor(skip + data.len()) });
        Ok(json!({ "data": data, "paging": { "cursors": cursors } }))
    });
    respond(found)
}

fn cursor(position: usize) -> String {
    STANDARD.encode(position.to_string())
}

fn position(cursor: &str) -> Option<usize> {
    String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?.parse().ok()
}

impl Kept {
    fn node(&self, now: UnixMillis) -> Value {
        let happened = self.history.iter().filter(|(at, _)| *at <= now);
        let events: Vec<_> = happened.map(|(at, status)| event(&self.id, *at, *status)).collect();
        json!({ "id": wamid::digits(&self.id), "message_id": self.id, "events": { "data": events } })
    }
}

fn event(message: &str, at: UnixMillis, status: Status) -> Value {
    let mut event = json!({
        "id": wamid::digits(&format!("{message}/{}", status.name())),
        "delivery_status": status.name().to_uppercase(),
        "timestamp": at.div_euclid(1000),
    });
    if let Status::Failed(failure) = status {
        event["error_description"] = json!(failure.title);
    }
    event
}

fn respond(found: Result<Value, Fault>) -> Response {
    match found {
        Ok(body) => answer::json(StatusCode::OK, &body),
        Err(fault) => fault.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_belong_to_the_field_before_them() {
        let found: Vec<_> = names("id, message_id,events{delivery_status,timestamp},x").collect();
        assert_eq!(found, ["id", "message_id", "events", "x"]);
        assert_eq!(position(&cursor(7)), Some(7));
    }
}
