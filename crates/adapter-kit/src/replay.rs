//! Runs a recorded case: the adapter must ask what was recorded, and end as recorded.

use hermes_ports::{
    adapter::{FieldSpec, ReceiveResult},
    http::{HttpRequest, HttpResponse, RequestEffect},
};

use crate::{
    bench::{Bench, Call, End, Stop},
    compare::{self, shown},
    fixture::{Case, Exchange, Expected, OutcomeFields, RefusalWord, Subject, WebhookEnd},
    render,
    watch::Seat,
};

/// A setting that every connection has.
const BASE_URL: &str = "base_url";

/// What a case asks of the adapter.
pub(crate) fn call(case: &Case) -> Call {
    match &case.subject {
        Subject::Send(call, _) => Call::Send(call.clone()),
        Subject::Check(_) => Call::Check,
        Subject::Lookup(query, _) => Call::Lookup(query.clone()),
        Subject::Webhook(webhook, _) => Call::Webhook(webhook.to_webhook()),
    }
}

/// The connection of a case, as recorded.
pub(crate) fn seat(bench: &Bench<'_>, case: &Case) -> Seat {
    bench.seat(&case.connection.config, &case.connection.credentials)
}

/// Runs a case; the problems that it found.
pub(crate) fn run(bench: &Bench<'_>, case: &Case) -> Vec<String> {
    let effect = match case.subject {
        Subject::Send(..) => RequestEffect::Submits,
        Subject::Check(_) | Subject::Lookup(..) | Subject::Webhook(..) => RequestEffect::Safe,
    };
    let mut problems = undeclared(bench, case);
    let mut asked = 0;
    let mut answer = |request: &HttpRequest| {
        let exchange = case.exchanges.get(asked);
        asked += 1;
        let Some(Exchange { request: wanted, response }) = exchange else {
            let url = shown(&request.url);
            problems.push(format!("request {asked} is not recorded: {} {url}", request.method.as_str()));
            return None;
        };
        problems.extend(compare::request(&format!("request {asked}"), wanted, effect, request));
        Some(response.to_response())
    };
    let end = bench.play(&seat(bench, case), &call(case), &mut answer);
    match end {
        Ok(end) => {
            let recorded = case.exchanges.len();
            if asked < recorded {
                problems.push(format!("it ended after {asked} of {recorded} recorded requests"));
            }
            problems.extend(differences(&case.subject, &end));
        }
        Err(Stop::Fault(fault)) => problems.push(fault.to_string()),
        Err(Stop::NoAnswer) => {} // Told above.
    }
    problems
}

/// Settings and credentials of the case that the adapter does not know.
fn undeclared(bench: &Bench<'_>, case: &Case) -> Vec<String> {
    let (descriptor, connection) = (&bench.descriptor, &case.connection);
    let known = |fields: &[FieldSpec], name: &str| fields.iter().any(|field| field.name == name);
    let settings =
        connection.config.keys().filter(|name| *name != BASE_URL && !known(&descriptor.config, name));
    let credentials = connection.credentials.keys().filter(|name| !known(&descriptor.credentials, name));
    let settings = settings.map(|name| format!("connection.config.{name}: the adapter has no such setting"));
    let credentials =
        credentials.map(|name| format!("connection.credentials.{name}: the adapter has no such credential"));
    settings.chain(credentials).collect()
}

/// Answers as recorded, by URL: what was not recorded is not found.
pub(crate) fn recorded<'a>(case: &'a Case) -> impl FnMut(&HttpRequest) -> Option<HttpResponse> + 'a {
    |request| {
        let exchange = case.exchanges.iter().find(|exchange| exchange.request.url == request.url);
        Some(exchange.map_or_else(not_found, |exchange| exchange.response.to_response()))
    }
}

/// What a server says that knows nothing of a request.
pub(crate) fn not_found() -> HttpResponse {
    HttpResponse { status: 404, headers: Vec::new(), body: bytes::Bytes::new() }
}

fn differences(subject: &Subject, end: &End) -> Vec<String> {
    match (subject, end) {
        (Subject::Webhook(_, wanted), End::Webhook(result)) => webhook(wanted, result),
        (Subject::Send(_, wanted) | Subject::Check(wanted) | Subject::Lookup(_, wanted), end) => {
            outcome(wanted, end)
        }
        (Subject::Webhook(..), end) => {
            vec![format!("expected an answer to a webhook, got {}", render::end(end))]
        }
    }
}

fn outcome(wanted: &Expected<OutcomeFields>, end: &End) -> Vec<String> {
    let told = render::end(end);
    let mut lines = wanted.differences("outcome", &told);
    if !lines.is_empty() {
        lines.push(format!("the outcome is {told}"));
    }
    lines
}

fn webhook(wanted: &WebhookEnd, result: &ReceiveResult) -> Vec<String> {
    match (wanted, result) {
        (WebhookEnd::Refused(word), Err(refusal)) => {
            let (wanted, told) = (refusal_word(*word), render::refusal(*refusal));
            let line = format!("refused: expected {wanted}, got {told}");
            (wanted != told).then_some(line).into_iter().collect()
        }
        (WebhookEnd::Refused(word), Ok(_)) => {
            vec![format!("refused: expected {}, but it was taken", refusal_word(*word))]
        }
        (WebhookEnd::Taken { .. }, Err(refusal)) => {
            vec![format!("it was refused as {}", render::refusal(*refusal))]
        }
        (WebhookEnd::Taken { entries, reply }, Ok(received)) => {
            let mut lines = Vec::new();
            if entries.len() != received.entries.len() {
                let (wanted, told) = (entries.len(), received.entries.len());
                lines.push(format!("receipts: expected {wanted} entries, got {told}"));
            }
            for (index, (wanted, told)) in entries.iter().zip(&received.entries).enumerate() {
                lines.extend(wanted.differences(&format!("receipts/{index}"), &render::entry(told)));
            }
            let told = render::reply(received);
            lines.extend(reply.iter().flat_map(|wanted| wanted.differences("reply", &told)));
            lines
        }
    }
}

const fn refusal_word(word: RefusalWord) -> &'static str {
    match word {
        RefusalWord::BadSignature => "bad-signature",
        RefusalWord::Malformed => "malformed",
        RefusalWord::SendAgain => "send-again",
    }
}
