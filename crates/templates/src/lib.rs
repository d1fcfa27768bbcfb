//! Message templates: compiled once, rendered in a limited environment.
//!
//! A template is a stranger's program. It computes with what it is given and nothing else: no files, no
//! other templates, no macros, no clock; and [`Limits`] bound its work, its output and its depth, so that
//! the worst template costs its own tenant a refusal. Everything here is pure.

mod cache;
mod compiled;
mod environment;
mod fault;
mod filters;
mod limits;
mod output;
mod parts;
mod tokens;
mod trial;

pub use cache::TemplateCache;
pub use compiled::{Compiled, Rendered};
pub use fault::{Fault, FaultKind};
pub use limits::{Limits, PARTS_MAX};
