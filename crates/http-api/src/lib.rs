//! The HTTP API of Hermes: `/v1` for tenants, `/admin/v1` for operators, `/receipts` for providers.
//!
//! One file per resource and verb. [`router`] builds everything from an [`ApiState`]; the served
//! OpenAPI document is made from the same table as the routes, so that neither can lack what the
//! other has. Every refusal is a `Problem`, rendered as `application/problem+json` at the edge.

mod admin;
mod api;
mod audit;
mod audited;
mod batches;
mod body;
mod cascades;
mod docs;
mod edge;
mod etag;
mod gate;
mod health;
mod health_board;
mod idempotency;
mod inbound;
mod json;
mod message_store;
mod messages;
mod openapi;
mod operation;
mod page;
mod problem;
mod query;
mod quotas;
mod rate;
mod receipts;
mod recipients;
mod records;
mod reply;
mod request_id;
mod router;
mod routes;
mod schema;
mod senders;
mod settings;
mod status;
mod suppressions;
mod templates;
mod usage;
mod webhooks;

pub use admin::adapters::restore::{RestoreError, restore as restore_adapters};
pub use api::{ApiPorts, ApiState};
pub use batches::BatchRunner;
pub use message_store::MessageStore;
pub use openapi::document as openapi_document;
pub use receipts::ParkedReceipts;
pub use router::router;
pub use settings::{ApiLimits, ApiSettings, IsReady, RenderMetrics};
