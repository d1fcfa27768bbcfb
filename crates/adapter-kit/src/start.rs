//! Calls that answers are made up for: those of the fixtures, and a plain one where there is none.

use std::collections::BTreeMap;

use hermes_ports::{
    adapter::{AdapterFault, Pending},
    http::HttpResponse,
};
use serde_json::Value;

use crate::{
    bench::{Bench, Call, End, Step, Stop},
    fixture::{Case, Message, Subject},
    replay,
    watch::Seat,
};

/// Settings of connections that no fixture describes.
const PLAIN_SETTING: &str = "kit";

/// A call that waits for the answer to its first request.
pub(crate) struct Start {
    /// For reports.
    pub(crate) name: String,
    pub(crate) seat: Seat,
    pub(crate) call: Call,
    pending: Pending,
    request: hermes_ports::http::HttpRequest,
    /// What providers answered to this kind of call.
    pub(crate) responses: Vec<HttpResponse>,
}

impl Start {
    /// Ends the call with `response`, again and again if more is asked.
    ///
    /// # Errors
    /// The adapter's fault.
    pub(crate) fn answered(&self, bench: &Bench<'_>, response: &HttpResponse) -> Result<End, AdapterFault> {
        let step = Step::Asked(self.request.clone(), self.pending.clone());
        let end = bench.finish(&self.seat, &self.call, step, &mut |_| Some(response.clone()));
        end.map_err(|stop| match stop {
            Stop::Fault(fault) => fault,
            Stop::NoAnswer => AdapterFault::Contract("it was given no answer".to_owned()), // Always is.
        })
    }
}

/// Every kind of call that makes a request, and faults of those that could not begin.
///
/// Of calls to the same function with the same settings the first stands for all.
pub(crate) fn starts(bench: &Bench<'_>, cases: &[Case]) -> (Vec<Start>, Vec<String>) {
    let (mut starts, mut problems, mut known) = (Vec::new(), Vec::new(), BTreeMap::new());
    for case in cases {
        let call = replay::call(case);
        let responses = || case.exchanges.iter().map(|exchange| exchange.response.to_response());
        let key = (call.word(), channel(case), format!("{:?}", case.connection.config));
        if let Some(index) = known.get(&key) {
            let known: Option<&mut Start> = starts.get_mut(*index);
            known.into_iter().for_each(|start| start.responses.extend(responses()));
            continue;
        }
        // Callbacks are signed with the recorded credentials; all other calls work with any.
        let seat = match case.subject {
            Subject::Webhook(..) => replay::seat(bench, case),
            Subject::Send(..) | Subject::Check(_) | Subject::Lookup(..) => planted(bench, case),
        };
        let started = begin(bench, &case.file, seat, call, &mut problems);
        if let Some(start) = started {
            known.insert(key, starts.len());
            starts.push(Start { responses: responses().collect(), ..start });
        }
    }
    for (name, call) in plain_calls(bench, cases) {
        starts.extend(begin(bench, &name, plain_seat(bench), call, &mut problems));
    }
    (starts, problems)
}

fn begin(bench: &Bench<'_>, name: &str, seat: Seat, call: Call, problems: &mut Vec<String>) -> Option<Start> {
    let name = format!("{} ({name})", call.word());
    match bench.begin(&seat, &call) {
        Ok(Step::Asked(request, pending)) => {
            Some(Start { name, seat, call, pending, request, responses: Vec::new() })
        }
        Ok(Step::Ended(_)) => None,
        Err(fault) => {
            problems.push(format!("{name}: {fault}"));
            None
        }
    }
}

/// A message for each channel that no fixture sends on, and a check where no fixture makes one.
fn plain_calls(bench: &Bench<'_>, cases: &[Case]) -> Vec<(String, Call)> {
    let missing = bench.descriptor.channels.iter().filter(|wanted| {
        !cases
            .iter()
            .any(|case| matches!(case.subject, Subject::Send(..)) && channel(case) == wanted.as_str())
    });
    let message = |channel: &hermes_domain::address::Channel| {
        let call = Message::plain(*channel).to_call().ok()?;
        Some((format!("a plain message, {}", channel.as_str()), Call::Send(call)))
    };
    let mut calls: Vec<_> = missing.filter_map(message).collect();
    if !cases.iter().any(|case| matches!(case.subject, Subject::Check(_))) {
        calls.push(("no settings of its own".to_owned(), Call::Check));
    }
    calls
}

/// The channel that a case sends on; nothing for calls without one.
fn channel(case: &Case) -> &'static str {
    use hermes_domain::address::Destination;
    let call = match &case.subject {
        Subject::Send(call, _) => call,
        Subject::Lookup(query, _) => &query.call,
        Subject::Check(_) | Subject::Webhook(..) => return "",
    };
    match call.to {
        Destination::Sms(_) => "sms",
        Destination::Email(_) => "email",
        Destination::Push(_) => "push",
        Destination::Whatsapp(_) => "whatsapp",
    }
}

/// The connection of a case with credentials that can be recognised. Identifiers stay: they are no secrets, and
/// URLs are made of them.
pub(crate) fn planted(bench: &Bench<'_>, case: &Case) -> Seat {
    let public = |name: &str| bench.descriptor.credentials.iter().any(|it| it.public && it.name == name);
    let secrets =
        case.connection.credentials.iter().map(|(name, value)| {
            (name.clone(), if public(name) { value.clone() } else { planted_value(name) })
        });
    bench.seat(&case.connection.config, &secrets.collect())
}

/// A connection with something for every setting and credential that the adapter knows.
pub(crate) fn plain_seat(bench: &Bench<'_>) -> Seat {
    let config = bench.descriptor.config.iter().map(|it| (it.name.clone(), Value::from(PLAIN_SETTING)));
    let secrets = bench.descriptor.credentials.iter().map(|it| (it.name.clone(), planted_value(&it.name)));
    bench.seat(&config.collect(), &secrets.collect())
}

/// Few digits and no `@`: the host masks in log lines what looks like an address.
fn planted_value(name: &str) -> String {
    format!("planted-secret-of-{name}-qzxjk")
}
