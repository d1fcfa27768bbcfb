//! One actor a running message: decide, persist, act.
