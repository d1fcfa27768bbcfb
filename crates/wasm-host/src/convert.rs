//! Values of the ports as values of the contract, and back.

mod from_guest;
mod to_guest;

pub(crate) use from_guest::{outcome, received, request};
pub(crate) use to_guest::{content_bytes, lookup_query, response, send_call, webhook};
