//! The real components of `adapters/dist` in the real host.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod calls;
mod canary;
mod capture;
mod conformance;
mod fcm;
mod hostile;
mod hostile_describe;
mod hostile_floods;
mod hostile_hosts;
mod hostile_neighbours;
mod hostile_secrets;
mod install;
mod lists;
mod messente;
mod ses;
mod ses_mime;
mod ses_receipts;
mod specs;
mod support;
mod swap;
mod template;
mod twilio;
mod twilio_receipts;
mod vonage;
mod vonage_receipts;
mod whatsapp;
mod whatsapp_receipts;
