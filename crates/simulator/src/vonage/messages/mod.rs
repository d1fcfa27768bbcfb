//! The Messages API, version 1: JSON, HTTP statuses that mean something, and callbacks signed as tokens.

mod request;
mod send;
mod status;

pub(super) use send::send;
