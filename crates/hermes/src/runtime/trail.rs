//! A redacted line per change, for `hermes dev`: what a person sees while messages run.

use std::{collections::HashMap, fmt, sync::Arc};

use async_trait::async_trait;
use hermes_domain::{
    MessageId, TenantId,
    cascade::{State, decode},
    message::Envelope,
};
use hermes_ports::{
    CascadeStore, StoreError,
    cascade_store::{Commit, OpenCascade, Revision, StoredCascade},
};
use parking_lot::Mutex;
use tokio::sync::broadcast;

/// Lines that a slow terminal may be behind.
const BEHIND_MAX: usize = 1_024;
/// Messages whose channel and provider are remembered.
const KNOWN_MAX: usize = 10_000;

/// One change of one message: no address, no content.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) tenant: TenantId,
    id: MessageId,
    channel: &'static str,
    provider: String,
    status: &'static str,
    after_ms: u64,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {} {} ms", self.id, self.channel, self.provider, self.status, self.after_ms)
    }
}

/// A store that tells what changes in it.
#[derive(Debug)]
pub(crate) struct Told {
    inner: Arc<dyn CascadeStore>,
    known: Mutex<HashMap<MessageId, Arc<Envelope>>>,
    lines: broadcast::Sender<Line>,
}

impl Told {
    /// Tells `lines` what changes in `inner`.
    pub(crate) fn new(inner: Arc<dyn CascadeStore>, lines: broadcast::Sender<Line>) -> Self {
        Self { inner, known: Mutex::default(), lines }
    }

    /// A channel for lines.
    pub(crate) fn channel() -> broadcast::Sender<Line> {
        broadcast::channel(BEHIND_MAX).0
    }

    async fn tell(&self, id: MessageId, envelope: Option<Arc<Envelope>>, state: &[u8]) {
        let Ok(state) = decode(state) else { return };
        let envelope = match envelope.or_else(|| self.known.lock().get(&id).cloned()) {
            Some(envelope) => envelope,
            None => match self.inner.load(id).await {
                Ok(Some(stored)) => stored.envelope,
                Ok(None) | Err(_) => return,
            },
        };
        let mut known = self.known.lock();
        if state.phase.is_terminal() {
            known.remove(&id);
        } else if known.len() < KNOWN_MAX {
            known.insert(id, Arc::clone(&envelope));
        }
        drop(known);
        let _ = self.lines.send(line(&envelope, &state)); // Nobody may be looking.
    }
}

fn line(envelope: &Envelope, state: &State) -> Line {
    let (channel, provider) = match state.last_used(envelope) {
        Some((step, candidate)) => (step.channel.as_str(), candidate.name.clone()),
        None => ("-", "-".to_owned()),
    };
    let attempt = state.attempts.last().map(|attempt| attempt.status.as_str());
    let status =
        if state.phase.is_terminal() { state.status().as_str() } else { attempt.unwrap_or("accepted") };
    let after_ms = state.updated_at.since(envelope.created_at);
    Line { tenant: envelope.tenant, id: envelope.id, channel, provider, status, after_ms }
}

#[async_trait]
impl CascadeStore for Told {
    async fn commit(&self, commit: Commit) -> Result<Revision, StoreError> {
        let (id, envelope, state) = (commit.id, commit.envelope.clone(), commit.state.clone());
        let revision = self.inner.commit(commit).await?;
        self.tell(id, envelope, &state).await;
        Ok(revision)
    }

    async fn load(&self, id: MessageId) -> Result<Option<StoredCascade>, StoreError> {
        self.inner.load(id).await
    }

    async fn open(
        &self,
        partition: u8,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<OpenCascade>, StoreError> {
        self.inner.open(partition, after, limit).await
    }

    async fn open_all(&self, after: Option<MessageId>, limit: usize) -> Result<Vec<OpenCascade>, StoreError> {
        self.inner.open_all(after, limit).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }
}
