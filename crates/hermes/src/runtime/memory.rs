//! Gives free memory back to the system.
//!
//! Most blocks are freed by another thread than the one that allocated them, and the allocator notices that only when
//! the owner allocates again. A server that was busy and now waits would keep its peak for ever.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// How often a thread looks.
const EVERY: Duration = Duration::from_secs(2);

thread_local! {
    static LOOKED: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// For a worker thread that is about to sleep.
pub(crate) fn give_back() {
    let now = Instant::now();
    if LOOKED.get().is_some_and(|looked| now.duration_since(looked) < EVERY) {
        return;
    }
    LOOKED.set(Some(now));
    #[expect(unsafe_code, reason = "a C function without arguments of ours, safe to call at any time")]
    // SAFETY: `mi_collect` works on the calling thread's own heap and has no preconditions.
    unsafe {
        libmimalloc_sys::mi_collect(false);
    }
}
