//! A cascade store that fails on demand.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use hermes_domain::MessageId;
use hermes_ports::{
    CascadeStore, StoreError,
    cascade_store::{Commit, OpenCascade, Revision, StoredCascade},
};
use parking_lot::Mutex;

/// What happens to one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing special.
    None,
    /// It is not written, and fails as unavailable.
    Unavailable,
    /// It *is* written, and yet fails as unavailable: the answer got lost.
    LostAnswer,
    /// It is not written, and fails with a conflict.
    Conflict,
    /// It is written after this time on tokio's clock.
    Delay(Duration),
}

/// Passes everything on, except for the faults it was told to make.
pub struct FaultyStore {
    inner: Arc<dyn CascadeStore>,
    script: Mutex<Script>,
}

#[derive(Default)]
struct Script {
    next: VecDeque<Fault>,
    away: bool,
    /// Messages whose commits fail.
    broken: HashSet<MessageId>,
    commits: u64,
}

impl FaultyStore {
    /// A store without faults, for now.
    pub fn around(inner: Arc<dyn CascadeStore>) -> Arc<Self> {
        Arc::new(Self { inner, script: Mutex::default() })
    }

    /// The next commits meet these faults, in order; later ones none.
    pub fn next_commits(&self, faults: impl IntoIterator<Item = Fault>) {
        self.script.lock().next.extend(faults);
    }

    /// The `nth` commit from now on (1 is the next) meets this fault.
    pub fn fail_nth(&self, nth: usize, fault: Fault) {
        let mut script = self.script.lock();
        let faults = script.next.len().max(nth);
        script.next.resize(faults, Fault::None);
        if let Some(slot) = nth.checked_sub(1).and_then(|index| script.next.get_mut(index)) {
            *slot = fault;
        }
    }

    /// Whether every call fails as unavailable until further notice.
    pub fn set_away(&self, away: bool) {
        self.script.lock().away = away;
    }

    /// Whether every commit of one message fails as unavailable until further notice.
    pub fn set_broken(&self, message: MessageId, is_broken: bool) {
        let broken = &mut self.script.lock().broken;
        if is_broken {
            broken.insert(message);
        } else {
            broken.remove(&message);
        }
    }

    /// How many commits were asked for.
    pub fn commits(&self) -> u64 {
        self.script.lock().commits
    }

    fn reachable(&self) -> Result<(), StoreError> {
        if self.script.lock().away { Err(unavailable()) } else { Ok(()) }
    }

    fn next_fault(&self) -> Fault {
        let mut script = self.script.lock();
        script.commits += 1;
        script.next.pop_front().unwrap_or(Fault::None)
    }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable { attempted: "making a fault", cause: "as the test asked".into() }
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyStore").field("inner", &self.inner).finish_non_exhaustive()
    }
}

#[async_trait]
impl CascadeStore for FaultyStore {
    async fn commit(&self, commit: Commit) -> Result<Revision, StoreError> {
        let fault = self.next_fault();
        self.reachable()?;
        if self.script.lock().broken.contains(&commit.id) {
            return Err(unavailable());
        }
        match fault {
            Fault::None => self.inner.commit(commit).await,
            Fault::Unavailable => Err(unavailable()),
            Fault::LostAnswer => self.inner.commit(commit).await.and(Err(unavailable())),
            Fault::Conflict => Err(StoreError::Conflict),
            Fault::Delay(by) => {
                tokio::time::sleep(by).await;
                self.inner.commit(commit).await
            }
        }
    }

    async fn load(&self, id: MessageId) -> Result<Option<StoredCascade>, StoreError> {
        self.reachable()?;
        self.inner.load(id).await
    }

    async fn open(
        &self,
        partition: u8,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<OpenCascade>, StoreError> {
        self.reachable()?;
        self.inner.open(partition, after, limit).await
    }

    async fn open_all(&self, after: Option<MessageId>, limit: usize) -> Result<Vec<OpenCascade>, StoreError> {
        self.reachable()?;
        self.inner.open_all(after, limit).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.reachable()?;
        self.inner.ping().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryBackend, Story, envelope};

    #[tokio::test]
    async fn only_a_lost_answer_leaves_something_behind() {
        let store = FaultyStore::around(MemoryBackend::new());
        let story = Story::of(&envelope().build());
        store.fail_nth(2, Fault::LostAnswer);
        store.next_commits([Fault::Conflict]);
        store.fail_nth(1, Fault::Unavailable);
        assert!(matches!(store.commit(story.create()).await, Err(StoreError::Unavailable { .. })));
        assert!(store.load(story.envelope().id).await.unwrap().is_none());
        assert!(matches!(store.commit(story.create()).await, Err(StoreError::Unavailable { .. })));
        assert!(store.load(story.envelope().id).await.unwrap().is_some());
        assert!(matches!(store.commit(story.replace(Revision(1))).await, Err(StoreError::Conflict)));
        assert!(store.commit(story.replace(Revision(1))).await.is_ok());
        assert_eq!(store.commits(), 4);
        let other = Story::of(&envelope().build());
        store.set_broken(other.envelope().id, true);
        assert!(store.commit(other.create()).await.is_err());
        store.set_broken(other.envelope().id, false);
        assert!(store.commit(other.create()).await.is_ok());
        store.set_away(true);
        assert!(store.ping().await.is_err());
    }
}
