//! Callbacks that an adapter must refuse: random ones, and recorded ones that are no longer what was signed.

use std::ops::Range;

use bytes::Bytes;
use hermes_domain::UnixMillis;
use hermes_ports::http::{HttpRequest, HttpResponse, Method, Webhook};

use crate::{
    SEED,
    bench::{Bench, Call, End, Stop},
    fixture::{Case, Signature, Subject, WebhookEnd, WebhookSpec},
    mutation::{Random, query_value, replaced},
    replay::{not_found, recorded, seat},
    report::Report,
    start::{plain_seat, planted},
    watch::Seat,
};

/// Callbacks that are made up, of each kind.
const WEBHOOKS: usize = 256;
/// Most bytes of one body that are changed, one after the other.
const CHANGED_BYTES_MAX: usize = 4_096;

/// Makes up callbacks, and tampers with the recorded ones.
pub(crate) fn check(bench: &Bench<'_>, cases: &[Case], report: &mut Report) {
    bench.watch().forging = true;
    made_up(bench, cases, report);
    bench.watch().forging = false;
}

fn made_up(bench: &Bench<'_>, cases: &[Case], report: &mut Report) {
    let all: Vec<(&Case, &WebhookSpec)> = cases.iter().filter_map(webhook).collect();
    report.check(format!("takes none of {WEBHOOKS} random webhooks (seed {SEED})"), random(bench, &all));
    if !all.is_empty() {
        report.check(
            format!("withstands {WEBHOOKS} changed webhooks of the fixtures (seed {SEED})"),
            changed(bench, &all),
        );
    }
    for (case, spec) in all {
        if let Subject::Webhook(_, WebhookEnd::Taken { .. }) = case.subject {
            let forgeries = forgeries(case, spec);
            let name = format!("{}: refused in each of {} forgeries", case.file, forgeries.len());
            report.check(name, taken(bench, case, &forgeries));
        }
    }
}

fn webhook(case: &Case) -> Option<(&Case, &WebhookSpec)> {
    match &case.subject {
        Subject::Webhook(spec, _) => Some((case, spec)),
        Subject::Send(..) | Subject::Check(_) | Subject::Lookup(..) => None,
    }
}

fn random(bench: &Bench<'_>, recorded: &[(&Case, &WebhookSpec)]) -> Vec<String> {
    let mut random = Random::new(SEED);
    let plain = plain_seat(bench);
    let seats: Vec<Seat> = recorded.iter().map(|(case, _)| planted(bench, case)).collect();
    let known: Vec<Webhook> = recorded.iter().map(|(_, spec)| spec.to_webhook()).collect();
    let mut problems = Vec::new();
    for index in 0..WEBHOOKS {
        let model = random.pick(&known).cloned();
        let mut headers = model.as_ref().map(|model| model.headers.clone()).unwrap_or_default();
        for (_, value) in &mut headers {
            *value = random.word();
        }
        let webhook = Webhook {
            method: if random.next().is_multiple_of(4) { Method::Get } else { Method::Post },
            url: format!("https://hermes.example.com/receipts/provider/prv_1?ref={}", random.next()),
            headers,
            body: random.bytes().into(),
            received_at: model.map_or(UnixMillis(0), |model| model.received_at),
        };
        let seat = random.pick(&seats).unwrap_or(&plain);
        match bench.play(seat, &Call::Webhook(webhook), &mut |_| Some(not_found())) {
            Ok(End::Webhook(Ok(_))) => {
                problems.push(format!("webhook {index} is taken, and nobody signed it"));
            }
            Ok(_) | Err(Stop::NoAnswer) => {}
            Err(Stop::Fault(fault)) => problems.push(format!("webhook {index}: {fault}")),
        }
    }
    problems
}

