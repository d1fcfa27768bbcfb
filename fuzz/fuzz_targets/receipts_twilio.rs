//! Webhooks of one provider, as they are and signed.

#![no_main]

hermes_fuzz::target!(Target::Receipts("twilio"));
