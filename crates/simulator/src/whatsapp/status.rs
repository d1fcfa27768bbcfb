//! How WhatsApp words what happens to a message.

use super::fault::Known;
use crate::script::ReceiptEvent;

/// A status of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Sent,
    Delivered,
    Read,
    Failed(Known),
}

impl Status {
    /// As webhooks say it; the message history says it in capitals.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed(_) => "failed",
        }
    }
}

/// What of a delivery the recipient lets us know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Receipts {
    /// Read receipts are switched off.
    Delivered,
    DeliveredAndRead,
    /// The message was read before anything was told of its delivery.
    Read,
}

/// The statuses that an event comes as: none where WhatsApp says nothing, or something else.
pub(super) fn of_event(event: ReceiptEvent, receipts: Receipts, failure: Known) -> Vec<Status> {
    match (event, receipts) {
        (ReceiptEvent::Sent, _) => vec![Status::Sent],
        (ReceiptEvent::Delivered, Receipts::Delivered) => vec![Status::Delivered],
        (ReceiptEvent::Delivered, Receipts::DeliveredAndRead) => vec![Status::Delivered, Status::Read],
        (ReceiptEvent::Delivered, Receipts::Read) => vec![Status::Read],
        (ReceiptEvent::Undelivered, _) => vec![Status::Failed(failure)],
        (ReceiptEvent::OptedOut | ReceiptEvent::Complained | ReceiptEvent::Suppressed, _) => Vec::new(),
    }
}
