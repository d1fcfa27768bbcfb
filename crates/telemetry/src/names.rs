//! The one list of names: metrics, their labels, and the fields of logs and spans.
//!
//! Labels take values from small closed sets. Never a tenant, a message or an address: each
//! would be a time series of its own.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Metric names.
pub mod metric {
    /// Messages that reached a status, by `status` and `channel`.
    pub const MESSAGES_TOTAL: &str = "hermes_messages_total";
    /// Requests refused before acceptance, by `code`.
    pub const REFUSALS_TOTAL: &str = "hermes_refusals_total";
    /// Attempts that ended, by `provider` and `outcome`.
    pub const ATTEMPTS_TOTAL: &str = "hermes_attempts_total";
    /// From permit to the provider's answer, by `provider`.
    pub const ATTEMPT_SECONDS: &str = "hermes_attempt_seconds";
    /// From the first byte of a send request to its `202`.
    pub const ACCEPT_SECONDS: &str = "hermes_accept_seconds";
    /// From acceptance to the terminal status, by `status`.
    pub const END_TO_END_SECONDS: &str = "hermes_end_to_end_seconds";
    /// HTTP requests, by `route`, `method` and `status`.
    pub const HTTP_REQUESTS_TOTAL: &str = "hermes_http_requests_total";
    /// Time to answer an HTTP request, by `route` and `method`.
    pub const HTTP_REQUEST_SECONDS: &str = "hermes_http_request_seconds";
    /// Calls to providers that run now, by `connection`.
    pub const CALLS_IN_FLIGHT: &str = "hermes_calls_in_flight";
    /// A connection's breaker, by `connection`: 0 closed, 1 half-open, 2 open, 3 held.
    pub const BREAKER_STATE: &str = "hermes_breaker_state";
    /// Living actors, by `kind`.
    pub const ACTORS: &str = "hermes_actors";
    /// Restarts of actors, by `kind` and `exit`.
    pub const ACTOR_RESTARTS_TOTAL: &str = "hermes_actor_restarts_total";
    /// Messages waiting in mailboxes, by `kind`.
    pub const MAILBOX_DEPTH: &str = "hermes_mailbox_depth";
    /// Messages parked as poison.
    pub const PARKED_MESSAGES: &str = "hermes_parked_messages";
    /// Commits that shared one transaction.
    pub const STORE_BATCH_SIZE: &str = "hermes_store_batch_size";
    /// Time of one transaction.
    pub const STORE_BATCH_SECONDS: &str = "hermes_store_batch_seconds";
    /// Items of batches whose outcome is known, by `outcome`: `accepted`, `refused` or `cancelled`.
    pub const BATCH_ITEMS_TOTAL: &str = "hermes_batch_items_total";
    /// Batches that are being worked on.
    pub const BATCHES_RUNNING: &str = "hermes_batches_running";
    /// Messages that were kept long enough, by `what`: `content` for what is personal in them, or the `message`.
    pub const RETENTION_MESSAGES_TOTAL: &str = "hermes_retention_messages_total";
    /// Questions to providers about what became of a message, by `provider` and `outcome`.
    pub const LOOKUPS_TOTAL: &str = "hermes_lookups_total";
    /// Receipts, by `provider` and `result`.
    pub const RECEIPTS_TOTAL: &str = "hermes_receipts_total";
    /// Deliveries of tenant webhooks, by `result`.
    pub const WEBHOOKS_TOTAL: &str = "hermes_webhooks_total";
    /// Webhook endpoints that were disabled for the tenant, by `reason`.
    pub const WEBHOOKS_DISABLED_TOTAL: &str = "hermes_webhooks_disabled_total";
    /// Time in an adapter's guest, by `provider`.
    pub const ADAPTER_GUEST_SECONDS: &str = "hermes_adapter_guest_seconds";
    /// From a component's bytes to code that can run, by `provider`.
    pub const ADAPTER_LOAD_SECONDS: &str = "hermes_adapter_load_seconds";
    /// Adapter faults, by `provider` and `reason`.
    pub const ADAPTER_FAULTS_TOTAL: &str = "hermes_adapter_faults_total";
    /// Submissions that a candidate version of an adapter built too, by `provider` and `result`.
    pub const CANARY_CALLS_TOTAL: &str = "hermes_canary_calls_total";
    /// What adapters count themselves, by `provider` and `event`: at most 16 names an instance.
    pub const ADAPTER_EVENTS_TOTAL: &str = "hermes_adapter_events_total";
}

