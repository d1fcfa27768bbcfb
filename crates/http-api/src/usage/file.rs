//! Counts as a file: a line for each group; costs in further columns, one for each currency that occurs.

use std::collections::BTreeSet;

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};

use super::{query::UsageQuestion, report::UsageGroup};

/// Columns behind those of every report.
#[derive(Debug, Default)]
pub(crate) struct Further {
    pub(crate) names: &'static [&'static str],
    /// One line for each group, a cell for each name.
    pub(crate) lines: Vec<Vec<String>>,
}

/// Answers with a file.
pub(crate) fn csv(question: &UsageQuestion, groups: &[&UsageGroup], further: Further) -> Response {
    let currencies: BTreeSet<&str> =
        groups.iter().flat_map(|group| &group.cost).map(|cost| cost.currency.as_str()).collect();
    let mut further_lines = further.lines.into_iter();
    let mut lines = vec![header(question, &currencies, further.names)];
    for group in groups {
        let mut line = line(question, group, &currencies);
        line.extend(further_lines.next().unwrap_or_default());
        lines.push(line);
    }
    let mut file = csv::Writer::from_writer(Vec::new());
    for line in lines {
        if file.write_record(line).is_err() {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    }
    let content_type = HeaderValue::from_static("text/csv; charset=utf-8");
    match file.into_inner() {
        Ok(text) => ([(header::CONTENT_TYPE, content_type)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn header(question: &UsageQuestion, currencies: &BTreeSet<&str>, further: &[&str]) -> Vec<String> {
    let mut header: Vec<String> =
        question.group_by.iter().map(|dimension| dimension.as_str().to_owned()).collect();
    header.extend(["messages", "attempts", "accepted", "segments", "delivered"].map(str::to_owned));
    header.extend(currencies.iter().map(|currency| format!("cost_{currency}")));
    header.extend(further.iter().map(|name| (*name).to_owned()));
    header
}

fn line(question: &UsageQuestion, group: &UsageGroup, currencies: &BTreeSet<&str>) -> Vec<String> {
    let names = question.group_by.iter().map(|dimension| dimension.as_str());
    let mut line: Vec<String> =
        names.map(|name| group.group.get(name).cloned().flatten().unwrap_or_default()).collect();
    let counts = [group.messages, group.attempts, group.accepted, group.segments, group.delivered];
    line.extend(counts.map(|count| count.to_string()));
    line.extend(currencies.iter().map(|currency| {
        let found = group.cost.iter().find(|cost| cost.currency == *currency);
        found.map_or_else(|| "0.00".to_owned(), |cost| cost.amount.clone())
    }));
    line
}
