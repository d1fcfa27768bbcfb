//! Delivery reports, and messages from handsets, in the way the account asks for.

use bytes::Bytes;
use http::{HeaderValue, header};
use serde_json::{Map, Value};
use url::Url;

use super::{
    send::{Sms, part_price},
    signature,
};
use crate::{
    VonageReportMethod,
    clock::{self, UnixMillis},
    receipts::Outgoing,
    script::ReceiptEvent,
    vonage::{record::NETWORK, stable},
};

type Parameters = Vec<(&'static str, String)>;

/// The requests that tell about `event`: a report for each part, or one message from the handset.
pub(super) fn outgoing(sms: &Sms, event: ReceiptEvent, at: UnixMillis) -> Vec<Outgoing> {
    let (status, error_code) = match event {
        ReceiptEvent::Sent => ("accepted", "0"),
        ReceiptEvent::Delivered => ("delivered", "0"),
        // The subscriber is absent for good.
        ReceiptEvent::Undelivered => ("failed", "3"),
        ReceiptEvent::OptedOut => return stop(sms, at).into_iter().collect(),
        ReceiptEvent::Complained | ReceiptEvent::Suppressed => return Vec::new(),
    };
    let Some(url) = report_url(sms).filter(|_| sms.text.wants_reports) else {
        return Vec::new();
    };
    let report = |id: &String| {
        let parameters = report(sms, id, status, error_code, at);
        let repeats_as = format!("{id}/{status}");
        request(sms, url.clone(), signed(sms, parameters, &repeats_as, at))
    };
    sms.ids.iter().map(report).collect()
}

/// The message's own URL comes before the account's.
fn report_url(sms: &Sms) -> Option<&Url> {
    sms.text.callback.as_ref().or(sms.account.settings.report_url.as_ref())
}

fn report(sms: &Sms, id: &str, status: &str, error_code: &str, at: UnixMillis) -> Parameters {
    let text = &sms.text;
    let mut parameters = vec![
        ("msisdn", text.to.clone()),
        ("to", text.from.clone()),
        ("network-code", NETWORK.to_owned()),
        ("messageId", id.to_owned()),
        ("price", part_price()),
        ("status", status.to_owned()),
        ("scts", clock::carrier_minute(at)),
        ("err-code", error_code.to_owned()),
        ("api-key", sms.account.settings.api_key.clone()),
        ("message-timestamp", clock::date_and_time(at)),
    ];
    parameters.extend(text.client_ref.clone().map(|reference| ("client-ref", reference)));
    parameters
}

/// The recipient answers STOP. That is a message like any other to Vonage.
fn stop(sms: &Sms, at: UnixMillis) -> Option<Outgoing> {
    let settings = &sms.account.settings;
    let url = match &settings.inbound_url {
        Some(url) => url.clone(),
        None => without_query(report_url(sms)?),
    };
    let repeats_as = format!("{}/stop", sms.ids.first()?);
    let id = stable::trace_id(&repeats_as).to_ascii_uppercase();
    let parameters = vec![
        ("api-key", settings.api_key.clone()),
        ("msisdn", sms.text.to.clone()),
        ("to", sms.text.from.clone()),
        ("messageId", id.chars().take(16).collect()),
        ("text", "STOP".to_owned()),
        ("type", "text".to_owned()),
        ("keyword", "STOP".to_owned()),
        ("message-timestamp", clock::date_and_time(at)),
    ];
    Some(request(sms, url, signed(sms, parameters, &repeats_as, at)))
}

/// The same connection, but no message.
fn without_query(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// The signature is over these parameters only, not over those that the URL has of its own.
fn signed(sms: &Sms, mut parameters: Parameters, repeats_as: &str, at: UnixMillis) -> Parameters {
    let settings = &sms.account.settings;
    if let Some(method) = settings.signature_method {
        parameters.push(("timestamp", (at / 1000).to_string()));
        parameters.push(("nonce", stable::uuid(repeats_as)));
        let pairs = parameters.iter().map(|(name, value)| (*name, &**value));
        let sig = signature::sign(method, &settings.signature_secret, pairs);
        parameters.push(("sig", sig));
    }
    parameters
}

fn request(sms: &Sms, mut url: Url, parameters: Parameters) -> Outgoing {
    let (content_type, body) = match sms.account.settings.report_method {
        VonageReportMethod::Get => {
            url.query_pairs_mut().extend_pairs(&parameters);
            return Outgoing { url, headers: Vec::new(), body: Bytes::new() };
        }
        VonageReportMethod::Post => {
            let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&parameters).finish();
            ("application/x-www-form-urlencoded", form)
        }
        VonageReportMethod::PostJson => {
            let object: Map<_, _> =
                parameters.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
            ("application/json", Value::from(object).to_string())
        }
    };
    let headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
    Outgoing { url, headers, body: Bytes::from(body) }
}
