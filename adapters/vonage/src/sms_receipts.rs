//! Delivery reports and inbound texts of the SMS API, by GET, form or JSON as the account is set.

use hermes_adapter_sdk::{
    contract::{Channel, Entry, ErrorClass, Level, Method, ReceiptStatus, Received, Refusal, Webhook},
    e164, failure, form_fields, header, inbound, json, keyword_kind, nothing, query_value, receipt,
    rfc3339_ms,
};
use serde_json::Value;

use crate::{codes, sig};

type Parameters = Vec<(String, String)>;

pub(crate) fn read(webhook: &Webhook) -> Result<Received, Refusal> {
    let parameters = parameters(webhook)?;
    sig::verify(&parameters, webhook.received_at_ms / 1_000)?;
    let value = |name: &str| {
        let found = parameters.iter().find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    };
    let Some(status) = value("status") else { return Ok(from_person(&value)) };
    let Some(status) = receipt_status(status, value("err-code")) else { return Ok(nothing()) };
    let reference = value("client-ref").map(str::to_owned).or_else(|| query_value(&webhook.url, "ref"));
    let id = value("messageId").map(str::to_owned);
    // A long text is reported part by part, each with an id of its own; which message it is the reference says.
    let (whole, part) = if reference.is_some() { (None, id) } else { (id, None) };
    let mut receipt = receipt(reference, whole, status);
    receipt.part = part;
    receipt.provider_time_ms = value("message-timestamp").and_then(|at| rfc3339_ms(&format!("{at}Z")));
    Ok(Received { entries: vec![Entry::Receipt(receipt)], reply: None })
}

fn parameters(webhook: &Webhook) -> Result<Parameters, Refusal> {
    if webhook.method == Method::Get {
        let query = webhook.url.split_once('?').map_or("", |(_, query)| query);
        // What we put into the address ourselves is not signed.
        return Ok(form_fields(query.as_bytes()).into_iter().filter(|(name, _)| name != "ref").collect());
    }
    let is_json = header(&webhook.headers, "content-type").is_some_and(|kind| kind.contains("json"));
    if !is_json {
        return Ok(form_fields(&webhook.body));
    }
    let body = json(&webhook.body);
    let fields = body.as_object().ok_or(Refusal::Malformed)?;
    Ok(fields.iter().map(|(name, value)| (name.clone(), text(value))).collect())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn receipt_status(status: &str, code: Option<&str>) -> Option<ReceiptStatus> {
    let code = code.filter(|code| *code != "0");
    let reading = code.and_then(codes::sms_report);
    let told =
        |status: fn(_) -> ReceiptStatus| Some(codes::receipt(reading, code.map(str::to_owned), status));
    match status {
        "accepted" | "buffered" => Some(ReceiptStatus::Reached(Level::Sent)),
        "delivered" => Some(ReceiptStatus::Reached(Level::Delivered)),
        "expired" => Some(ReceiptStatus::Expired(failure(
            ErrorClass::RecipientTemporary,
            code.map(str::to_owned),
            "its validity ran out",
        ))),
        "failed" => told(ReceiptStatus::Failed),
        "rejected" | "deleted" => told(ReceiptStatus::Rejected),
        _ => None,
    }
}

fn from_person<'a>(value: &dyn Fn(&str) -> Option<&'a str>) -> Received {
    // Of a long text only the first part can be a keyword's whole message.
    let text = value("text").filter(|_| value("concat") != Some("true")).unwrap_or_default();
    let to = value("to").map(e164);
    let entry = |from: &str| {
        let (from, to) = (e164(from), to.clone());
        let kind = keyword_kind(&from, text);
        Entry::Inbound(inbound(Channel::Sms, from, to, kind))
    };
    Received { entries: value("msisdn").map(entry).into_iter().collect(), reply: None }
}
