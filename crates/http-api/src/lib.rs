//! The HTTP API: one file per resource, problem+json everywhere.

mod admin;
mod auth;
mod check;
mod health;
mod idempotency;
mod messages;
mod problem;
mod rate;
mod receipts;
mod request;
mod state;
mod webhooks;

pub use admin::adapters::restore as restore_adapters;
pub use state::{ApiPorts, ApiSettings, ApiState};

use std::sync::Arc;

use axum::{
    Router, middleware,
    routing::{get, post},
};

/// Every route, grouped by who calls it.
pub fn router(state: ApiState) -> Router {
    let state = Arc::new(state);
    Router::new()
        .merge(for_tenants())
        .merge(for_operators())
        .route("/v1/ack/{token}", post(messages::act::acknowledge_by_token))
        .route("/receipts/{provider}/{connection}", post(receipts::receive).get(receipts::receive))
        .route("/", get(health::index))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(&state), request::around))
        .with_state(state)
}

fn for_tenants() -> Router<Arc<ApiState>> {
    Router::new()
        .route("/v1/messages", post(messages::send::send).get(messages::list::list))
        .route("/v1/messages/validate", post(messages::send::validate))
        .route("/v1/messages/{id}", get(messages::read::read))
        .route("/v1/messages/{id}/events", get(messages::read::events))
        .route("/v1/messages/{id}/cancel", post(messages::act::cancel))
        .route("/v1/messages/{id}/ack", post(messages::act::acknowledge))
        .route("/v1/status", get(health::status))
        .route("/v1/webhooks", post(webhooks::create).get(webhooks::list))
        .route("/v1/webhooks/{id}", get(webhooks::read).delete(webhooks::delete))
        .route("/v1/webhooks/{id}/deliveries", get(webhooks::deliveries))
        .route("/v1/webhooks/{id}/rotate_secret", post(webhooks::rotate))
        .route("/v1/webhooks/{id}/redeliver", post(webhooks::redeliver))
}

fn for_operators() -> Router<Arc<ApiState>> {
    use admin::{actors, adapters, providers, tenants};
    Router::new()
        .route("/admin/v1/tenants", post(tenants::create).get(tenants::list))
        .route("/admin/v1/tenants/{id}", get(tenants::read))
        .route("/admin/v1/tenants/{id}/suspend", post(tenants::suspend))
        .route("/admin/v1/tenants/{id}/resume", post(tenants::resume))
        .route("/admin/v1/tenants/{id}/keys", post(tenants::create_key).get(tenants::list_keys))
        .route("/admin/v1/providers", post(providers::create).get(providers::list))
        .route("/admin/v1/providers/{id}", get(providers::read).delete(providers::delete))
        .route("/admin/v1/providers/{id}/check", post(providers::check))
        .route("/admin/v1/providers/{id}/health", get(providers::health))
        .route("/admin/v1/providers/{id}/hold", post(providers::hold))
        .route("/admin/v1/providers/{id}/release", post(providers::release))
        .route("/admin/v1/adapters", get(adapters::list))
        .route("/admin/v1/adapters/{name}", post(adapters::upload))
        .route("/admin/v1/adapters/{name}/activate", post(adapters::activate))
        .route("/admin/v1/actors", get(actors::list))
        .route("/admin/v1/actors/{id}", get(actors::read))
        .route("/admin/v1/actors/{id}/kill", post(actors::kill))
        .route("/admin/v1/cascades/{id}", get(actors::cascade))
}
