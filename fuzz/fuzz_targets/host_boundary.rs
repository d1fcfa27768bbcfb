//! Components that somebody installs.

#![no_main]

hermes_fuzz::target!(Target::HostBoundary);
