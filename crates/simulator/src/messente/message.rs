//! An accepted message, and how Messente words what happens to it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use ring::digest::{SHA256, digest};
use serde::Serialize;

use super::parts;
use crate::{
    MessenteAccount,
    carrier::History,
    clock::{self, UnixMillis},
    script::ReceiptEvent,
};

/// A message that Messente took over.
#[derive(Clone)]
pub(super) struct Omnimessage {
    pub(super) account: Arc<MessenteAccount>,
    pub(super) omnimessage_id: String,
    pub(super) message_id: String,
    pub(super) to: String,
    pub(super) sender: String,
    pub(super) parts: usize,
    /// When it is due, if it was scheduled.
    pub(super) time_to_send: Option<UnixMillis>,
    /// Shared with the copy that sends reports.
    pub(super) cancelled: Arc<AtomicBool>,
    pub(super) accepted_at: UnixMillis,
    pub(super) history: History,
}

/// A status with its error code and text; nothing in it while a message is being processed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    name: Option<&'static str>,
    err: Option<u16>,
    error: Option<&'static str>,
    is_priced: bool,
}

#[derive(Serialize)]
struct PriceInfo {
    part_price: &'static str,
    parts_count: usize,
    total_price: String,
}

/// What is told about a message. The fields come in the order of Messente's own reports.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    status: Option<&'static str>,
    sender: &'a str,
    err: Option<u16>,
    message_id: &'a str,
    /// In reports only; an answer to a question has these two once, outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'a str>,
    channel: &'static str,
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    omnimessage_id: Option<&'a str>,
    timestamp: String,
    price_info: Option<PriceInfo>,
}

const ACK: Status = Status { name: Some("ACK"), err: None, error: None, is_priced: false };
const DELIVERED: Status = Status { name: Some("DELIVRD"), err: Some(0), error: None, is_priced: true };
const UNDELIVERED: Status =
    Status { name: Some("UNDELIV"), err: Some(3), error: Some("Invalid number"), is_priced: true };
const DELETED: Status = Status { name: Some("DELETED"), err: Some(0), error: None, is_priced: false };

/// How Messente words an event; it has no word for some.
pub(super) fn status_of(event: ReceiptEvent) -> Option<Status> {
    match event {
        ReceiptEvent::Sent => Some(ACK),
        ReceiptEvent::Delivered => Some(DELIVERED),
        ReceiptEvent::Undelivered => Some(UNDELIVERED),
        ReceiptEvent::OptedOut | ReceiptEvent::Complained | ReceiptEvent::Suppressed => None,
    }
}

impl Omnimessage {
    /// The message as an answer to a question at `now` describes it.
    pub(super) fn result(&self, now: UnixMillis) -> Report<'_> {
        let latest = self.history.until(now).find_map(|(at, event)| Some((status_of(event)?, at)));
        let (status, at) = match latest {
            _ if self.is_cancelled() => (DELETED, self.accepted_at),
            Some(latest) => latest,
            None => (Status::default(), self.accepted_at),
        };
        Report { to: None, omnimessage_id: None, ..self.report(status, at) }
    }

    /// The body of a delivery report.
    pub(super) fn report(&self, status: Status, at: UnixMillis) -> Report<'_> {
        Report {
            status: status.name,
            sender: &self.sender,
            err: status.err,
            message_id: &self.message_id,
            to: Some(&self.to),
            channel: "sms",
            error: status.error,
            omnimessage_id: Some(&self.omnimessage_id),
            timestamp: clock::micros_without_zone(at),
            price_info: status.is_priced.then(|| PriceInfo {
                part_price: "0.1",
                parts_count: self.parts,
                total_price: format!("{}.{}", self.parts / 10, self.parts % 10),
            }),
        }
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Whether the message was still waiting; if so, it never goes out.
    pub(super) fn cancel(&self, now: UnixMillis) -> bool {
        let waits = self.time_to_send.is_some_and(|due| due > now);
        waits && !self.cancelled.swap(true, Ordering::AcqRel)
    }
}

/// Parts of a new message's text.
pub(super) fn parts(text: &str) -> usize {
    parts::count(text)
}

/// A new id.
pub(super) fn random_id() -> String {
    uuid(rand::random())
}

/// An id that is the same for the same text, so that something repeated has the same id again.
pub(super) fn id_from(text: &str) -> String {
    let digest = digest(&SHA256, text.as_bytes());
    uuid(digest.as_ref().first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes)))
}

/// Version 4, by its marks.
fn uuid(bits: u128) -> String {
    let (time, version) = (bits >> 80, (bits >> 64 & 0x0fff) | 0x4000);
    let (variant, node) = ((bits >> 48 & 0x3fff) | 0x8000, bits & 0xffff_ffff_ffff);
    format!("{:08x}-{:04x}-{version:04x}-{variant:04x}-{node:012x}", time >> 16, time & 0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo;

    #[test]
    fn a_report_is_spelled_as_published() {
        let message = Omnimessage {
            account: Arc::new(demo::messente()),
            omnimessage_id: "d7248cda-6c1a-4436-acf5-aaf249bb67d3".into(),
            message_id: "3e28ec48-d620-4191-a96e-d91ba8ecc949".into(),
            to: "+3725555555".into(),
            sender: "MySender".into(),
            parts: 2,
            time_to_send: None,
            cancelled: Arc::default(),
            accepted_at: 0,
            history: History::default(),
        };
        let at = clock::parse_rfc3339("2026-11-24T02:00:00.389Z").unwrap();
        let text = |status| serde_json::to_string(&message.report(status, at)).unwrap();
        assert_eq!(
            text(DELIVERED),
            r#"{"status":"DELIVRD","sender":"MySender","err":0,"message_id":"3e28ec48-d620-4191-a96e-d91ba8ecc949","to":"+3725555555","channel":"sms","error":null,"omnimessage_id":"d7248cda-6c1a-4436-acf5-aaf249bb67d3","timestamp":"2026-11-24T02:00:00.389000","price_info":{"part_price":"0.1","parts_count":2,"total_price":"0.2"}}"#
        );
        assert_eq!(
            text(ACK),
            r#"{"status":"ACK","sender":"MySender","err":null,"message_id":"3e28ec48-d620-4191-a96e-d91ba8ecc949","to":"+3725555555","channel":"sms","error":null,"omnimessage_id":"d7248cda-6c1a-4436-acf5-aaf249bb67d3","timestamp":"2026-11-24T02:00:00.389000","price_info":null}"#
        );
    }

    #[test]
    fn ids_are_uuids_of_version_four() {
        let id = uuid(u128::MAX);
        assert_eq!(id, "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(id_from("x"), id_from("x"));
        assert_ne!(random_id(), random_id());
    }
}