/// Label names.
pub mod label {
    /// A channel: `sms`, `email`, `push`, `whatsapp`.
    pub const CHANNEL: &str = "channel";
    /// A problem's code.
    pub const CODE: &str = "code";
    /// A provider connection's id; operators configure few of them.
    pub const CONNECTION: &str = "connection";
    /// A name that an adapter gave to what it counts.
    pub const EVENT: &str = "event";
    /// How an actor ended.
    pub const EXIT: &str = "exit";
    /// A kind of actor.
    pub const KIND: &str = "kind";
    /// The validation layer that refused, or `routing`, or `none`.
    pub const LAYER: &str = "layer";
    /// An HTTP method.
    pub const METHOD: &str = "method";
    /// How an attempt ended.
    pub const OUTCOME: &str = "outcome";
    /// A provider's name.
    pub const PROVIDER: &str = "provider";
    /// Why, from a closed set.
    pub const REASON: &str = "reason";
    /// How something ended, from a closed set.
    pub const RESULT: &str = "result";
    /// An HTTP route's pattern, never the path.
    pub const ROUTE: &str = "route";
    /// What went: `content` or `message`.
    pub const WHAT: &str = "what";
    /// A status, of a message or of HTTP.
    pub const STATUS: &str = "status";
}

/// Fields of spans and log events.
pub mod field {
    /// A tenant's id.
    pub const TENANT_ID: &str = "tenant.id";
    /// A message's id, which is its cascade's.
    pub const MESSAGE_ID: &str = "message.id";
    /// An attempt's number within its message.
    pub const ATTEMPT_NUMBER: &str = "attempt.number";
    /// A provider connection's id.
    pub const PROVIDER_CONNECTION: &str = "provider.connection";
    /// A provider's name.
    pub const PROVIDER_NAME: &str = "provider.name";
    /// An HTTP request's id.
    pub const REQUEST_ID: &str = "request.id";
    /// An actor's name.
    pub const ACTOR_NAME: &str = "actor.name";
    /// An adapter's version.
    pub const ADAPTER_VERSION: &str = "adapter.version";
}

/// The metrics that are histograms; each has its buckets in [`crate::metrics`].
pub const HISTOGRAMS: &[&str] = &[
    metric::ATTEMPT_SECONDS,
    metric::ACCEPT_SECONDS,
    metric::END_TO_END_SECONDS,
    metric::HTTP_REQUEST_SECONDS,
    metric::STORE_BATCH_SIZE,
    metric::STORE_BATCH_SECONDS,
    metric::ADAPTER_GUEST_SECONDS,
];

/// Tells the recorder what each metric means; it becomes Prometheus' `HELP`.
pub(crate) fn describe() {
    describe_counters();
    describe_gauges();
    describe_histograms();
}

fn describe_counters() {
    let descriptions = [
        (metric::MESSAGES_TOTAL, "Messages that reached a status"),
        (metric::REFUSALS_TOTAL, "Requests refused before acceptance"),
        (metric::ATTEMPTS_TOTAL, "Attempts that ended"),
        (metric::HTTP_REQUESTS_TOTAL, "HTTP requests answered"),
        (metric::ACTOR_RESTARTS_TOTAL, "Restarts of actors"),
        (metric::LOOKUPS_TOTAL, "Questions to providers about what became of a message"),
        (metric::BATCH_ITEMS_TOTAL, "Items of batches whose outcome is known"),
        (metric::RETENTION_MESSAGES_TOTAL, "Messages that were kept long enough"),
        (metric::RECEIPTS_TOTAL, "Delivery receipts received"),
        (metric::WEBHOOKS_TOTAL, "Deliveries of tenant webhooks"),
        (metric::WEBHOOKS_DISABLED_TOTAL, "Webhook endpoints disabled because they are gone or keep failing"),
        (metric::ADAPTER_FAULTS_TOTAL, "Faults of adapters"),
        (metric::CANARY_CALLS_TOTAL, "Submissions that candidates of adapters built too"),
        (metric::ADAPTER_EVENTS_TOTAL, "What adapters count themselves"),
    ];
    for (name, description) in descriptions {
        describe_counter!(name, description);
    }
}

fn describe_gauges() {
    let descriptions = [
        (metric::CALLS_IN_FLIGHT, "Calls to providers that run now"),
        (metric::BREAKER_STATE, "Circuit breaker: 0 closed, 1 half-open, 2 open, 3 held"),
        (metric::ACTORS, "Living actors"),
        (metric::MAILBOX_DEPTH, "Messages waiting in mailboxes"),
        (metric::BATCHES_RUNNING, "Batches that are being worked on"),
        (metric::PARKED_MESSAGES, "Messages parked after repeated failures"),
    ];
    for (name, description) in descriptions {
        describe_gauge!(name, description);
    }
}

fn describe_histograms() {
    let seconds = [
        (metric::ATTEMPT_SECONDS, "From permit to the provider's answer"),
        (metric::ACCEPT_SECONDS, "From a send request to its 202"),
        (metric::END_TO_END_SECONDS, "From acceptance to the terminal status"),
        (metric::HTTP_REQUEST_SECONDS, "Time to answer an HTTP request"),
        (metric::STORE_BATCH_SECONDS, "Time of one store transaction"),
        (metric::ADAPTER_GUEST_SECONDS, "Time in an adapter's guest"),
        (metric::ADAPTER_LOAD_SECONDS, "From a component's bytes to code that can run"),
    ];
    for (name, description) in seconds {
        describe_histogram!(name, Unit::Seconds, description);
    }
    describe_histogram!(metric::STORE_BATCH_SIZE, Unit::Count, "Commits in one transaction");
}
