//! The persisted form of a state: one version byte, then postcard.
//!
//! A sample of every version that was ever written lies in `schema/state`; all of them must decode.

use super::State;

/// The version that this build writes.
const VERSION: u8 = 2;

/// A state that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Nothing is there.
    #[error("the stored state is empty")]
    Empty,
    /// Written by a later build.
    #[error("the stored state has format version {0}, which this build does not know")]
    UnknownVersion(u8),
    /// Damaged.
    #[error("the stored state is damaged")]
    Damaged(#[source] postcard::Error),
}

/// Bytes of `state` in the current version; usually 100–350.
pub fn encode(state: &State) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    bytes.push(VERSION);
    #[expect(clippy::expect_used, reason = "plain values into memory: there is no case that fails")]
    postcard::to_extend(state, bytes).expect("a state always serialises")
}

/// Reads a state of any known version.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(bytes: &[u8]) -> Result<State, DecodeError> {
    match bytes.split_first() {
        None => Err(DecodeError::Empty),
        Some((&VERSION, rest)) => postcard::from_bytes(rest).map_err(DecodeError::Damaged),
        // Version 2 added a list at the end; a zero is an empty one.
        Some((1, rest)) => {
            let mut whole = rest.to_vec();
            whole.push(0);
            postcard::from_bytes(&whole).map_err(DecodeError::Damaged)
        }
        Some((&other, _)) => Err(DecodeError::UnknownVersion(other)),
    }
}
