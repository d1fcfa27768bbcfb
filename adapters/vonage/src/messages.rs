//! The Messages API v1.

use hermes_adapter_sdk::{
    accepted, by_status,
    contract::{
        Channel, Effect, Entry, ErrorClass, Failure, HttpRequest, HttpResponse, Level, Outcome, Price,
        ReceiptStatus, Received, Refusal, SendCall, Throttling, Webhook,
    },
    e164, failure, inbound, json, keyword_kind, nothing, pick, post_json, query_value, receipt, refused_with,
    retry_after_ms, rfc3339_ms,
};
use serde_json::{Value, json};

use crate::{
    Sms, application, application_auth,
    codes::{self, Reading},
    jwt, url,
};

const BASE: &str = "https://api.nexmo.com";
/// Longest text, in characters.
const TEXT_CHARS_MAX: usize = 1_000;

pub(crate) fn request(sms: &Sms<'_>, call: &SendCall) -> Result<HttpRequest, Outcome> {
    if sms.text.chars().count() > TEXT_CHARS_MAX {
        return Err(refused_with(ErrorClass::ProviderFault, "Vonage takes no text beyond 1000 characters"));
    }
    let body = json!({
        "message_type": "text",
        "channel": "sms",
        "to": sms.to,
        "from": sms.from,
        "text": sms.text,
        "ttl": call.valid_for_s,
        "client_ref": call.reference,
        "webhook_url": call.callback_url,
        "webhook_version": "v1",
    });
    Ok(post_json(url(BASE, "/v1/messages"), &body, application_auth()?, Effect::Submits))
}

pub(crate) fn outcome(response: &HttpResponse) -> Outcome {
    let answer = json(&response.body);
    match (response.status, pick(&answer, "/message_uuid")) {
        (200..=299, Some(id)) => accepted(Some(id.to_owned()), None),
        _ => refusal(response, &answer),
    }
}

fn refusal(response: &HttpResponse, answer: &Value) -> Outcome {
    let kind = pick(answer, "/type").and_then(|kind| kind.rsplit_once('#')).map(|(_, code)| code);
    let code = kind.map_or_else(|| format!("http_{}", response.status), str::to_owned);
    let told = |class, detail: &str| failure(class, code.clone(), detail);
    match (response.status, kind) {
        (429, _) => Outcome::Throttled(Throttling {
            retry_after_ms: retry_after_ms(response),
            failure: told(ErrorClass::ProviderThrottled, "too many requests"),
        }),
        (402, _) => Outcome::Rejected(told(ErrorClass::Funds, "the account has no credit")),
        (401 | 403, _) => {
            Outcome::Rejected(told(ErrorClass::Auth, "the credentials or the account were refused"))
        }
        // The numbers after `#` are not reliable here: the parameters' names are.
        (422, _) => Outcome::Rejected(by_parameter(answer, &told)),
        (500..=599, _) => Outcome::ServerError(told(ErrorClass::ProviderFault, "Vonage failed")),
        (_, Some(_)) => Outcome::Rejected(told(ErrorClass::Unknown, "the request was refused")),
        (_, None) => by_status(response),
    }
}

fn by_parameter(answer: &Value, told: &dyn Fn(ErrorClass, &str) -> Failure) -> Failure {
    let parameters = answer.pointer("/invalid_parameters").and_then(Value::as_array);
    let names = parameters.into_iter().flatten().filter_map(|parameter| pick(parameter, "/name"));
    let class = names.map(|name| match name {
        "to" => (ErrorClass::RecipientPermanent, "the recipient's number is not valid"),
        "from" => (ErrorClass::SenderRejected, "the sender is not valid"),
        "text" => (ErrorClass::ContentRejected, "the text is not valid"),
        _ => (ErrorClass::Unknown, "a field is not valid"),
    });
    let (class, detail) = class
        .min_by_key(|(class, _)| *class == ErrorClass::Unknown)
        .unwrap_or((ErrorClass::Unknown, "the request was refused"));
    told(class, detail)
}

/// A status callback, or a text from a person.
pub(crate) fn receipts(webhook: &Webhook) -> Result<Received, Refusal> {
    jwt::verify(webhook)?;
    let event = json(&webhook.body);
    if !event.is_object() {
        return Err(Refusal::Malformed);
    }
    let Some(status) = pick(&event, "/status") else { return Ok(from_person(&event)) };
    let Some(status) = receipt_status(status, &event) else { return Ok(nothing()) };
    let reference =
        pick(&event, "/client_ref").map(str::to_owned).or_else(|| query_value(&webhook.url, "ref"));
    let id = pick(&event, "/message_uuid").map(str::to_owned);
    let mut receipt = receipt(reference, id, status);
    receipt.provider_time_ms = pick(&event, "/timestamp").and_then(rfc3339_ms);
    receipt.segments = pick(&event, "/sms/count_total").and_then(|count| count.parse().ok());
    receipt.cost = price(&event);
    Ok(Received { entries: vec![Entry::Receipt(receipt)], reply: None })
}

fn price(event: &Value) -> Option<Price> {
    let (amount, currency) = (pick(event, "/usage/price")?, pick(event, "/usage/currency")?);
    Some(Price { amount: amount.to_owned(), currency: currency.to_owned() })
}

fn receipt_status(status: &str, event: &Value) -> Option<ReceiptStatus> {
    match status {
        "submitted" => Some(ReceiptStatus::Reached(Level::Sent)),
        "delivered" => Some(ReceiptStatus::Reached(Level::Delivered)),
        "read" => Some(ReceiptStatus::Reached(Level::Read)),
        "rejected" => Some(codes::receipt(reading(event), error_code(event), ReceiptStatus::Rejected)),
        "undeliverable" => {
            let failure =
                failure(ErrorClass::ProviderFault, error_code(event), "the carrier could not be reached");
            Some(ReceiptStatus::Failed(failure))
        }
        _ => None,
    }
}

/// Vonage nests the error twice in some versions, and writes its number as number or text.
fn error_code(event: &Value) -> Option<String> {
    let error = event.pointer("/error/error").or_else(|| event.pointer("/error"))?;
    match error.get("title")? {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

fn reading(event: &Value) -> Option<Reading> {
    codes::messages(error_code(event)?.parse().ok()?)
}

fn from_person(event: &Value) -> Received {
    let (text, to) = (pick(event, "/text").unwrap_or_default(), pick(event, "/to").map(e164));
    let entry = |from: &str| {
        let (from, to) = (e164(from), to.clone());
        let kind = keyword_kind(&from, text);
        Entry::Inbound(inbound(Channel::Sms, from, to, kind))
    };
    Received { entries: pick(event, "/from").map(entry).into_iter().collect(), reply: None }
}

/// A message without any field: whoever is known gets 422, and nothing can be delivered.
pub(crate) fn check() -> Result<HttpRequest, Outcome> {
    if application().is_none() {
        return Err(refused_with(
            ErrorClass::Auth,
            "application_id or private_key is missing: Vonage sends status callbacks to applications only",
        ));
    }
    Ok(post_json(url(BASE, "/v1/messages"), &json!({}), application_auth()?, Effect::Safe))
}

pub(crate) fn checked(response: &HttpResponse) -> Outcome {
    match response.status {
        422 => accepted(None, None),
        _ => refusal(response, &json(&response.body)),
    }
}
