//! The targets by name, and the host that each runs against.

use hermes_ports::adapter::{AdapterHost as _, AdapterRejected};
use hermes_wasm_host::{HostOptions, WasmHost, embedded};

use crate::{
    Finding, answers, component,
    connection::{Seat, seats},
    framing::INPUT_BYTES_MAX,
    receipts,
};

/// Something that is fed with any bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Webhooks of one provider.
    Receipts(&'static str),
    /// Answers to the calls of every adapter.
    Answers,
    /// Components that somebody installs.
    HostBoundary,
}

impl Target {
    /// Every target.
    pub const ALL: [Self; 8] = [
        Self::Receipts("twilio"),
        Self::Receipts("vonage"),
        Self::Receipts("messente"),
        Self::Receipts("ses"),
        Self::Receipts("fcm"),
        Self::Receipts("whatsapp"),
        Self::Answers,
        Self::HostBoundary,
    ];

    /// Name of its binary in `fuzz/fuzz_targets` and of its folder in `fuzz/corpus`.
    pub fn name(self) -> String {
        match self {
            Self::Receipts(adapter) => format!("receipts_{adapter}"),
            Self::Answers => "answers".to_owned(),
            Self::HostBoundary => "host_boundary".to_owned(),
        }
    }
}

/// A target with its host, for many inputs.
#[derive(Debug)]
pub struct Bench {
    target: Target,
    options: HostOptions,
    host: WasmHost,
    seats: Vec<Seat>,
}

impl Bench {
    /// Loads the adapters that `target` needs.
    ///
    /// # Errors
    /// When one of `adapters/dist` is refused.
    ///
    /// # Panics
    /// Where the machine cannot run WebAssembly.
    pub fn new(target: Target, options: HostOptions) -> Result<Self, AdapterRejected> {
        let wanted = |adapter: &str| match target {
            Target::Receipts(only) => only == adapter,
            Target::Answers => true,
            Target::HostBoundary => false,
        };
        let host = WasmHost::new(options.clone()).expect("this machine runs WebAssembly");
        for adapter in embedded().iter().filter(|adapter| wanted(adapter.name)) {
            let info = host.install(adapter.name, adapter.component)?;
            host.activate(adapter.name, info.version)?;
        }
        let mut seats = seats();
        match target {
            Target::HostBoundary => seats.retain_mut(named_least),
            Target::Receipts(_) | Target::Answers => {
                seats.retain(|seat| wanted(&seat.access.connection.provider));
            }
        }
        Ok(Self { target, options, host, seats })
    }

    /// Feeds `input` to the target; what came of it, in words.
    ///
    /// # Errors
    /// With what must not happen.
    pub fn run(&self, input: &[u8]) -> Result<Vec<String>, Finding> {
        if input.len() > INPUT_BYTES_MAX {
            return Ok(Vec::new());
        }
        match self.target {
            Target::Receipts(_) => receipts::run(&self.host, &self.seats, input),
            Target::Answers => answers::run(&self.host, &self.seats, input),
            Target::HostBoundary => {
                let seat = self.seats.first();
                Ok(seat.map(|seat| component::run(seat, &self.options, input)).unwrap_or_default())
            }
        }
    }
}

/// Makes one of the connections that of the smallest adapter.
fn named_least(seat: &mut Seat) -> bool {
    let is_plain = seat.name == "twilio";
    if is_plain {
        let connection = std::sync::Arc::make_mut(&mut seat.access.connection);
        connection.provider = component::NAME.to_owned();
    }
    is_plain
}
