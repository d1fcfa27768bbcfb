//! Bodies to start from, one per operation that takes JSON. Tests hold them against the schemas and the API.

use std::sync::LazyLock;

use serde_json::{Map, Value};

static EXAMPLES: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "part of the program: every test of the document reads it")]
    serde_json::from_str(include_str!("examples.json")).expect("examples.json holds an object")
});

/// The body that the document shows for an operation.
pub(crate) fn of(operation_id: &str) -> Option<&'static Value> {
    EXAMPLES.get(operation_id)
}
