//! A provider's answer to a message, a check or a lookup: whatever it says, the call ends in an outcome.

use hermes_domain::outcome::Outcome;
use hermes_ports::{
    adapter::{AdapterFault, AdapterHost, LookupQuery},
    http::HttpResponse,
};

use crate::{
    Finding,
    connection::{Seat, finish, message},
    finding::faultless,
    framing, words,
};

/// What an adapter can be asked.
const CALLS: [&str; 3] = ["send", "check", "lookup"];

/// Answers every request of the call that `input` names with the answer that it holds.
pub(crate) fn run(host: &dyn AdapterHost, seats: &[Seat], input: &[u8]) -> Result<Vec<String>, Finding> {
    let (adapter, call, response) = framing::answer(input);
    let names: Vec<String> = seats.iter().map(|seat| seat.name.to_owned()).collect();
    let Some(seat) = seats.get(framing::index(&adapter, &names)) else { return Ok(Vec::new()) };
    let index = framing::index(&call, &CALLS.map(str::to_owned));
    let call = CALLS.get(index).copied().unwrap_or("send");
    let name = &seat.access.connection.provider;
    let outcome = faultless(name, call, || outcome(host, seat, call, &response))?;
    let is_guess = call == "send" && response.body.is_empty() && !(200..300).contains(&response.status);
    match outcome {
        None => Ok(vec![format!("{} {call}: the provider's mistake", seat.name)]),
        Some(None) => Ok(vec![format!("{} {call}: cannot tell", seat.name)]),
        Some(Some(Outcome::Accepted(_))) if is_guess => {
            Err(Finding::Guessed { adapter: name.clone(), status: response.status })
        }
        Some(Some(outcome)) => Ok(vec![format!("{} {call}: {}", seat.name, words::outcome(&outcome))]),
    }
}

/// `None` where the adapter cannot look a message up.
fn outcome(
    host: &dyn AdapterHost,
    seat: &Seat,
    call: &str,
    response: &HttpResponse,
) -> Result<Option<Outcome>, AdapterFault> {
    let access = &seat.access;
    let descriptor = host.descriptor(&access.connection.provider);
    let Some(channel) = descriptor.and_then(|descriptor| descriptor.channels.first().copied()) else {
        return Err(AdapterFault::Missing(access.connection.provider.clone()));
    };
    let step = match call {
        "check" => host.check(access)?,
        "lookup" => {
            let id = Some("SM00000000000000000000000000000001".to_owned());
            let call = message(channel);
            let query = LookupQuery { call, provider_message_id: id, submitted_at: framing::RECEIVED_AT };
            match host.lookup(access, &query)? {
                Some(step) => step,
                None => return Ok(None),
            }
        }
        _ => host.send(access, &message(channel))?,
    };
    finish(step, |pending| host.resume_send(access, pending, response)).map(Some)
}
