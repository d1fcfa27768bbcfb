//! A body that knows whether a connection has begun to write it.
//!
//! A provider cannot have processed a request whose body never left. That is what turns a time-out while
//! connecting into "not sent", and lets the next provider be tried at once instead of waiting for receipts.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// How far a request has come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    begun: Arc<AtomicBool>,
}

impl Progress {
    /// Of a request without a body: nobody can tell, so it counts as written from the start.
    pub(crate) fn unknown() -> Self {
        Self { begun: Arc::new(AtomicBool::new(true)) }
    }

    /// Whether no connection has touched the body: nothing of the request was written.
    pub(crate) fn is_untouched(&self) -> bool {
        !self.begun.load(Ordering::Acquire)
    }

    fn begin(&self) {
        self.begun.store(true, Ordering::Release);
    }
}

/// A non-empty body in one piece.
#[derive(Debug)]
pub(crate) struct WatchedBody {
    rest: Bytes,
    progress: Progress,
}

impl WatchedBody {
    pub(crate) const fn new(rest: Bytes, progress: Progress) -> Self {
        Self { rest, progress }
    }
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.progress.begin();
        let rest = std::mem::take(&mut self.rest);
        Poll::Ready((!rest.is_empty()).then(|| Ok(Frame::data(rest))))
    }

    /// hyper asks this before it writes the head. The layers above a connection ask for the size only.
    fn is_end_stream(&self) -> bool {
        self.progress.begin();
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
