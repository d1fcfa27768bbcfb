//! Parts of a long text, where a provider reports each of them on its own.

use serde::{Deserialize, Serialize};

use super::{StepError, moves::Move};
use crate::outcome::{Level, ReceiptStatus};

/// Parts remembered per message; the longest text that a provider takes has 21.
const PARTS_MAX: usize = 64;

/// A part that reached the recipient.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ArrivedPart {
    /// Of which attempt.
    pub attempt: u16,
    /// Hash of the provider's id of the part: tells parts of one attempt apart.
    pub part: u32,
}

/// What a receipt about `part` says about the whole attempt: arrived once all its parts have, refused as soon as
/// one is. `None` when it only counts.
///
/// # Errors
/// `Stale` when the part had arrived before.
pub(super) fn whole(
    moves: &mut Move<'_>,
    attempt: u16,
    part: &str,
    status: ReceiptStatus,
) -> Result<Option<ReceiptStatus>, StepError> {
    if !matches!(status, ReceiptStatus::Reached(level) if level >= Level::Delivered) {
        return Ok(Some(status));
    }
    let arrived = ArrivedPart { attempt, part: hash(part) };
    if moves.next.arrived_parts.contains(&arrived) || moves.next.arrived_parts.len() >= PARTS_MAX {
        return Err(StepError::Stale);
    }
    moves.next.arrived_parts.push(arrived);
    moves.next.updated_at = moves.now.max(moves.next.updated_at);
    Ok(all_arrived(moves, attempt).then_some(status))
}

/// Whether every part of `attempt` that its answer told of has arrived.
pub(super) fn all_arrived(moves: &Move<'_>, number: u16) -> bool {
    let arrived = moves.next.arrived_parts.iter().filter(|part| part.attempt == number).count();
    let told = moves.next.attempt(number).and_then(|attempt| attempt.segments);
    told.is_some_and(|told| arrived >= usize::from(told).max(1))
}

/// FNV-1a.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
