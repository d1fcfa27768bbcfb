//! Fakes, builders, a manual clock and fault wrappers for tests.
