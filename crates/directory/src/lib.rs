//! Tenants, keys, connections, endpoints, stored cascades, templates, rate cards and quotes: a typed view of the registry that is
//! held in memory, and the minting of ids.
//!
//! Readers never wait: they look at an immutable [`Snapshot`]. Writers go through the registry first
//! and swap the snapshot afterwards, so what a reader sees is durable.

mod ack_token;
mod cascades;
mod connections;
mod directory;
mod endpoints;
mod error;
mod key_hash;
mod key_use;
mod keys;
mod mint;
mod notification;
mod quotes;
mod rate_cards;
mod rotation;
mod routes;
mod secret_text;
mod senders;
mod snapshot;
mod templates;
mod tenants;

pub use ack_token::AckTokens;
pub use cascades::{CASCADE_VERSIONS_MAX, CascadeTemplate, CascadeVersion};
pub use connections::{ConnectionTerms, Price};
pub use directory::{Directory, DirectoryKeys};
pub use endpoints::{ROTATION_OVERLAP_MS, SigningSecrets};
pub use error::DirectoryError;
pub use hermes_sealing::SealError;
pub use key_use::KEY_USE_EVERY_MS;
pub use keys::Principal;
pub use mint::Mint;
pub use notification::{notifications, operational_entries, webhook_body};
pub use quotes::QUOTES_MAX;
pub use rate_cards::RATE_CARDS_MAX;
pub use rotation::Rotation;
pub use routes::{ROUTES_MAX, StoredRoute};
pub use senders::SENDERS_MAX;
pub use snapshot::{ConnectionEntry, EndpointEntry, KeyEntry, Snapshot, Versioned};
pub use templates::{
    Activate, MessageTemplate, TEMPLATE_BYTES_MAX, TEMPLATE_VERSIONS_MAX, TEMPLATES_MAX, TemplateChange,
    TemplateEntry, TemplateVersion,
};
