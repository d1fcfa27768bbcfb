//! All routes.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    handler::Handler,
    middleware::from_fn_with_state,
    routing::{delete, get, patch, post, put},
};

use crate::{
    admin,
    api::{Api, ApiState},
    batches, cascades, docs, edge, health, messages,
    openapi::Document,
    operation::{Operation, Verb},
    problem::{Code, Problem},
    receipts::{self, ParkedReceipts},
    status, templates, webhooks,
};

/// The routes and what the document says about them.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    router: Router<Arc<Api>>,
    patterns: HashMap<&'static str, &'static str>,
    pub(crate) document: Document,
}

impl Routes {
    pub(crate) fn add<H, T>(&mut self, mut operation: Operation, handler: H)
    where
        H: Handler<T, Arc<Api>>,
        T: 'static,
    {
        let route = match operation.verb {
            Verb::Get => get(handler),
            Verb::Post => post(handler),
            Verb::Put => put(handler),
            Verb::Patch => patch(handler),
            Verb::Delete => delete(handler),
        };
        self.document.add(&mut operation);
        self.patterns.insert(operation.path, operation.path);
        self.router = std::mem::take(&mut self.router).route(operation.path, route);
    }
}

/// Every operation of the API.
pub(crate) fn routes() -> Routes {
    let mut routes = Routes::default();
    messages::routes(&mut routes);
    batches::routes(&mut routes);
    status::routes(&mut routes);
    cascades::routes(&mut routes);
    templates::routes(&mut routes);
    webhooks::routes(&mut routes);
    receipts::routes(&mut routes);
    admin::routes(&mut routes);
    health::routes(&mut routes);
    docs::routes(&mut routes);
    routes
}

/// The whole HTTP API, and the receipts that it has kept for later.
pub fn router(state: ApiState) -> (Router, ParkedReceipts) {
    let Routes { router, patterns, document } = routes();
    let api = Arc::new(Api::new(state, patterns, document.finish().to_string()));
    let router = router
        .fallback(async || Problem::new(Code::NotFound, "There is no such path."))
        .method_not_allowed_fallback(async || {
            Problem::new(Code::MethodNotAllowed, "The path exists, but not for this method; see `Allow`.")
        })
        .layer(from_fn_with_state(Arc::clone(&api), edge::edge))
        .with_state(Arc::clone(&api));
    (router, ParkedReceipts::new(api))
}
