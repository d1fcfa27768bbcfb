//! Generated from `schema/wit/adapter.wit`.

#![allow(
    clippy::all,
    unused_qualifications,
    unreachable_pub,
    missing_debug_implementations,
    reason = "generated"
)]

wasmtime::component::bindgen!({
    path: "../../schema/wit",
    world: "adapter",
    imports: { default: trappable },
});

pub(crate) use exports::hermes::adapter::{provider as wit, suppression_list as wit_list};
pub(crate) use hermes::adapter::host as wit_host;
