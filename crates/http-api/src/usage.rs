//! What was sent, and what it cost.

mod file;
mod query;
mod read;
mod report;

use serde_json::json;
use utoipa::ToSchema;

use crate::{
    operation::{Need, Operation},
    router::Routes,
};

pub(crate) use file::{Further, csv};
pub(crate) use query::{Dimension, UsageQuestion, days, read_counts};
pub(crate) use report::{Amount, Sums, UsageGroup, grouped, report};

use report::UsageReport;

/// The days that a question is about.
pub(crate) fn with_days(operation: Operation) -> Operation {
    let day = || json!({ "type": "string", "format": "date" });
    operation.query("from", "First day, UTC; the first of this month if absent.", day()).query(
        "to",
        "Last day, included; today if absent. At most 400 days after `from`.",
        day(),
    )
}

/// The parameters that questions about usage have in common.
pub(crate) fn described<T: ToSchema>(operation: Operation, dimensions: &str) -> Operation {
    with_days(operation)
        .query("group_by", dimensions, json!({ "type": "string" }))
        .query("format", "`csv` for a file; JSON if absent.", json!({ "enum": ["json", "csv"] }))
        .reply::<T>(200, "The counts.")
        .plain(200, "The counts.", Some("text/csv"))
}

pub(crate) fn routes(routes: &mut Routes) {
    let read = Operation::get(Need::Read, "/v1/usage", "getUsage", "Messages, attempts, segments and cost");
    let dimensions = "Comma-separated: `day`, `channel`, `provider`, `country`. Messages are counted by the channel of \
                      their first step, on the day of their acceptance and under no provider; attempts on the day of \
                      their submission.";
    routes.add(described::<UsageReport>(read, dimensions), read::read);
}
