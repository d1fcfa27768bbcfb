//! What was sent, and what it cost.

mod query;
mod read;
mod report;

use serde_json::json;

use crate::{
    operation::{Need, Operation},
    router::Routes,
};

pub(crate) use query::{Dimension, UsageQuestion, read_counts};
pub(crate) use report::{UsageReport, csv, report};

/// The parameters that questions about usage have in common.
pub(crate) fn described(operation: Operation, dimensions: &str) -> Operation {
    let day = || json!({ "type": "string", "format": "date" });
    operation
        .query("from", "First day, UTC; the first of this month if absent.", day())
        .query("to", "Last day, included; today if absent. At most 400 days after `from`.", day())
        .query("group_by", dimensions, json!({ "type": "string" }))
        .query("format", "`csv` for a file; JSON if absent.", json!({ "enum": ["json", "csv"] }))
        .reply::<UsageReport>(200, "The counts.")
        .plain(200, "The counts.", Some("text/csv"))
}

pub(crate) fn routes(routes: &mut Routes) {
    let read = Operation::get(Need::Read, "/v1/usage", "getUsage", "Messages, attempts, segments and cost");
    let dimensions = "Comma-separated: `day`, `channel`, `provider`, `country`. Messages are counted by the channel of \
                      their first step, on the day of their acceptance and under no provider; attempts on the day of \
                      their submission.";
    routes.add(described(read, dimensions), read::read);
}
