//! JSON as we take it: strict, and in one canonical form for fingerprints.

mod canonical;
mod strict;

pub(crate) use canonical::write_canonical;
pub(crate) use strict::parse;
