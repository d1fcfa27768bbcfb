//! Messages: send, read, list, act.

pub(crate) mod act;
pub(crate) mod list;
pub(crate) mod parse;
pub(crate) mod plan;
pub(crate) mod read;
pub(crate) mod send;
pub(crate) mod view;
