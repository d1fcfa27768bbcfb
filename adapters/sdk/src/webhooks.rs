//! Reading webhooks.

use crate::{
    contract::{Channel, Inbound, InboundKind, Receipt, ReceiptStatus, Received},
    keywords::{Meaning, meaning},
};

/// Decoded form fields (or query parameters), in their order.
pub fn form_fields(encoded: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded).into_owned().collect()
}

/// A query parameter of `url`, decoded.
pub fn query_value(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let query = query.split('#').next()?;
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Verified, and nothing in it for us.
pub fn nothing() -> Received {
    Received { entries: Vec::new(), reply: None }
}

/// A receipt without money or segments.
pub fn receipt(
    reference: Option<String>,
    provider_message_id: Option<String>,
    status: ReceiptStatus,
) -> Receipt {
    Receipt {
        reference,
        provider_message_id,
        part: None,
        account: None,
        status,
        provider_time_ms: None,
        segments: None,
        cost: None,
    }
}

/// A message or a change of consent from a recipient, without an account.
pub fn inbound(channel: Channel, from: String, to: Option<String>, kind: InboundKind) -> Inbound {
    Inbound { channel, from, to, account: None, kind }
}

/// What a text from `number` (E.164) means: one that is nothing but a keyword, of English or of a language of the
/// number's country, changes consent.
pub fn keyword_kind(number: &str, text: &str) -> InboundKind {
    match meaning(number, text) {
        Meaning::OptOut => InboundKind::OptOut,
        Meaning::OptIn => InboundKind::OptIn,
        Meaning::Help | Meaning::Other => InboundKind::Message,
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether both are equal, in a time that depends on the lengths alone. Two empty ones are not:
/// an HMAC with a missing key is empty and must never match.
pub fn same_bytes(left: &[u8], right: &[u8]) -> bool {
    let difference = left.iter().zip(right).fold(0, |seen, (left, right)| seen | (left ^ right));
    !left.is_empty() && left.len() == right.len() && std::hint::black_box(difference) == 0
}
