//! Bytes that somebody installs as an adapter: the host refuses them or takes them, and lives.
//!
//! Input that begins as WebAssembly does is the component. Any other is a list of edits to the smallest adapter
//! there is, three bytes each: an offset, little-endian, and the byte to put there. `least.wat` is its source.

use hermes_domain::address::Channel;
use hermes_ports::{
    adapter::{AdapterFault, AdapterHost, AdapterRejected, LookupQuery},
    http::HttpResponse,
};
use hermes_wasm_host::{HostOptions, WasmHost};

use crate::{
    connection::{Seat, finish, message},
    framing, words,
};

/// Larger components are not tried: compiling them takes too long for a run.
const COMPONENT_BYTES_MAX: usize = 16 << 10;
/// The name that the smallest adapter gives itself.
pub(crate) const NAME: &str = "least";
const LEAST: &[u8] = include_bytes!("least.wasm");

/// Installs the component that `input` stands for in a host of its own, and calls what was taken.
pub(crate) fn run(seat: &Seat, options: &HostOptions, input: &[u8]) -> Vec<String> {
    let component = if input.starts_with(b"\0asm") { input.to_vec() } else { edited(input) };
    if component.len() > COMPONENT_BYTES_MAX {
        return Vec::new();
    }
    let host = WasmHost::new(options.clone()).expect("this machine runs WebAssembly");
    match host.install(NAME, &component) {
        Ok(info) => {
            host.activate(NAME, info.version).expect("the version was just installed");
            called(&host, seat)
        }
        Err(AdapterRejected::NotAComponent(_)) => vec!["no component".to_owned()],
        Err(AdapterRejected::ForbiddenImport(_)) => vec!["forbidden import".to_owned()],
        Err(AdapterRejected::BadDescriptor(why)) => vec![format!("bad descriptor: {why}")],
        Err(AdapterRejected::Smoke(why)) => vec![format!("smoke: {}", prefix(&why))],
        Err(AdapterRejected::UnknownVersion(_) | AdapterRejected::IsActive) => vec!["unexpected".to_owned()],
    }
}

fn edited(edits: &[u8]) -> Vec<u8> {
    let mut component = LEAST.to_vec();
    for edit in edits.chunks_exact(3) {
        let [low, high, byte] = edit else { continue };
        let at = usize::from(u16::from_le_bytes([*low, *high])) % component.len();
        if let Some(place) = component.get_mut(at) {
            *place = *byte;
        }
    }
    component
}

/// Adapters may break their contract here: that ends their own call and nothing else.
fn called(host: &WasmHost, seat: &Seat) -> Vec<String> {
    let access = &seat.access;
    let response = HttpResponse { status: 200, headers: Vec::new(), body: b"{}".as_slice().into() };
    let ended = |step| finish(step, |pending| host.resume_send(access, pending, &response));
    let webhook = framing::webhook(b"POST /receipts/provider/prv_1");
    let received = host
        .receive(access, &webhook)
        .and_then(|step| finish(step, |pending| host.resume_receive(access, &webhook, pending, &response)));
    let call = message(Channel::Sms);
    let query =
        LookupQuery { call: call.clone(), provider_message_id: None, submitted_at: framing::RECEIVED_AT };
    let lookup = host.lookup(access, &query).and_then(|step| step.map(ended).transpose());
    let told = |result: Result<String, AdapterFault>| result.unwrap_or_else(|fault| fault.kind().to_owned());
    vec![
        "installed".to_owned(),
        told(host.send(access, &call).and_then(ended).map(|outcome| words::outcome(&outcome))),
        told(host.check(access).and_then(ended).map(|outcome| words::outcome(&outcome))),
        told(lookup.map(|outcome| outcome.map_or_else(String::new, |outcome| words::outcome(&outcome)))),
        told(received.map(|result| words::received(&result).join(", "))),
    ]
}

/// Which call it was, and the kind of fault.
fn prefix(why: &str) -> String {
    why.split([':', '(']).take(2).collect()
}
