//! Reading the one block of a PEM text.

use base64::{Engine, engine::general_purpose::STANDARD};

/// The bytes between the first pair of dashed lines; `None` if there is no such pair or the text is not
/// base64.
pub(crate) fn body(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (_, rest) = rest.split_once("-----")?;
    let (base64, _) = rest.split_once("-----END ")?;
    let base64: String = base64.split_ascii_whitespace().collect();
    STANDARD.decode(base64).ok()
}
