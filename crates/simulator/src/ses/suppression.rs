//! The suppression list of the account: `/v2/email/suppression/addresses`.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Uri, request::Parts};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    fault::{self, Fault},
    read::{respond, seconds},
    request::{SendEmail, bare_address},
    send::authenticate,
};
use crate::{
    SesAccount,
    clock::{UnixMillis, parse_iso8601},
    inbound,
    suppressed::{Added, Listed},
    world::World,
};

const REQUEST_BYTES_MAX: usize = 16 * 1024;
const REASONS: [&str; 2] = ["BOUNCE", "COMPLAINT"];
const PAGE_SIZE: usize = 100;
const PAGE_SIZE_MAX: usize = 1_000;

/// `PutSuppressedDestinationRequest`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    email_address: Option<String>,
    reason: Option<String>,
    tenant_name: Option<String>,
}

/// Reads a request and names the list of whoever signed it; each SES tenant has one of its own.
async fn signed(world: &World, request: Request) -> Result<(Parts, axum::body::Bytes, String), Fault> {
    let (parts, body) = inbound::read(request, REQUEST_BYTES_MAX).await.map_err(|_| fault::TOO_LARGE)?;
    let account = authenticate(world, &parts, &body)?;
    let key = account.access_key_id.clone();
    Ok((parts, body, key))
}

fn list_of(account: &str, tenant: Option<&str>) -> String {
    tenant.map_or_else(|| account.to_owned(), |tenant| format!("{account}/{tenant}"))
}

fn query(uri: &Uri) -> HashMap<String, String> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
}

fn address(text: &str) -> Result<String, Fault> {
    match text.split_once('@') {
        Some((local, domain)) if !local.is_empty() && domain.contains('.') && text.len() <= 320 => {
            Ok(text.to_ascii_lowercase())
        }
        _ => Err(Fault::bad_request("Invalid email address.")),
    }
}

/// Whether the first recipient of an email is on the list that counts for it.
pub(super) fn holds(world: &World, account: &SesAccount, email: &SendEmail) -> bool {
    let address = bare_address(email.first_recipient()).to_ascii_lowercase();
    let tenants = [None, email.tenant_name.as_deref()];
    let holds =
        |tenant| world.ses.suppressed.get(&list_of(&account.access_key_id, tenant), &address).is_some();
    tenants.into_iter().any(holds)
}

/// `PutSuppressedDestination`.
pub(super) async fn put(State(world): State<Arc<World>>, request: Request) -> Response {
    let put = async {
        let (parts, body, account) = signed(&world, request).await?;
        if !inbound::has_content_type(&parts.headers, "application/json") {
            return Err(fault::UNSUPPORTED_MEDIA_TYPE);
        }
        let put: Put =
            serde_json::from_slice(&body).map_err(|_| Fault::serialization("The request cannot be read."))?;
        let address = address(put.email_address.as_deref().unwrap_or_default())?;
        let given = put.reason.unwrap_or_default();
        let reason = REASONS.into_iter().find(|reason| *reason == given);
        let reason = reason.ok_or_else(|| Fault::bad_request("Reason must be BOUNCE or COMPLAINT."))?;
        match world.ses.suppressed.add(&list_of(&account, put.tenant_name.as_deref()), &address, reason) {
            Added::New | Added::ThereAlready => Ok(json!({})),
            Added::Full => Err(Fault::bad_request("The list is full.")),
        }
    };
    respond(put.await)
}

/// `GetSuppressedDestination`.
pub(super) async fn get(
    State(world): State<Arc<World>>,
    Path(address): Path<String>,
    request: Request,
) -> Response {
    let found = signed(&world, request).await.and_then(|(parts, _, account)| {
        let list = list_of(&account, query(&parts.uri).get("TenantName").map(String::as_str));
        let address = address.to_ascii_lowercase();
        let listed = world.ses.suppressed.get(&list, &address).ok_or_else(not_listed)?;
        Ok(json!({ "SuppressedDestination": summary(&address, &listed) }))
    });
    respond(found)
}

/// `DeleteSuppressedDestination`.
pub(super) async fn delete(
    State(world): State<Arc<World>>,
    Path(address): Path<String>,
    request: Request,
) -> Response {
    let deleted = signed(&world, request).await.and_then(|(parts, _, account)| {
        let list = list_of(&account, query(&parts.uri).get("TenantName").map(String::as_str));
        let deleted = world.ses.suppressed.remove(&list, &address.to_ascii_lowercase());
        if deleted { Ok(json!({})) } else { Err(not_listed()) }
    });
    respond(deleted)
}

fn not_listed() -> Fault {
    Fault::not_found("Email address does not exist on your suppression list.")
}

/// `ListSuppressedDestinations`.
pub(super) async fn list(State(world): State<Arc<World>>, request: Request) -> Response {
    respond(signed(&world, request).await.and_then(|(parts, _, account)| {
        let query = query(&parts.uri);
        let list = list_of(&account, query.get("TenantName").map(String::as_str));
        page(world.ses.suppressed.all(&list), &query)
    }))
}

fn page(all: Vec<(String, Listed)>, query: &HashMap<String, String>) -> Result<Value, Fault> {
    let text = |name: &str| query.get(name).map(String::as_str);
    let size = match text("PageSize") {
        None => PAGE_SIZE,
        Some(size) => size
            .parse()
            .ok()
            .filter(|size| (1..=PAGE_SIZE_MAX).contains(size))
            .ok_or_else(|| Fault::bad_request("PageSize must be between 1 and 1000."))?,
    };
    let since = instant(text("StartDate"), UnixMillis::MIN)?;
    let until = instant(text("EndDate"), UnixMillis::MAX)?;
    let start = text("NextToken").map_or(Ok(0), offset)?;
    let wanted: Vec<_> = all
        .into_iter()
        .filter(|(_, listed)| (since..until).contains(&listed.at))
        .filter(|(_, listed)| text("Reason").is_none_or(|reason| reason == listed.reason))
        .collect();
    let end = (start + size).min(wanted.len());
    let summaries: Vec<_> = wanted
        .get(start..end)
        .unwrap_or_default()
        .iter()
        .map(|(address, listed)| summary(address, listed))
        .collect();
    let mut page = json!({ "SuppressedDestinationSummaries": summaries });
    if end < wanted.len() {
        page["NextToken"] = json!(STANDARD.encode(format!("offset={end}")));
    }
    Ok(page)
}

fn instant(text: Option<&str>, otherwise: UnixMillis) -> Result<UnixMillis, Fault> {
    let read = |text: &str| parse_iso8601(text).ok_or_else(|| Fault::bad_request("Invalid timestamp."));
    text.map_or(Ok(otherwise), read)
}

fn offset(token: &str) -> Result<usize, Fault> {
    let decoded = STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let offset = decoded.as_deref().and_then(|text| text.strip_prefix("offset=")?.parse().ok());
    offset.ok_or(fault::INVALID_NEXT_TOKEN)
}

fn summary(address: &str, listed: &Listed) -> Value {
    json!({ "EmailAddress": address, "Reason": listed.reason, "LastUpdateTime": seconds(listed.at) })
}
