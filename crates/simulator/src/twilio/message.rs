//! The Message resource: what a send answers with and lookups return.

use serde::Serialize;
use serde_json::{Value, json};

use super::form::Form;
use crate::{
    carrier::History,
    clock::{self, UnixMillis},
    script::ReceiptEvent,
    segments::{self, Encoding},
};

/// A message that Twilio took over.
#[derive(Clone)]
pub(super) struct Message {
    pub(super) sid: String,
    pub(super) account_sid: String,
    pub(super) to: String,
    pub(super) from: Option<String>,
    pub(super) messaging_service_sid: Option<String>,
    body: String,
    media_count: usize,
    pub(super) created_at: UnixMillis,
    pub(super) history: History,
}

/// A status and, for failures, the code that explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) name: &'static str,
    pub(super) error_code: Option<u32>,
}

/// How Twilio words an event; it has no word for some.
pub(super) fn status_of(event: ReceiptEvent) -> Option<Status> {
    let (name, error_code) = match event {
        ReceiptEvent::Sent => ("sent", None),
        ReceiptEvent::Delivered => ("delivered", None),
        ReceiptEvent::Undelivered => ("undelivered", Some(30005)),
        ReceiptEvent::OptedOut | ReceiptEvent::Complained | ReceiptEvent::Suppressed => return None,
    };
    Some(Status { name, error_code })
}

#[derive(Serialize)]
struct Resource<'a> {
    account_sid: &'a str,
    api_version: &'static str,
    body: &'a str,
    date_created: String,
    date_sent: Option<String>,
    date_updated: String,
    direction: &'static str,
    error_code: Option<u32>,
    error_message: Option<&'static str>,
    from: Option<&'a str>,
    messaging_service_sid: Option<&'a str>,
    num_media: String,
    num_segments: String,
    price: Option<&'static str>,
    price_unit: Option<&'static str>,
    sid: &'a str,
    status: &'static str,
    subresource_uris: Value,
    to: &'a str,
    uri: String,
}

impl Message {
    /// How many parts its text is billed as.
    pub(super) fn parts(&self) -> usize {
        segments::count(&self.body, Encoding::Auto)
    }

    pub(super) fn new(sid: String, account_sid: &str, form: &Form, created_at: UnixMillis) -> Self {
        Self {
            sid,
            account_sid: account_sid.to_owned(),
            to: form.to.clone(),
            from: form.from.clone(),
            messaging_service_sid: form.messaging_service_sid.clone(),
            body: form.body.clone().unwrap_or_default(),
            media_count: form.media_urls.len(),
            created_at,
            history: History::default(),
        }
    }

    /// The message with what will have happened to it.
    pub(super) fn accepted(&self, at: UnixMillis, history: History) -> Self {
        Self { created_at: at, history, ..self.clone() }
    }

    /// The resource as it stands at `now`, as JSON.
    pub(super) fn resource(&self, now: UnixMillis) -> impl Serialize {
        let latest = self.history.until(now).find_map(|(at, event)| Some((at, status_of(event)?)));
        let first_status = if self.messaging_service_sid.is_some() { "accepted" } else { "queued" };
        let status = latest.map_or(Status { name: first_status, error_code: None }, |(_, status)| status);
        let path = format!("/2010-04-01/Accounts/{}/Messages/{}", self.account_sid, self.sid);
        // With a Messaging Service nothing is known until a sender was chosen.
        let segments = if status.name == "accepted" { 0 } else { self.parts() };
        Resource {
            account_sid: &self.account_sid,
            api_version: "2010-04-01",
            body: &self.body,
            date_created: clock::rfc2822(self.created_at),
            date_sent: latest.map(|(at, _)| clock::rfc2822(at)),
            date_updated: clock::rfc2822(latest.map_or(self.created_at, |(at, _)| at)),
            direction: "outbound-api",
            error_code: status.error_code,
            error_message: status.error_code.map(|_| "Unknown destination handset"),
            from: self.from.as_deref(),
            messaging_service_sid: self.messaging_service_sid.as_deref(),
            num_media: self.media_count.to_string(),
            num_segments: segments.to_string(),
            price: latest.map(|_| "-0.00830"),
            price_unit: latest.map(|_| "USD"),
            sid: &self.sid,
            status: status.name,
            subresource_uris: json!({ "media": format!("{path}/Media.json") }),
            to: &self.to,
            uri: format!("{path}.json"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resource_follows_the_history() {
        let form = Form::parse(b"To=%2B4520129901&From=ACME&Body=hi");
        let mut message = Message::new("SM1".into(), "AC1", &form, 1000);
        message.history = History(vec![(2000, ReceiptEvent::Undelivered)]);
        let at = |now| serde_json::to_value(message.resource(now)).unwrap();
        assert_eq!(at(1999)["status"], "queued");
        assert_eq!(at(1999)["date_sent"], Value::Null);
        assert_eq!(at(2000)["status"], "undelivered");
        assert_eq!(at(2000)["error_code"], 30005);
    }
}
