//! The `Idempotency-Key` header.

use hermes_domain::MessageId;
use http::{HeaderMap, HeaderName};

use crate::problem::{Code, Fault, Problem};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Longest key, in characters.
const CHARS_MAX: usize = 255;

/// A key: 1–255 visible ASCII characters, plus `#i` for items of a batch, or what [`Self::redrive`] makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key that a request names.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let mut values = headers.get_all(HEADER).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let bytes = value.as_bytes();
        let well_formed = (1..=CHARS_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
        match value.to_str() {
            Ok(key) if well_formed && values.next().is_none() => Ok(Some(Self(key.to_owned()))),
            Ok(_) | Err(_) => {
                let detail = "Idempotency-Key must be one value of 1 to 255 visible ASCII characters.";
                let fault =
                    Fault::new("Idempotency-Key", "header", "expected 1 to 255 visible ASCII characters");
                Err(Problem::new(Code::HeaderInvalid, detail).with_faults(vec![fault]))
            }
        }
    }

    /// The key of item `index` of a batch whose own key is `batch`.
    pub(crate) fn item(batch: &str, index: usize) -> Self {
        Self(format!("{batch}#{index}"))
    }

    /// The key of the message that takes the place of `message`. No request can name it: it has a blank.
    pub(crate) fn redrive(message: MessageId) -> Self {
        Self(format!("redrive {message}"))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}
