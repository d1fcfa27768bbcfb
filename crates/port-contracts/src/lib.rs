//! Contract suites that every backend of a port must pass.
