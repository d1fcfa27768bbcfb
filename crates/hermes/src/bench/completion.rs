//! Where the ends of messages are seen: in the server's completion log, or at a webhook endpoint.

mod log_tail;
mod receiver;
mod signature;

pub(super) use log_tail::{LogTail, follow};
pub(super) use receiver::{Endpoint, Notified};
