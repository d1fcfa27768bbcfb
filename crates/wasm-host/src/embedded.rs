//! The adapters that come with the binary.

use std::fmt;

/// An adapter that is part of the binary.
#[derive(Clone, Copy)]
pub struct Embedded {
    /// Its name.
    pub name: &'static str,
    /// The component.
    pub component: &'static [u8],
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").field("name", &self.name).field("bytes", &self.component.len()).finish()
    }
}

/// Every adapter of `adapters/dist`, by name.
pub fn embedded() -> &'static [Embedded] {
    macro_rules! dist {
        ($($name:literal),*) => {
            &[$(Embedded {
                name: $name,
                component: include_bytes!(concat!("../../../adapters/dist/", $name, ".wasm")),
            }),*]
        };
    }
    dist!("fcm", "messente", "ses", "twilio", "vonage", "whatsapp")
}
