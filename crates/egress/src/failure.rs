//! What a failed exchange proves, and how it is told without repeating what was sent.

use std::error::Error;

use hermes_ports::egress::EgressError;

use crate::{guard::AddressRefused, watched_body::Progress};

/// Longest description taken over from a library, in bytes.
const DESCRIPTION_MAX_BYTES: usize = 160;

/// The meaning of `error`, which ended an exchange before a response head arrived.
///
/// reqwest reports name, TCP and TLS failures, the connect timeout among them, as connect errors: they end
/// before a request is given to the connection. A connection may also close before it takes the request up;
/// the untouched body proves it. Everything after that may have been processed.
pub(crate) fn of_request(error: &reqwest::Error, progress: &Progress) -> EgressError {
    if sources(error).any(|source| source.is::<AddressRefused>()) {
        return EgressError::Refused(AddressRefused.to_string());
    }
    if error.is_connect() || (progress.is_untouched() && !error.is_builder()) {
        return EgressError::Connect(describe(error));
    }
    if error.is_builder() {
        return EgressError::Refused("the URL cannot be requested".into());
    }
    EgressError::Lost(describe(error))
}

/// The meaning of `error`, which ended an exchange while the body was read.
pub(crate) fn of_body(error: &reqwest::Error) -> EgressError {
    EgressError::Lost(describe(error))
}

/// The innermost cause. reqwest's own text names the whole URL; causes speak of sockets and protocols.
fn describe(error: &reqwest::Error) -> String {
    let mut text = match sources(error).last() {
        Some(cause) => cause.to_string(),
        None => "no cause is known".to_owned(),
    };
    let end = text.floor_char_boundary(DESCRIPTION_MAX_BYTES);
    text.truncate(end);
    text
}

fn sources(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}
