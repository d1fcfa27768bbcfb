//! Holds a provider adapter against recorded exchanges, and against what no adapter may do.
//!
//! It knows adapters by the port [`AdapterHost`] alone: [`load`] reads the recorded cases, [`run`] plays them and
//! then makes up answers and callbacks of its own, [`Report`] says what came of it. Everything is the same at every
//! run. The format of a case is described in `docs/adapters.md`.

mod answers;
mod bench;
mod capture;
mod compare;
mod fixture;
mod mutation;
mod render;
mod replay;
mod report;
mod start;
mod watch;
mod webhooks;

use hermes_ports::adapter::AdapterHost;

use crate::{bench::Bench, capture::Capture, fixture::Subject};

pub use fixture::{Case, FixtureError, load};
pub use report::Report;

/// Seed of everything random.
const SEED: u64 = 7;
/// Names that a remark lists; the rest is counted.
const NAMES_MAX: usize = 4;

/// Checks the active revision of `adapter` and adds a line a check to `report`.
///
/// `cases` may be empty: then answers and callbacks are made up for plain messages alone, which reach less of an
/// adapter. Takes some thousand calls, each within the host's limits; nothing is sent anywhere.
pub fn run(host: &dyn AdapterHost, adapter: &str, cases: &[Case], report: &mut Report) {
    let capture = Capture::default();
    capture.within(|| {
        let Some(bench) = Bench::new(host, adapter, capture.clone()) else {
            return report
                .check(format!("{adapter} is loaded"), vec!["the host has no such adapter".to_owned()]);
        };
        for case in cases {
            report.check(format!("{}: {}", case.file, case.name), replay::run(&bench, case));
        }
        answers::check(&bench, cases, report);
        webhooks::check(&bench, cases, report);
        seen(&bench, cases, report);
    });
}

/// What was watched all along.
fn seen(bench: &Bench<'_>, cases: &[Case], report: &mut Report) {
    let watch = bench.watch();
    report.check(
        format!("calls declared hosts only, in {} requests", watch.requests),
        watch.undeclared.clone(),
    );
    report.check(
        "lets no credential into a request, notes, an outcome, a receipt, a log line or a metric",
        watch.leaks.clone(),
    );
    let unused = watch.unused(&bench.descriptor);
    if !unused.is_empty() && !cases.is_empty() {
        report.remark(format!("declared hosts that no fixture calls: {}", listed(&unused)));
    }
    if !watch.lured.is_empty() {
        let hosts: Vec<&str> = watch.lured.iter().map(String::as_str).collect();
        let what = "forged webhooks made it ask undeclared hosts, which the server's egress refuses";
        report.remark(format!("{what}: {}", listed(&hosts)));
    }
    let has = |wanted: fn(&Subject) -> bool| cases.iter().any(|case| wanted(&case.subject));
    let missing = [
        (!has(|it| matches!(it, Subject::Send(..))), "sends a message"),
        (!has(|it| matches!(it, Subject::Check(_))), "checks the credentials"),
        (bench.descriptor.has_lookup && !has(|it| matches!(it, Subject::Lookup(..))), "looks a message up"),
        (!has(|it| matches!(it, Subject::Webhook(..))), "brings a webhook"),
    ];
    for (_, what) in missing.into_iter().filter(|(missing, _)| *missing) {
        report.remark(format!("no fixture {what}"));
    }
}

/// The first few of a list.
fn listed(names: &[&str]) -> String {
    let shown = names.iter().take(NAMES_MAX).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
