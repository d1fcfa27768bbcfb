//! Delivery reports, and messages from handsets.

use serde::Serialize;
use url::Url;

use super::{
    message::{id_from, status_of},
    send::Sms,
    signature,
};
use crate::{
    clock::{self, UnixMillis},
    receipts::Outgoing,
    script::ReceiptEvent,
};

/// The fields come in the order of Messente's own requests.
#[derive(Serialize)]
struct Inbound<'a> {
    msg_id: String,
    sub_msg_id: String,
    channel: &'static str,
    recipient: &'a str,
    time: String,
    text: &'static str,
    sender: &'a str,
}

/// The request that tells about `event`; none without a URL for it, after a cancellation, or for an event that
/// Messente has no word for.
pub(super) fn outgoing(sms: &Sms, event: ReceiptEvent, at: UnixMillis) -> Option<Outgoing> {
    if sms.message.is_cancelled() {
        return None;
    }
    match status_of(event) {
        Some(status) => {
            let body = serde_json::to_vec(&sms.message.report(status, at)).ok()?;
            signature::signed(sms.report_url()?, &sms.message.account.password, body)
        }
        None if event == ReceiptEvent::OptedOut => stop(sms, at),
        None => None,
    }
}

/// The recipient answers STOP, which is a message like any other to Messente.
fn stop(sms: &Sms, at: UnixMillis) -> Option<Outgoing> {
    let message = &sms.message;
    let account = &message.account;
    let inbound = Inbound {
        msg_id: id_from(&message.message_id),
        sub_msg_id: id_from(&message.omnimessage_id),
        channel: "sms",
        recipient: &account.inbound_number,
        time: clock::micros_utc(at),
        text: "STOP",
        sender: &message.to,
    };
    let body = serde_json::to_vec(&inbound).ok()?;
    signature::signed(inbound_url(sms)?, &account.inbound_secret, body)
}

/// The inbound number's own URL, else that of the report without its query: the same connection, no message.
fn inbound_url(sms: &Sms) -> Option<Url> {
    match &sms.message.account.inbound_url {
        Some(url) => Some(url.clone()),
        None => {
            let mut url = sms.report_url()?;
            url.set_query(None);
            Some(url)
        }
    }
}
