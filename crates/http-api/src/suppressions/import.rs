//! `POST /v1/suppressions/import`: read, checked and kept piece by piece; the whole body is never in memory.

mod format;

use std::{collections::HashSet, sync::Arc};

use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use hermes_domain::{
    suppression::{Suppression, SuppressionSource},
    tenant::TenantScope,
};
use hermes_ports::suppressions::Added;
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use serde::Serialize;
use utoipa::ToSchema;

use super::rule::Written;
use crate::{
    api::Api,
    audited::counted,
    body,
    gate::Caller,
    problem::{Code, Fault, Problem},
    records::{Record, Records},
    reply, schema,
};
use format::{Format, Unread};

/// Largest body, in bytes.
const BODY_MAX: usize = 64 * 1024 * 1024;
/// Longest record, in bytes. A token has 4,096, a note at most 2,000.
const RECORD_BYTES_MAX: usize = 16 * 1024;
/// Most records of a body.
const RECORDS_MAX: u64 = 1_000_000;
/// Rules kept at once.
const BATCH: usize = 500;
/// Most lines whose faults are told.
const PROBLEMS_MAX: usize = 100;

/// What became of the lines of an import.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct ImportReport {
    /// Lines with a rule, wherever it came out.
    lines: u64,
    /// Rules that are new.
    added: u64,
    /// Rules that were there already.
    unchanged: u64,
    /// Lines that could not be taken.
    rejected: u64,
    /// The first 100 of those.
    problems: Vec<LineProblem>,
}

/// What is wrong with a line.
#[derive(Debug, Serialize, ToSchema)]
struct LineProblem {
    /// Which line of the body, from 1.
    line: u64,
    /// Every fault; pointers lead into the line's fields.
    errors: Vec<Fault>,
}

pub(super) async fn import(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let format = Format::of(&parts.headers)?;
    let _only = api.imports.begin(caller.scope())?;
    let mut import =
        Import { api: &api, caller: &caller, format, batch: Vec::new(), report: ImportReport::default() };
    let read = import.read(body).await;
    let report = import.report;
    let counts = [("added", report.added), ("unchanged", report.unchanged), ("rejected", report.rejected)];
    // Also of one that broke off: what it kept stays.
    Ok(counted(read.map_or_else(Problem::into_response, |()| reply::ok(&report)), counts))
}

/// Whose imports are running: one at a time for each, so that nobody keeps the writer from others.
#[derive(Debug, Default)]
pub(crate) struct Imports(Mutex<HashSet<TenantScope>>);

/// Ends with its import.
#[derive(Debug)]
struct Running<'a> {
    imports: &'a Imports,
    scope: TenantScope,
}

impl Imports {
    fn begin(&self, scope: TenantScope) -> Result<Running<'_>, Problem> {
        if self.0.lock().insert(scope) {
            return Ok(Running { imports: self, scope });
        }
        Err(Problem::new(Code::Conflict, "Another import of the tenant is running; wait for its end."))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.imports.0.lock().remove(&self.scope);
    }
}

struct Import<'a> {
    api: &'a Api,
    caller: &'a Caller,
    format: Format,
    batch: Vec<Suppression>,
    report: ImportReport,
}

impl Import<'_> {
    /// Takes the whole body, piece by piece.
    async fn read(&mut self, mut body: Body) -> Result<(), Problem> {
        let mut records = Records::new(self.format.has_quotes(), RECORD_BYTES_MAX);
        let mut total = 0_usize;
        while let Some(frame) = body.frame().await {
            let broken = |_| Problem::new(Code::MalformedJson, "The body broke off.");
            let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
            total = total.saturating_add(data.len());
            if total > BODY_MAX {
                return Err(body::too_large(BODY_MAX));
            }
            // A frame may be large; what is cut from it at once is not.
            for piece in data.chunks(RECORD_BYTES_MAX) {
                records.push(piece);
                while let Some(record) = records.next() {
                    self.take(record).await?;
                }
            }
        }
        if let Some(record) = records.finish() {
            self.take(record).await?;
        }
        self.keep().await
    }

    async fn take(&mut self, record: Record) -> Result<(), Problem> {
        let fields = match &record.bytes {
            Some(bytes) => self.format.fields(bytes),
            None => {
                let detail = format!("expected at most {RECORD_BYTES_MAX} bytes");
                Err(Unread::Line(Fault::new("", "length", detail)))
            }
        };
        let fields = match fields {
            Ok(None) => return Ok(()),
            Ok(Some(fields)) => Ok(fields),
            Err(Unread::Line(fault)) => Err(vec![fault]),
            Err(Unread::Body(problem)) => return Err(problem),
        };
        self.report.lines += 1;
        if self.report.lines > RECORDS_MAX {
            let detail = format!("The body has more than {RECORDS_MAX} lines; those were taken.");
            self.keep().await?;
            return Err(Problem::new(Code::PayloadTooLarge, detail));
        }
        let now = self.api.now();
        let written = fields.and_then(|fields| {
            schema::root(fields, |object, faults| Written::read(object, faults, now))
                .map_err(|refusal| refusal.faults)
        });
        match written {
            Ok(written) => self.batch.push(written.rule(self.api, self.caller, SuppressionSource::Import)),
            Err(errors) => self.reject(record.line, errors),
        }
        if self.batch.len() >= BATCH { self.keep().await } else { Ok(()) }
    }

    fn reject(&mut self, line: u64, errors: Vec<Fault>) {
        self.report.rejected += 1;
        if self.report.problems.len() < PROBLEMS_MAX {
            self.report.problems.push(LineProblem { line, errors });
        }
    }

    async fn keep(&mut self) -> Result<(), Problem> {
        let added = self.api.ports.suppressions.add(std::mem::take(&mut self.batch)).await?;
        for added in added {
            match added {
                Added::New => self.report.added += 1,
                Added::Stands(_) => self.report.unchanged += 1,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use hermes_domain::{TenantId, UnixMillis, message::Mode};

    use super::*;

    #[test]
    fn a_tenant_imports_one_list_at_a_time() {
        let (imports, ours) =
            (Imports::default(), TenantScope::new(TenantId::new(UnixMillis(1), 1), Mode::Live));
        let running = imports.begin(ours).unwrap();
        assert_eq!(imports.begin(ours).unwrap_err().code, Code::Conflict);
        assert!(imports.begin(TenantScope { mode: Mode::Test, ..ours }).is_ok());
        drop(running);
        assert!(imports.begin(ours).is_ok());
    }
}
