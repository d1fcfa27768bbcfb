//! The SMS API: forms, HTTP status 200 for refusals too, and a report for each part of a text.

mod fault;
mod form;
mod login;
mod report;
mod send;
mod signature;

pub(super) use send::send;
