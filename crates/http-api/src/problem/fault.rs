//! One thing that is wrong with a request, and where.

use serde::Serialize;
use utoipa::ToSchema;

/// A fault. Never holds what the client sent, which may be content or an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Fault {
    /// JSON pointer into the body, or the name of a header or parameter.
    pub(crate) pointer: String,
    /// Stable code, such as `required`.
    pub(crate) code: &'static str,
    /// What was expected.
    pub(crate) detail: String,
}

impl Fault {
    pub(crate) fn new(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code, detail: detail.into() }
    }
}
