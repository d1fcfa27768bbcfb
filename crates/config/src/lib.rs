//! Configuration: one struct per component, documented defaults, every problem at once.
//!
//! Three layers, later ones win: `hermes.default.toml` (embedded, and the list of keys that
//! exist), the operator's file, the environment (`HERMES__SECTION__KEY`). [`Config::load`] either
//! returns a configuration that has passed every check or all its [`Problems`], each with the
//! key's dotted name and where the value came from. An operator fixes a file once, not once per
//! mistake.
//!
//! The rules for a key (type, range, meaning of "not set") are in its section's `read`, in one
//! place; there are no defaults in code.

use std::path::Path;

mod byte_size;
mod given;
mod layers;
mod problem;
mod reader;
mod secret;
pub mod section;

pub use byte_size::{ByteSize, InvalidByteSize};
pub use problem::{Origin, Problem, Problems};
pub use secret::{Secret, SecretKey};
pub use section::{
    Admission, Bootstrap, Cascade, Egress, LogFormat, Nats, Secrets, Server, Simulator, StepTimeouts, Store,
    StoreKind, Telemetry, Wasm, Webhooks,
};

use layers::Layers;
use reader::Reader;

/// The documented defaults, as shipped.
pub const DEFAULTS: &str = include_str!("../hermes.default.toml");

/// The whole configuration. Its `Debug` shows no secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The HTTP server.
    pub server: Server,
    /// Where state is kept.
    pub store: Store,
    /// How messages run.
    pub cascade: Cascade,
    /// What one tenant may have under way.
    pub admission: Admission,
    /// Calls to providers.
    pub egress: Egress,
    /// Limits of adapters.
    pub wasm: Wasm,
    /// Notifications to tenants.
    pub webhooks: Webhooks,
    /// Where test keys send to.
    pub simulator: Simulator,
    /// Logs and traces.
    pub telemetry: Telemetry,
    /// Keys of our own.
    pub secrets: Secrets,
    /// What the first start creates.
    pub bootstrap: Bootstrap,
}

impl Config {
    /// Loads the defaults, then the file at `path` if any, then the overrides in `env`.
    ///
    /// Variables that do not begin with `HERMES__` are skipped. Reads the file and the key files
    /// that it names, nothing else.
    ///
    /// # Errors
    /// Every problem of every layer.
    pub fn load(
        path: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Problems> {
        let mut layers = Layers::of_defaults();
        if let Some(path) = path {
            layers.add_file(path);
        }
        layers.add_env(env);
        let mut reader = Reader::new(layers);
        let config = Self::read(&mut reader);
        reader.finish()?;
        Ok(config)
    }

    fn read(reader: &mut Reader) -> Self {
        Self {
            server: Server::read(reader),
            store: Store::read(reader),
            cascade: Cascade::read(reader),
            admission: Admission::read(reader),
            egress: Egress::read(reader),
            wasm: Wasm::read(reader),
            webhooks: Webhooks::read(reader),
            simulator: Simulator::read(reader),
            telemetry: Telemetry::read(reader),
            secrets: Secrets::read(reader),
            bootstrap: Bootstrap::read(reader),
        }
    }
}

/// The process environment for [`Config::load`], without what is not Unicode.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}
