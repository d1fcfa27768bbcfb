//! From a record to the fields of a rule, the same for CSV and NDJSON.

use http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::super::export::COLUMNS;
use crate::{
    json,
    problem::{Code, Fault, Problem},
};

/// Columns and fields that an export has and a tenant does not write.
const OVERLOOKED: [&str; 4] = ["id", "mode", "source", "created_at"];

/// How the records of a body are written.
#[derive(Debug)]
pub(super) enum Format {
    /// The first record names the columns.
    Csv { columns: Option<Vec<String>> },
    /// Each record is a JSON object.
    Ndjson,
}

impl Format {
    /// By the content type.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let named =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = named.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let encoded = headers.get(header::CONTENT_ENCODING).is_some_and(|value| value != "identity");
        match essence.as_str() {
            "text/csv" if !encoded => Ok(Self::Csv { columns: None }),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" if !encoded => {
                Ok(Self::Ndjson)
            }
            _ => {
                let detail =
                    "Send text/csv or application/x-ndjson, in UTF-8 and without a content encoding.";
                Err(Problem::new(Code::UnsupportedMediaType, detail))
            }
        }
    }

    pub(super) const fn has_quotes(&self) -> bool {
        matches!(self, Self::Csv { .. })
    }

    /// The fields of a record. `Ok(None)`: it was the header.
    pub(super) fn fields(&mut self, record: &[u8]) -> Result<Option<Value>, Unread> {
        match self {
            Self::Ndjson => {
                let mut value =
                    json::parse(record).map_err(|_| Unread::line("malformed", "expected a JSON object"))?;
                if let Value::Object(fields) = &mut value {
                    fields.retain(|name, _| !OVERLOOKED.contains(&name.as_str()));
                }
                Ok(Some(value))
            }
            Self::Csv { columns: Some(columns) } => {
                let cells = cells(record)?;
                if cells.len() != columns.len() {
                    let detail = format!("expected {} columns, as in the header", columns.len());
                    return Err(Unread::line("columns", detail));
                }
                let named = columns
                    .iter()
                    .zip(cells)
                    .filter(|(name, cell)| !cell.is_empty() && !OVERLOOKED.contains(&name.as_str()));
                let fields: Map<_, _> =
                    named.map(|(name, cell)| (name.clone(), Value::String(cell))).collect();
                Ok(Some(Value::Object(fields)))
            }
            Self::Csv { columns } => {
                *columns = Some(header_of(record)?);
                Ok(None)
            }
        }
    }
}

/// Why a record could not be read.
#[derive(Debug)]
pub(super) enum Unread {
    /// It is wrong, others may be right.
    Line(Fault),
    /// Without it no other can be read.
    Body(Problem),
}

impl Unread {
    fn line(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Line(Fault::new("", code, detail))
    }
}

fn header_of(record: &[u8]) -> Result<Vec<String>, Unread> {
    let refused = |detail: &str| {
        let fault = Fault::new("/0", "header", detail);
        let problem =
            Problem::new(Code::SchemaInvalid, "The first line must name the columns; see `errors`.");
        Unread::Body(problem.with_faults(vec![fault]))
    };
    let record = record.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(record);
    let columns = cells(record).map_err(|_| refused("expected a line of CSV in UTF-8"))?;
    let columns: Vec<_> = columns.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
    let known = |name: &String| COLUMNS.contains(&name.as_str()) || OVERLOOKED.contains(&name.as_str());
    let repeated = columns.iter().enumerate().any(|(place, name)| columns[..place].contains(name));
    let names_any = columns.iter().any(|name| matches!(name.as_str(), "address" | "domain" | "prefix"));
    if !columns.iter().all(known) || repeated || !names_any {
        return Err(refused(
            "expected different columns out of address, domain, prefix, channel, sender, reason, note and \
             expires_at, one of the first three among them",
        ));
    }
    Ok(columns)
}

fn cells(record: &[u8]) -> Result<Vec<String>, Unread> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(record.len().max(1))
        .from_reader(record);
    let mut cells = csv::StringRecord::new();
    match reader.read_record(&mut cells) {
        Ok(true) => Ok(cells.iter().map(str::to_owned).collect()),
        Ok(false) | Err(_) => Err(Unread::line("malformed", "expected a line of CSV in UTF-8")),
    }
}
