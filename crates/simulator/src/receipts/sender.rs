//! One try of one receipt.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use reqwest::{Method, Request, redirect::Policy};
use tokio::{
    sync::{Semaphore, mpsc},
    time::Instant,
};

use super::{Figures, Job, Outgoing, Work};

/// How long a receiver may take, as at the real providers.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// Tries after the first.
const RETRIES_MAX: u32 = 5;
/// Receipts under way at once, so that a slow receiver does not get thousands of connections.
const UNDER_WAY_MAX: usize = 256;
/// The most of a receiver's answer that is read to keep its connection usable.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Sends receipts over pooled connections.
#[derive(Debug)]
pub(super) struct Sender {
    client: reqwest::Client,
    queue: mpsc::WeakUnboundedSender<Job>,
    figures: Arc<Figures>,
    under_way: Semaphore,
}

enum Fate {
    Delivered,
    Refused,
    TryAgain,
}

impl Sender {
    pub(super) fn new(
        queue: mpsc::WeakUnboundedSender<Job>,
        figures: Arc<Figures>,
    ) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .http1_only()
            .no_proxy()
            .redirect(Policy::none())
            .tcp_nodelay(true)
            .pool_max_idle_per_host(UNDER_WAY_MAX)
            .timeout(ANSWER_TIMEOUT)
            .build()?;
        Ok(Self { client, queue, figures, under_way: Semaphore::new(UNDER_WAY_MAX) })
    }

    /// Sends what is due, and queues it again where it failed.
    pub(super) async fn work(self: Arc<Self>, work: Work) {
        match work {
            Work::Build(build) => {
                for outgoing in build() {
                    self.attempt(outgoing, 0).await;
                }
            }
            Work::Again { outgoing, failures } => self.attempt(outgoing, failures).await,
        }
        self.figures.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    async fn attempt(&self, outgoing: Outgoing, failures: u32) {
        let fate = {
            let _permit = self.under_way.acquire().await;
            self.send(&outgoing).await
        };
        let figure = match fate {
            Fate::Delivered => &self.figures.delivered,
            Fate::Refused => &self.figures.refused,
            Fate::TryAgain if failures < RETRIES_MAX && self.queue_again(outgoing, failures) => {
                &self.figures.retried
            }
            Fate::TryAgain => &self.figures.given_up,
        };
        figure.fetch_add(1, Ordering::Relaxed);
    }

    async fn send(&self, outgoing: &Outgoing) -> Fate {
        // Only Vonage has receipts without a body: they say everything in their query.
        let method = if outgoing.body.is_empty() { Method::GET } else { Method::POST };
        let mut request = Request::new(method, outgoing.url.clone());
        request.headers_mut().extend(outgoing.headers.iter().cloned());
        *request.body_mut() = Some(outgoing.body.clone().into());
        let Ok(mut response) = self.client.execute(request).await else { return Fate::TryAgain };
        let status = response.status();
        let mut bytes_read = 0;
        while let Ok(Some(chunk)) = response.chunk().await {
            bytes_read += chunk.len();
            if bytes_read > ANSWER_BYTES_MAX {
                break;
            }
        }
        match status.as_u16() {
            200..=299 => Fate::Delivered,
            429 | 500..=599 => Fate::TryAgain,
            _ => Fate::Refused,
        }
    }

    /// Whether the queue still runs.
    fn queue_again(&self, outgoing: Outgoing, failures: u32) -> bool {
        let Some(queue) = self.queue.upgrade() else { return false };
        let due = Instant::now() + Duration::from_secs(1 << failures);
        self.figures.waiting.fetch_add(1, Ordering::Relaxed);
        queue.send(Job { due, work: Work::Again { outgoing, failures: failures + 1 } }).is_ok()
    }
}
