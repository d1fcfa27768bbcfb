//! What a provider's webhook says, as its adapter read it.

use std::fmt;

use hermes_domain::{address::Channel, outcome::Receipt};

/// What a verified webhook held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Entries in the provider's order; each is applied on its own.
    pub entries: Vec<ReceivedEntry>,
    /// Entries that were left out because they are beyond the host's limits, such as an id of more than 200 bytes.
    pub unreadable: usize,
    /// What to answer beside 2xx: content type and body (handshakes, `TwiML`). Empty body: 204.
    pub reply: Option<(String, String)>,
}

/// One entry of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceivedEntry {
    /// Says something about an attempt.
    Receipt {
        /// Our reference, where the provider gave it back.
        reference: Option<String>,
        /// Whose it is, where one callback address serves many accounts.
        account: Option<String>,
        /// What it says.
        receipt: Receipt,
    },
    /// A recipient wrote, or opted out or in. Carries an address: never log it.
    Inbound(Inbound),
}

/// A message or a change of consent from a recipient.
#[derive(Clone, PartialEq, Eq)]
pub struct Inbound {
    /// Which channel.
    pub channel: Channel,
    /// The recipient's address.
    pub from: String,
    /// Our number or address that it was sent to, if told.
    pub to: Option<String>,
    /// Whose it is, where one callback address serves many accounts.
    pub account: Option<String>,
    /// What kind of message it is.
    pub kind: InboundKind,
}

impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound")
            .field("channel", &self.channel)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// What an inbound message means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboundKind {
    /// STOP, a marketing opt-out.
    OptOut,
    /// The recipient reported a message as unwanted.
    Complaint,
    /// The address does not exist.
    HardBounce,
    /// START.
    OptIn,
    /// Anything else.
    Message,
}

/// Why a webhook was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookRefusal {
    /// The signature is missing or wrong: 403.
    BadSignature,
    /// It cannot be read: 400.
    Malformed,
    /// The provider is to send it again: 503.
    SendAgain,
}

/// Answer of [`AdapterHost::receive`](super::AdapterHost::receive) when finished.
pub type ReceiveResult = Result<Received, WebhookRefusal>;
