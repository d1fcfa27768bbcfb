//! The W3C trace context of a message, as `traceparent`.
//!
//! It comes with a send request, is stored in the message's envelope, and is continued by every
//! span that works on the message, hours and restarts later. Source: W3C Trace Context,
//! section 3.2.

use std::fmt;
use std::str::FromStr;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Which trace a message belongs to, and under which span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    sampled: bool,
}

/// Why a `traceparent` was refused. The request is served all the same, in a trace of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTraceparent {
    /// Not `version-trace_id-span_id-flags` with 2, 32, 16 and 2 characters.
    #[error("expected 55 characters as version-trace_id-span_id-flags")]
    Form,
    /// Something else than 0 to 9 and a to f.
    #[error("expected lower-case hexadecimal digits")]
    Digits,
    /// Version `ff` is reserved as invalid.
    #[error("version ff is invalid")]
    Version,
    /// All zero means "no trace".
    #[error("the trace id must not be zero")]
    ZeroTraceId,
    /// All zero means "no span".
    #[error("the span id must not be zero")]
    ZeroSpanId,
}

/// The only flag that version 00 defines.
const SAMPLED: u8 = 1;

/// The length of a `traceparent` of version 00; later versions may append to it.
const LENGTH: usize = 55;

impl TraceContext {
    /// A context from ids, for instance random ones for a trace that begins here.
    ///
    /// # Errors
    /// When either id is zero.
    pub const fn new(trace_id: u128, span_id: u64, sampled: bool) -> Result<Self, InvalidTraceparent> {
        if trace_id == 0 {
            return Err(InvalidTraceparent::ZeroTraceId);
        }
        if span_id == 0 {
            return Err(InvalidTraceparent::ZeroSpanId);
        }
        Ok(Self { trace_id, span_id, sampled })
    }

    /// The same trace under another span.
    ///
    /// # Errors
    /// When `span_id` is zero.
    pub const fn child(&self, span_id: u64) -> Result<Self, InvalidTraceparent> {
        Self::new(self.trace_id, span_id, self.sampled)
    }

    /// The context of a span that is exported; `None` when traces are not exported.
    ///
    /// The span counts as started then: [`continued`] no longer changes its parent.
    #[must_use]
    pub fn of_span(span: &Span) -> Option<Self> {
        let context = span.context();
        let span = context.span().span_context().clone();
        span.is_valid().then(|| Self {
            trace_id: u128::from_be_bytes(span.trace_id().to_bytes()),
            span_id: u64::from_be_bytes(span.span_id().to_bytes()),
            sampled: span.is_sampled(),
        })
    }

    /// The trace's id, never zero.
    #[must_use]
    pub const fn trace_id(&self) -> u128 {
        self.trace_id
    }

    /// The span's id, never zero.
    #[must_use]
    pub const fn span_id(&self) -> u64 {
        self.span_id
    }

    /// Whether the trace is recorded.
    #[must_use]
    pub const fn is_sampled(&self) -> bool {
        self.sampled
    }

    fn to_otel(self) -> SpanContext {
        SpanContext::new(
            TraceId::from_bytes(self.trace_id.to_be_bytes()),
            SpanId::from_bytes(self.span_id.to_be_bytes()),
            TraceFlags::default().with_sampled(self.sampled),
            true,
            TraceState::default(),
        )
    }
}

/// Makes `span` a part of the stored trace, and returns it.
///
/// Call it before the span is entered: `continued(info_span!("step", …), envelope.trace)`.
/// Without a context, or where traces are not exported, the span stays as it is.
#[must_use]
pub fn continued(span: Span, parent: Option<&TraceContext>) -> Span {
    if let Some(parent) = parent {
        let context = Context::new().with_remote_span_context(parent.to_otel());
        // Refused where traces are not exported or the span is filtered out: nothing to continue.
        let _ = span.set_parent(context);
    }
    span
}

impl FromStr for TraceContext {
    type Err = InvalidTraceparent;

