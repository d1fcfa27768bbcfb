//! The simulator over real sockets: strictness, signatures, every scripted ending, and the control calls.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod behaviours;
mod control;
mod fcm;
mod messente;
mod receiver;
mod ses;
mod sim;
mod specs;
mod twilio;
mod vonage;
mod whatsapp;