/// What of it is signed is not known here, so that nothing but a fault is wrong.
fn changed(bench: &Bench<'_>, all: &[(&Case, &WebhookSpec)]) -> Vec<String> {
    let mut random = Random::new(SEED);
    let mut problems = Vec::new();
    let seats: Vec<Seat> = all.iter().map(|(case, _)| seat(bench, case)).collect();
    for index in 0..WEBHOOKS {
        let which = random.below(all.len());
        let (Some((case, spec)), Some(seat)) = (all.get(which), seats.get(which)) else { continue };
        let mut webhook = spec.to_webhook();
        match random.below(3) {
            0 => {
                for (_, value) in &mut webhook.headers {
                    *value = String::from_utf8_lossy(&random.changed(value.as_bytes())).into_owned();
                }
            }
            1 => webhook.url = String::from_utf8_lossy(&random.changed(webhook.url.as_bytes())).into_owned(),
            _ => webhook.body = random.changed(&webhook.body).into(),
        }
        if let Err(Stop::Fault(fault)) = bench.play(seat, &Call::Webhook(webhook), &mut recorded(case)) {
            problems.push(format!("{}, change {index}: {fault}", case.file));
        }
    }
    problems
}

/// Something that must not be taken.
struct Forgery {
    what: String,
    webhook: Webhook,
    with: With,
}

/// What a forgery is received with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum With {
    /// The recorded credentials and answers.
    Recorded,
    /// Other credentials: whoever signed it does not know them.
    OtherKeys,
    /// No credentials: a missing key must match nothing.
    NoKeys,
    /// The recorded credentials, with every request answered by 404.
    NoAnswers,
}

fn forgeries(case: &Case, spec: &WebhookSpec) -> Vec<Forgery> {
    let webhook = spec.to_webhook();
    let forged = |what: String, webhook: Webhook| Forgery { what, webhook, with: With::Recorded };
    let mut all: Vec<Forgery> =
        contents(&webhook, &spec.unsigned).into_iter().map(|(what, webhook)| forged(what, webhook)).collect();
    let signatures = match &spec.signature {
        Some(Signature::Header(name)) => headers(&webhook, &name.to_ascii_lowercase()),
        Some(Signature::Query(name)) => queries(&webhook, name),
        Some(Signature::Body) | None => Vec::new(),
    };
    all.extend(signatures.into_iter().map(|(what, webhook)| forged(what, webhook)));
    // A certificate that the adapter asks for stands in the place of a key.
    let others: &[(&str, With)] = if case.exchanges.is_empty() {
        &[("with other credentials", With::OtherKeys), ("without credentials", With::NoKeys)]
    } else {
        &[("with nothing found at the recorded URLs", With::NoAnswers)]
    };
    all.extend(others.iter().map(|(what, with)| Forgery {
        what: (*what).to_owned(),
        webhook: webhook.clone(),
        with: *with,
    }));
    all
}

type Tampered = Vec<(String, Webhook)>;

/// Each byte that is signed, changed: of the body, or of the URL's query where that is all there is.
fn contents(webhook: &Webhook, unsigned: &[String]) -> Tampered {
    if webhook.body.is_empty() { query(webhook, unsigned) } else { bodies(webhook, unsigned) }
}

/// Each letter and digit of the query, changed to another.
fn query(webhook: &Webhook, unsigned: &[String]) -> Tampered {
    let url = &webhook.url;
    let start = url.find('?').map_or(url.len(), |at| at + 1);
    let free: Vec<Range<usize>> =
        unsigned.iter().flat_map(|part| occurrences(url.as_bytes(), part.as_bytes())).collect();
    let signed = (start..url.len()).filter(|at| !free.iter().any(|range| range.contains(at)));
    let changed = signed.filter_map(|at| {
        let what = format!("with character {} of the query changed", at - start);
        Some((what, Webhook { url: replaced(url, at)?, ..webhook.clone() }))
    });
    changed.collect()
}

