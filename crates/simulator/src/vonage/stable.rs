//! Ids that are always the same for the same text: a callback that is repeated must be a true repeat.

use ring::digest::{SHA256, digest};

/// A UUID of version 4, as random as its text.
pub(super) fn uuid(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    let bits = hash.as_ref().iter().take(16).fold(0, |bits: u128, byte| (bits << 8) | u128::from(*byte));
    format_uuid(bits)
}

/// 32 hex digits.
pub(super) fn trace_id(text: &str) -> String {
    uuid(text).replace('-', "")
}

pub(super) fn format_uuid(bits: u128) -> String {
    let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let group = |shift: u32, digits: u32| (bits >> shift) & ((1 << (4 * digits)) - 1);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        group(96, 8),
        group(80, 4),
        group(64, 4),
        group(48, 4),
        group(0, 12)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_of_version_4_and_keeps_its_other_bits() {
        assert_eq!(format_uuid(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(format_uuid(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(
            format_uuid(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
            "01234567-89ab-4def-8123-456789abcdef"
        );
        assert_eq!(uuid("a"), uuid("a"));
        assert_ne!(uuid("a"), uuid("b"));
    }
}
