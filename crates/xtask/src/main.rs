//! Development tasks: build adapters, start test services, check the tree.
fn main() {}
