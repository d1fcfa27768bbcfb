//! Ports on NATS JetStream, for clusters.
