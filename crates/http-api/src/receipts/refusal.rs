//! What a receipt that was not taken is called in metrics, with the answer to the provider.

use crate::problem::{Code, Problem};

/// Why a callback is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    UnknownConnection,
    BadSignature,
    Malformed,
    /// It cannot be kept now: the provider is to send it again.
    Later,
}

impl Refusal {
    /// Label of the metric.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::UnknownConnection => "unknown_connection",
            Self::BadSignature => "bad_signature",
            Self::Malformed => "malformed",
            Self::Later => "later",
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownConnection => Self::not_found(),
            Refusal::BadSignature => Self::new(Code::Forbidden, "The signature is missing or wrong."),
            Refusal::Malformed => Self::new(Code::ReceiptMalformed, "The callback cannot be read."),
            Refusal::Later => Self::new(Code::Overloaded, "The receipt cannot be kept now; send it again."),
        }
    }
}
