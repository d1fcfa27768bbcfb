//! The composition root: everything is put together here and nowhere else.

mod assembly;
mod completion_log;
mod egress;
mod key_uses;
mod keys;
mod memory;
mod on_record;
mod operator;
mod retention;
mod serving;
mod stores;
mod telemetry;
mod trail;

pub(crate) use assembly::{Assembly, DRAIN_MAX, Settings};
pub(crate) use keys::are_there as keys_are_there;
pub(crate) use on_record::{Actor, on_record};
pub(crate) use operator::{create_operator_key, rotate_credentials};
pub(crate) use serving::{asked_to_stop, bind, block_on, serve};
pub(crate) use stores::open_stores;
pub(crate) use telemetry::start_telemetry;
pub(crate) use trail::{Line, Told};
