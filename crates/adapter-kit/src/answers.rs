//! Answers that an adapter must withstand: every status, random bytes, recorded answers with something changed.

use bytes::Bytes;
use hermes_domain::outcome::Outcome;
use hermes_ports::{adapter::AdapterFault, http::HttpResponse};

use crate::{
    SEED,
    bench::{Bench, Call, End},
    fixture::Case,
    mutation::Random,
    report::Report,
    start::{self, Start},
};

/// Answers of each kind that are made up for one call.
const ANSWERS: usize = 256;
/// Statuses that adapters tell apart.
const STATUSES: [u16; 14] = [200, 201, 202, 204, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503];

/// Makes up answers to every kind of call.
pub(crate) fn check(bench: &Bench<'_>, cases: &[Case], report: &mut Report) {
    let (starts, problems) = start::starts(bench, cases);
    if !problems.is_empty() {
        report.check("begins every call", problems);
    }
    if starts.is_empty() {
        return report.remark("no call made a request, so no answer was tried: give --fixtures");
    }
    let of = format!("{} kinds of calls", starts.len());
    report.check(
        format!("ends every status from 100 to 599 in an outcome, for {of}"),
        starts.iter().flat_map(|start| statuses(bench, start)).collect(),
    );
    let mut ids = Vec::new();
    report.check(
        format!("withstands {ANSWERS} random answers for {of} (seed {SEED})"),
        starts.iter().flat_map(|start| random(bench, start, &mut ids)).collect(),
    );
    if starts.iter().any(|start| !start.responses.is_empty()) {
        report.check(
            format!("withstands {ANSWERS} changed answers of the fixtures for {of} (seed {SEED})"),
            starts.iter().flat_map(|start| changed(bench, start, &mut ids)).collect(),
        );
    }
    if let Some(first) = ids.first() {
        let count = ids.len();
        report.remark(format!("{count} answers with a broken id end as ones that cannot be read: {first}"));
    }
}

fn statuses(bench: &Bench<'_>, start: &Start) -> Vec<String> {
    let mut problems = Vec::new();
    let recorded = start.responses.first().map(|response| response.body.clone());
    for status in 100..=599 {
        for body in [Some(Bytes::new()), recorded.clone()].into_iter().flatten() {
            let empty = body.is_empty();
            let end = start.answered(bench, &HttpResponse { status, headers: Vec::new(), body });
            match end {
                Ok(End::Outcome(Outcome::Accepted(_))) if is_guess(start, status, empty) => {
                    problems.push(format!("{}: {status} without a body counts as accepted", start.name));
                }
                Ok(_) => {}
                Err(fault) => problems.push(format!("{}: {status}: {fault}", start.name)),
            }
        }
    }
    problems
}

/// Whether nothing in the answer says that a message was taken.
fn is_guess(start: &Start, status: u16, empty: bool) -> bool {
    matches!(start.call, Call::Send(_)) && empty && !(200..300).contains(&status)
}

fn random(bench: &Bench<'_>, start: &Start, ids: &mut Vec<String>) -> Vec<String> {
    let mut random = Random::new(SEED);
    let made = (0..ANSWERS).map(|_| {
        let headers =
            vec![("content-type".to_owned(), random.word()), ("retry-after".to_owned(), random.word())];
        HttpResponse { status: status(&mut random), headers, body: random.bytes().into() }
    });
    faults(bench, start, &made.collect::<Vec<_>>(), ids)
}

fn changed(bench: &Bench<'_>, start: &Start, ids: &mut Vec<String>) -> Vec<String> {
    let mut random = Random::new(SEED);
    let made = (0..ANSWERS).filter_map(|_| {
        let recorded = random.pick(&start.responses)?.clone();
        let body = Bytes::from(random.changed(&recorded.body));
        let headers = recorded.headers.into_iter().map(|(name, value)| {
            let changed = random.changed(value.as_bytes());
            (name, String::from_utf8_lossy(&changed).into_owned())
        });
        let headers = headers.collect();
        let status = if random.next().is_multiple_of(2) { recorded.status } else { status(&mut random) };
        Some(HttpResponse { status, headers, body })
    });
    faults(bench, start, &made.collect::<Vec<_>>(), ids)
}

fn status(random: &mut Random) -> u16 {
    random.pick(&STATUSES).copied().unwrap_or(200)
}

/// Faults, apart from those that `ids` gets.
fn faults(bench: &Bench<'_>, start: &Start, answers: &[HttpResponse], ids: &mut Vec<String>) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, answer) in answers.iter().enumerate() {
        let Err(fault) = start.answered(bench, answer) else { continue };
        let line = format!("{}: answer {index}, status {}: {fault}", start.name, answer.status);
        if is_broken_id(&fault) { ids.push(line) } else { problems.push(line) }
    }
    problems
}

/// An id that is too long or holds control characters is the provider's mistake. The host cannot cut it, as
/// receipts would miss it, and ends the call as one whose answer cannot be read.
fn is_broken_id(fault: &AdapterFault) -> bool {
    matches!(fault, AdapterFault::Contract(what) if what.starts_with("a provider id "))
}
