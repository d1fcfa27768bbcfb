//! One actor a provider connection: rate windows, breaker, permits, calls.
