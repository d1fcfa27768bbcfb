//! A message as the Reports API remembers it.

use serde::Serialize;

use crate::{
    carrier::History,
    clock::{self, UnixMillis},
    script::ReceiptEvent,
};

/// The API that sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Product {
    /// The SMS API; each part of a text is a message.
    Sms,
    Messages,
}

/// One message, or one part of one.
pub(super) struct Record {
    pub(super) product: Product,
    pub(super) id: String,
    pub(super) api_key: String,
    pub(super) to: String,
    pub(super) from: String,
    pub(super) text: String,
    pub(super) client_ref: Option<String>,
    pub(super) concatenated: bool,
    pub(super) created_at: UnixMillis,
    pub(super) history: History,
}

#[derive(Serialize)]
pub(super) struct Row<'a> {
    account_id: &'a str,
    message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_ref: Option<&'a str>,
    direction: &'static str,
    from: &'a str,
    to: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_body: Option<&'a str>,
    status: &'static str,
    error_code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code_description: Option<&'static str>,
    date_received: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_finalized: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    concatenated: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'static str>,
    currency: &'static str,
    total_price: f64,
}

/// Status, error code, its description, and whether nothing more is expected.
struct Standing {
    status: &'static str,
    error_code: &'static str,
    description: &'static str,
    is_final: bool,
}

impl Record {
    /// The message as it stands at `now`.
    pub(super) fn row(&self, now: UnixMillis, with_text: bool) -> Row<'_> {
        let latest = self.history.until(now).find_map(|(at, event)| Some((at, self.standing(event)?)));
        let (at, standing) = latest.unwrap_or_else(|| (self.created_at, self.under_way()));
        let is_sms = self.product == Product::Sms;
        Row {
            account_id: &self.api_key,
            message_id: &self.id,
            client_ref: self.client_ref.as_deref(),
            direction: "outbound",
            from: &self.from,
            to: &self.to,
            message_body: with_text.then_some(&*self.text),
            status: standing.status,
            error_code: standing.error_code,
            error_code_description: is_sms.then_some(standing.description),
            date_received: clock::basic_offset(self.created_at),
            date_finalized: standing.is_final.then(|| clock::basic_offset(at)),
            latency: standing.is_final.then(|| at - self.created_at),
            network: is_sms.then_some(NETWORK),
            concatenated: is_sms.then_some(self.concatenated),
            provider: (!is_sms).then_some("sms"),
            currency: "EUR",
            total_price: PRICE,
        }
    }

    fn under_way(&self) -> Standing {
        let status = match self.product {
            Product::Sms => "accepted",
            Product::Messages => "submitted",
        };
        Standing { status, error_code: "0", description: "Accepted", is_final: false }
    }

    fn standing(&self, event: ReceiptEvent) -> Option<Standing> {
        let end =
            |status, error_code, description| Standing { status, error_code, description, is_final: true };
        match (event, self.product) {
            (ReceiptEvent::Sent, _) => Some(self.under_way()),
            (ReceiptEvent::Delivered, _) => Some(end("delivered", "0", "Delivered")),
            (ReceiptEvent::Undelivered, Product::Sms) => {
                Some(end("failed", "3", "Absent Subscriber - Permanent"))
            }
            (ReceiptEvent::Undelivered, Product::Messages) => Some(end("rejected", "1190", "")),
            (ReceiptEvent::OptedOut | ReceiptEvent::Complained | ReceiptEvent::Suppressed, _) => None,
        }
    }
}

/// The network that every recipient belongs to.
pub(super) const NETWORK: &str = "23410";
/// Of one part, in euros.
pub(super) const PRICE: f64 = 0.0333;
