//! The Hermes binary: composition root and command line.
fn main() {}
