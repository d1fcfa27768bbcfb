//! One conversation between an adapter and its provider: the adapter decides, the host sends.

mod listing;
mod receive;
mod session;
mod submit;

pub(crate) use listing::list;
pub(crate) use receive::receive;
pub(crate) use session::Session;
pub(crate) use submit::{Ended, check, lookup, submit};