/// Each byte of the body, changed to its neighbour.
fn bodies(webhook: &Webhook, unsigned: &[String]) -> Tampered {
    let free: Vec<Range<usize>> =
        unsigned.iter().flat_map(|part| occurrences(&webhook.body, part.as_bytes())).collect();
    let signed = (0..webhook.body.len()).filter(|at| !free.iter().any(|range| range.contains(at)));
    let signed: Vec<usize> = signed.collect();
    let step = signed.len().div_ceil(CHANGED_BYTES_MAX).max(1);
    let changed = signed.into_iter().step_by(step).map(|at| {
        let mut body = webhook.body.to_vec();
        body[at] ^= 1;
        (
            format!("with byte {at} of the body changed"),
            Webhook { body: Bytes::from(body), ..webhook.clone() },
        )
    });
    changed.collect()
}

fn occurrences(body: &[u8], part: &[u8]) -> Vec<Range<usize>> {
    let windows = body.windows(part.len().max(1)).enumerate();
    windows.filter(|(_, window)| *window == part).map(|(at, _)| at..at + part.len()).collect()
}

/// The header gone, empty, cut, and with each letter and digit but the last changed.
fn headers(webhook: &Webhook, name: &str) -> Tampered {
    let Some((_, value)) = webhook.headers.iter().find(|(key, _)| key == name) else { return Vec::new() };
    let with = |value: Option<String>| {
        let mut headers = webhook.headers.clone();
        headers.retain(|(key, _)| key != name);
        headers.extend(value.map(|value| (name.to_owned(), value)));
        Webhook { headers, ..webhook.clone() }
    };
    let mut all = vec![(format!("without {name}"), with(None))];
    all.extend(
        variants(value).into_iter().map(|(what, value)| (format!("{name} {what}"), with(Some(value)))),
    );
    all
}

/// The same for a parameter of the URL.
fn queries(webhook: &Webhook, name: &str) -> Tampered {
    let Some(value) = query_value(&webhook.url, name) else { return Vec::new() };
    let pair = format!("{name}={value}");
    let with = |pair_now: &str| Webhook { url: webhook.url.replacen(&pair, pair_now, 1), ..webhook.clone() };
    let mut all = vec![(format!("without {name}"), with("x=x"))];
    let changed = variants(value).into_iter();
    all.extend(changed.map(|(what, value)| (format!("{name} {what}"), with(&format!("{name}={value}")))));
    all
}

fn variants(value: &str) -> Vec<(String, String)> {
    let last = value.rfind(|char: char| char.is_ascii_alphanumeric()).unwrap_or_default();
    let half = value.chars().take(value.chars().count() / 2).collect();
    let mut all = vec![("empty".to_owned(), String::new()), ("cut in half".to_owned(), half)];
    let changed = (0..last).filter_map(|at| Some((format!("changed at {at}"), replaced(value, at)?)));
    all.extend(changed);
    all
}

/// Forgeries that were taken, and faults.
fn taken(bench: &Bench<'_>, case: &Case, forgeries: &[Forgery]) -> Vec<String> {
    let own = seat(bench, case);
    let other = planted(bench, case);
    let none = bench.seat(&case.connection.config, &std::collections::BTreeMap::new());
    let mut problems = Vec::new();
    for forgery in forgeries {
        let seat = match forgery.with {
            With::Recorded | With::NoAnswers => &own,
            With::OtherKeys => &other,
            With::NoKeys => &none,
        };
        let mut found = recorded(case);
        let mut answer = |request: &HttpRequest| -> Option<HttpResponse> {
            if forgery.with == With::NoAnswers { Some(not_found()) } else { found(request) }
        };
        match bench.play(seat, &Call::Webhook(forgery.webhook.clone()), &mut answer) {
            Ok(End::Webhook(Ok(_))) => problems.push(format!("it is taken {}", forgery.what)),
            Ok(_) | Err(Stop::NoAnswer) => {}
            Err(Stop::Fault(fault)) => problems.push(format!("{}: {fault}", forgery.what)),
        }
    }
    problems
}
