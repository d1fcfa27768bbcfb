//! The Reports API, by Vonage's id: there is no search by our reference.

use hermes_adapter_sdk::{
    Submission, accepted,
    contract::{Content, HttpResponse, Level, LookupQuery, Outcome, ReceiptStatus},
    get, host, json, pick, refused, sanitized,
};
use serde_json::Value;

use crate::{account_auth, codes, gsm7, is_sms_api, url};

const BASE: &str = "https://api.nexmo.com";

/// A long text of the SMS API has an id a part, and one part's record says nothing about the others.
pub(crate) fn request(query: &LookupQuery) -> Option<Submission> {
    if is_sms_api() && !is_one_part(&query.call.content) {
        return None;
    }
    let id = sanitized(query.provider_message_id.as_deref()?, 60);
    let account = sanitized(&host::get_config("api_key")?, 40);
    let product = if is_sms_api() { "SMS" } else { "MESSAGES" };
    let path =
        format!("/v2/reports/records?account_id={account}&product={product}&direction=outbound&id={id}");
    Some(Submission { request: get(url(BASE, &path), account_auth().ok()?), notes: Vec::new() })
}

fn is_one_part(content: &Content) -> bool {
    let Content::Sms(content) = content else { return false };
    let text = content.text.as_deref().unwrap_or_default();
    if gsm7::fits(text) { gsm7::septets(text) <= 160 } else { text.encode_utf16().count() <= 70 }
}

pub(crate) fn outcome(response: &HttpResponse) -> Outcome {
    let answer = json(&response.body);
    let record = answer.pointer("/records/0").filter(|_| response.status == 200);
    let Some(record) = record else { return Outcome::Unknown(refused("Vonage has no record of it")) };
    let id = pick(record, "/message_id").or_else(|| pick(record, "/message_uuid")).map(str::to_owned);
    match pick(record, "/status").unwrap_or_default() {
        "delivered" => accepted(id, Some(Level::Delivered)),
        "read" => accepted(id, Some(Level::Read)),
        "accepted" | "submitted" | "buffered" => accepted(id, Some(Level::Sent)),
        "failed" | "rejected" | "expired" | "deleted" | "undeliverable" => failed(record),
        _ => Outcome::Unknown(refused("its status is not known yet")),
    }
}

fn failed(record: &Value) -> Outcome {
    let code = pick(record, "/error_code").map(str::to_owned);
    let number = code.as_deref().and_then(|code| code.parse().ok());
    let reading = number.and_then(codes::messages).or_else(|| code.as_deref().and_then(codes::sms_report));
    match codes::receipt(reading, code, ReceiptStatus::Rejected) {
        ReceiptStatus::Reached(_) => Outcome::Unknown(refused("its status is not known yet")),
        ReceiptStatus::Undelivered(failure) | ReceiptStatus::Failed(failure) => Outcome::Rejected(failure),
        ReceiptStatus::Rejected(failure) | ReceiptStatus::Expired(failure) => Outcome::Rejected(failure),
    }
}
