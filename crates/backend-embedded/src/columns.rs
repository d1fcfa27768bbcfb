//! How values of the domain look in columns.

use hermes_domain::{UnixMillis, cascade::MessageStatus, message::Mode};
use hermes_ports::StoreError;

/// The 16 bytes of an id, most significant first, so that their order is the order of the ids.
macro_rules! id_bytes {
    ($id:expr) => {
        $id.as_u128().to_be_bytes()
    };
}
pub(crate) use id_bytes;

/// An id from its column.
pub(crate) fn id_bits(bytes: &[u8]) -> Result<u128, StoreError> {
    let bytes = bytes.try_into().map_err(|_| damaged("an id that is not 16 bytes long"))?;
    Ok(u128::from_be_bytes(bytes))
}

/// Instants beyond the year 292 million become that year.
pub(crate) fn millis(at: UnixMillis) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

/// Negative instants, which are never written, become 1970.
pub(crate) fn instant(column: i64) -> UnixMillis {
    UnixMillis(u64::try_from(column).unwrap_or_default())
}

pub(crate) const fn mode_number(mode: Mode) -> i64 {
    match mode {
        Mode::Live => 0,
        Mode::Test => 1,
    }
}

/// Position in [`MessageStatus::ALL`].
pub(crate) fn status_number(status: MessageStatus) -> i64 {
    status as i64
}

/// A limit as SQLite takes it.
pub(crate) fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Something stored that cannot be read; `what` never holds content.
pub(crate) fn damaged(what: impl Into<String>) -> StoreError {
    StoreError::Damaged { what: what.into() }
}

/// A failed read.
pub(crate) fn unreadable(attempted: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |cause| StoreError::Unavailable { attempted, cause: Box::new(cause) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_its_position_in_the_list() {
        for (position, status) in (0..).zip(MessageStatus::ALL) {
            assert_eq!(status_number(status), position);
        }
    }
}
