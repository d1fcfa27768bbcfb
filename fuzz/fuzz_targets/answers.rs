//! Answers of every provider.

#![no_main]

hermes_fuzz::target!(Target::Answers);