    fn from_str(text: &str) -> Result<Self, InvalidTraceparent> {
        let head = text.get(..LENGTH).ok_or(InvalidTraceparent::Form)?;
        let parts: Vec<&str> = head.split('-').collect();
        let &[version, trace_id, span_id, flags] = parts.as_slice() else {
            return Err(InvalidTraceparent::Form);
        };
        if [version, trace_id, span_id, flags].map(str::len) != [2, 32, 16, 2] {
            return Err(InvalidTraceparent::Form);
        }
        let version = hex(version)?;
        if version == 0xff {
            return Err(InvalidTraceparent::Version);
        }
        let rest = &text[LENGTH..];
        if !rest.is_empty() && (version == 0 || !rest.starts_with('-')) {
            return Err(InvalidTraceparent::Form);
        }
        let sampled = hex(flags)? & u128::from(SAMPLED) != 0;
        let span_id = u64::try_from(hex(span_id)?).map_err(|_| InvalidTraceparent::Form)?;
        Self::new(hex(trace_id)?, span_id, sampled)
    }
}

impl fmt::Display for TraceContext {
    /// Writes version 00.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

fn hex(digits: &str) -> Result<u128, InvalidTraceparent> {
    // `from_str_radix` alone would also take capitals and a sign.
    if digits.bytes().any(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(InvalidTraceparent::Digits);
    }
    u128::from_str_radix(digits, 16).map_err(|_| InvalidTraceparent::Digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the recommendation.
    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_standards_example_is_read_and_written() {
        let context: TraceContext = EXAMPLE.parse().unwrap();
        assert_eq!(context.trace_id(), 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert_eq!(context.span_id(), 0x00f0_67aa_0ba9_02b7);
        assert!(context.is_sampled());
        assert_eq!(context.to_string(), EXAMPLE);
    }

    #[test]
    fn a_child_stays_in_the_trace() {
        let parent: TraceContext = EXAMPLE.parse().unwrap();
        let child = parent.child(7).unwrap();
        assert_eq!(child.to_string(), "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000007-01");
        assert_eq!(parent.child(0), Err(InvalidTraceparent::ZeroSpanId));
    }

    #[test]
    fn unknown_flags_and_later_versions_are_read_as_far_as_known() {
        let flags = EXAMPLE.replace("-01", "-fe").parse::<TraceContext>().unwrap();
        assert!(!flags.is_sampled());
        for later in ["01-", "cc-"] {
            let text = EXAMPLE.replacen("00-", later, 1);
            assert!(text.parse::<TraceContext>().is_ok(), "{text}");
            assert!(format!("{text}-more").parse::<TraceContext>().is_ok(), "{text}");
            assert_eq!(format!("{text}more").parse::<TraceContext>(), Err(InvalidTraceparent::Form));
        }
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        use InvalidTraceparent as Error;
        let cases = [
            (String::new(), Error::Form),
            ("blåbær".repeat(9), Error::Form),
            (EXAMPLE[..54].to_owned(), Error::Form),
            (format!("{EXAMPLE}-"), Error::Form),
            (format!("{EXAMPLE} "), Error::Form),
            (EXAMPLE.replace('-', "_"), Error::Form),
            (EXAMPLE.replace("6-0", "-60"), Error::Form),
            (EXAMPLE.replacen("00-", "ff-", 1), Error::Version),
            (EXAMPLE.to_uppercase(), Error::Digits),
            (EXAMPLE.replace("4bf9", "+bf9"), Error::Digits),
            (EXAMPLE.replace("-01", "-0g"), Error::Digits),
            (EXAMPLE.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)), Error::ZeroTraceId),
            (EXAMPLE.replace("00f067aa0ba902b7", &"0".repeat(16)), Error::ZeroSpanId),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<TraceContext>(), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn without_export_a_span_is_returned_as_it_is() {
        let context: TraceContext = EXAMPLE.parse().unwrap();
        let span = continued(Span::none(), Some(&context));
        assert!(span.is_none());
        assert_eq!(TraceContext::of_span(&span), None);
    }
}
