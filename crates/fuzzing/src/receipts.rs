//! A webhook as it is, which must not be taken, and signed as its provider signs, which must be read.

use hermes_ports::{
    adapter::{AdapterHost, ReceiveResult},
    http::{HttpResponse, Webhook},
};

use crate::{
    Finding,
    connection::{Seat, finish},
    finding::faultless,
    framing, signing, words,
};

/// Receives the webhook that `input` is, on behalf of each connection.
///
/// No seed holds a signature that is right, so what is taken unsigned is a finding.
pub(crate) fn run(host: &dyn AdapterHost, seats: &[Seat], input: &[u8]) -> Result<Vec<String>, Finding> {
    let webhook = framing::webhook(input);
    let mut told = Vec::new();
    for seat in seats {
        let adapter = || seat.access.connection.provider.clone();
        let unsigned = received(host, seat, "an unsigned webhook", &webhook)?;
        if matches!(unsigned, Some(Ok(_))) {
            return Err(Finding::Forged { adapter: adapter() });
        }
        told.extend(unsigned.iter().flat_map(words::received).map(|word| format!("unsigned: {word}")));
        let Some(webhook) = signing::signed(seat, &webhook) else { continue };
        let signed = received(host, seat, "a signed webhook", &webhook)?;
        let Some(result) = signed else {
            told.push("signed: the provider's mistake".to_owned());
            continue;
        };
        if result == Err(hermes_ports::adapter::WebhookRefusal::BadSignature) {
            return Err(Finding::Refused { adapter: adapter() });
        }
        told.extend(words::received(&result).iter().map(|word| format!("signed: {word}")));
    }
    Ok(told)
}

/// Whatever is asked for is the certificate; `None` for a provider's mistake.
fn received(
    host: &dyn AdapterHost,
    seat: &Seat,
    call: &'static str,
    webhook: &Webhook,
) -> Result<Option<ReceiveResult>, Finding> {
    let answer = HttpResponse { status: 200, headers: Vec::new(), body: signing::certificate().into() };
    faultless(&seat.access.connection.provider, call, || {
        let step = host.receive(&seat.access, webhook)?;
        finish(step, |pending| host.resume_receive(&seat.access, webhook, pending, &answer))
    })
}
