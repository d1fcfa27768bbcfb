//! Values of the ports as values of the contract, and back.

mod from_guest;
mod listing;
mod to_guest;

pub(crate) use from_guest::{outcome, received, request};
pub(crate) use listing::{answer as list_answer, operation as list_operation};
pub(crate) use to_guest::{content_bytes, lookup_query, response, send_call, webhook};
