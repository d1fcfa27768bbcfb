//! The adapters that come with the binary.

/// An adapter that is part of the binary.
#[derive(Debug, Clone, Copy)]
pub struct Embedded {
    /// Its name.
    pub name: &'static str,
    /// The component.
    pub component: &'static [u8],
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
    dist!("fcm", "ses", "twilio")
}
