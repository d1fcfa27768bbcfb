//! The carrier simulator: Twilio, Vonage, Messente, Amazon SES v2, Firebase Cloud Messaging and WhatsApp, played over
//! HTTP.
//!
//! It is a real server, as strict as the real services: it checks signatures and tokens, content types, field
//! names, types and limits, and it answers with each provider's own error bodies. A connection uses it by
//! pointing its
//! `base_url` at [`RunningSimulator::base_url`]; the providers' own paths are served at the root.
//!
//! What happens to a message is decided by its recipient (see `script.rs`), so tests and demonstrations need
//! no set-up calls. The `/sim` resources (see `control.rs`) list what was received, count per reference, and
//! change defaults.
//!
//! A provider is one folder: it parses and checks its own requests, and implements `carrier::Submission`
//! for what comes out of that; everything else (script, log, receipts, control) is shared.
//!
//! Every credential in [`demo`] is public and protects nothing.

mod accounts;
mod answer;
mod carrier;
mod clock;
mod control;
mod credentials;
pub mod demo;
mod fcm;
mod inbound;
mod ledger;
mod log;
mod messente;
mod options;
mod pem;
mod receipts;
mod reference;
mod script;
mod segments;
mod server;
mod ses;
mod suppressed;
mod twilio;
mod vonage;
mod whatsapp;
mod world;

pub use accounts::{
    Accounts, FcmAccount, MessenteAccount, SesAccount, TwilioAccount, VonageAccount, VonageApplication,
    VonageReportMethod, VonageSignatureMethod, WhatsAppAccount, WhatsAppTemplate,
};
pub use options::{LogDetail, SimulatorOptions, SnsSignatureVersion};
pub use server::{Error, RunningSimulator, Simulator};
