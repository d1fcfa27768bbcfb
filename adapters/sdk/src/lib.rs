//! What provider adapters share: the contract's types, and small helpers.
//!
//! An adapter implements [`Provider`], three pure functions at its heart, and ends with
//! [`adapter!`]. It is compiled to a component that exports `hermes:adapter/provider`.
//!
//! ```ignore
//! struct Acme;
//! impl Provider for Acme { /* descriptor, request, outcome, receipts, check */ }
//! hermes_adapter_sdk::adapter!(Acme);
//! ```

mod fields;
mod http;
// The host's own table, so that both mean the same. It uses nothing but the standard library.
#[path = "../../../crates/domain/src/suppression/keywords.rs"]
mod keywords;
mod listing;
mod outcomes;
mod phone;
mod provider;
mod shell;
mod text;
mod time;
mod webhooks;

/// Generated from `schema/wit/adapter.wit`.
#[allow(clippy::indexing_slicing, clippy::panic, unused_qualifications, unreachable_pub)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../schema/wit",
        world: "adapter",
        pub_export_macro: true,
        export_macro_name: "export_component",
        default_bindings_module: "hermes_adapter_sdk::bindings",
    });
}

pub use bindings::{
    exports::hermes::adapter::{provider as contract, suppression_list},
    hermes::adapter::host,
};
pub use fields::{
    credential, identifier, optional_credential, optional_identifier, optional_setting, setting,
};
pub use http::{base_url, delete, get, header, post_form, post_json, put_json, retry_after_ms};
pub use keywords::{Meaning, meaning};
pub use listing::list_failure;
pub use outcomes::{accepted, by_status, failure, refused, refused_with, with_code};
pub use phone::{digits, e164};
pub use provider::{Provider, Submission};
pub use shell::Shell;
pub use text::{json, percent_encoded, pick, sanitized};
pub use time::{http_date_ms, rfc3339, rfc3339_ms};
pub use webhooks::{form_fields, hex, inbound, keyword_kind, nothing, query_value, receipt, same_bytes};

/// Exports `$provider` as the component of this crate.
#[macro_export]
macro_rules! adapter {
    ($provider:ident) => {
        type Component = $crate::Shell<$provider>;
        $crate::bindings::export_component!(Component with_types_in $crate::bindings);
    };
}
