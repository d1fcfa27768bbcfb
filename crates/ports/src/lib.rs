//! What Hermes needs from the outside: one trait a file, with its error.
