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
    audit,
    batches::{self, BatchRunner},
    cascades, docs, edge, health, inbound, messages,
    openapi::Document,
    operation::{Need, Operation, Verb},
    problem::{Code, Problem},
    receipts::{self, ParkedReceipts},
    recipients, senders, status, suppressions, templates, webhooks,
};

/// The routes and what the document says about them.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    router: Router<Arc<Api>>,
    table: RouteTable,
    pub(crate) document: Document,
}

/// A route as gate and metrics know it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    is_read_only: bool,
    verb: Verb,
    /// Its path, with names in braces for what differs.
    pub(crate) pattern: &'static str,
    /// What its callers need.
    pub(crate) need: Need,
    /// Id of its operation.
    pub(crate) operation: &'static str,
}

impl Route {
    /// Whether it does more than read.
    pub(crate) fn changes(self) -> bool {
        self.verb != Verb::Get && !self.is_read_only
    }
}

/// All routes, by their pattern.
#[derive(Debug, Default)]
pub(crate) struct RouteTable(HashMap<&'static str, Vec<Route>>);

impl RouteTable {
    fn add(&mut self, operation: &Operation) {
        let Operation { verb, path, need, id, is_read_only, .. } = *operation;
        let route = Route { is_read_only, verb, pattern: path, need, operation: id };
        self.0.entry(path).or_default().push(route);
    }

    /// The pattern that a path matched, as text that lives for ever.
    pub(crate) fn pattern(&self, matched: &str) -> Option<&'static str> {
        self.0.get(matched)?.first().map(|route| route.pattern)
    }

    /// The route that serves a method on a pattern.
    pub(crate) fn find(&self, matched: &str, method: &http::Method) -> Option<Route> {
        let verb = Verb::of(method)?;
        self.0.get(matched)?.iter().find(|route| route.verb == verb).copied()
    }
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
        self.table.add(&operation);
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
    crate::routes::routes(&mut routes);
    crate::usage::routes(&mut routes);
    templates::routes(&mut routes);
    senders::routes(&mut routes);
    inbound::routes(&mut routes);
    audit::routes(&mut routes);
    webhooks::routes(&mut routes);
    suppressions::routes(&mut routes);
    recipients::routes(&mut routes);
    receipts::routes(&mut routes);
    admin::routes(&mut routes);
    health::routes(&mut routes);
    docs::routes(&mut routes);
    routes
}

/// The whole HTTP API, and what has to run beside it: receipts that were kept for later, and batches.
pub fn router(state: ApiState) -> (Router, ParkedReceipts, BatchRunner) {
    let Routes { router, table, document } = routes();
    let api = Arc::new(Api::new(state, table, document.finish().to_string()));
    let router = router
        .fallback(async || Problem::new(Code::NotFound, "There is no such path."))
        .method_not_allowed_fallback(async || {
            Problem::new(Code::MethodNotAllowed, "The path exists, but not for this method; see `Allow`.")
        })
        .layer(from_fn_with_state(Arc::clone(&api), edge::edge))
        .with_state(Arc::clone(&api));
    (router, ParkedReceipts::new(Arc::clone(&api)), BatchRunner::new(api))
}
