//! One run over one list: what it is owed is written, then what is new is read.

use std::{error::Error, time::Duration};

use hermes_domain::{
    SuppressionId, UnixMillis,
    outcome::Failure,
    suppression::{Coverage, Suppression, SuppressionReason, SuppressionSource},
};
use hermes_ports::{
    StoreError,
    adapter::{ListAnswer, ListEntry, ListOperation, ListPage},
    kill_point,
    provider_gateway::ListReply,
    provider_lists::{ChangeEnd, FollowedList, LEARN_MAX, ListChange, Reading, SyncCounts},
};
use tokio::time::{Instant, sleep};
use tracing::warn;

use super::{Inner, pace};
use crate::meters;

/// How long one run may take: an operator waits for it.
const RUN_MAX: Duration = Duration::from_secs(20);
/// Changes that are looked up at once.
const DUE_MAX: usize = 50;
/// Rules that are taken up at once.
const CATCH_UP_MAX: usize = 1_000;
/// After a reading that failed the next one comes this soon, in milliseconds.
const READ_AGAIN_MS: u64 = 60_000;

/// Why a run is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// It is time: the list is read only if that is due.
    ByTime,
    /// An operator wants it: the list is read, and what was given up is tried again.
    ByOperator,
}

pub(super) struct Run<'a> {
    lists: &'a Inner,
    list: FollowedList,
    asked: Asked,
    until: Instant,
    counts: SyncCounts,
}

impl<'a> Run<'a> {
    pub(super) fn new(lists: &'a Inner, list: FollowedList, asked: Asked) -> Self {
        let (until, counts) = (Instant::now() + RUN_MAX, SyncCounts::default());
        Self { lists, list, asked, until, counts }
    }

    pub(super) async fn run(mut self) -> Result<SyncCounts, StoreError> {
        let done = self.both().await;
        if let Err(cause) = &done {
            warn!(provider.connection = %self.list.connection, error = cause as &dyn Error, "a list could not be kept in step");
        }
        done.map(|()| self.counts)
    }

    async fn both(&mut self) -> Result<(), StoreError> {
        let reading = self.lists.ports.store.reading(self.list.connection).await?.unwrap_or_default();
        let every_ms = u64::try_from(self.lists.read_every.as_millis()).unwrap_or(u64::MAX);
        let reads = self.asked == Asked::ByOperator || reading.read_at.plus_ms(every_ms) <= self.now();
        if reads {
            let given_up = self.asked == Asked::ByOperator;
            let store = &self.lists.ports.store;
            store.catch_up(self.list, CATCH_UP_MAX, given_up, self.now()).await?;
        }
        // First what is owed: an address that is to be taken off must not be learnt from the list.
        self.push().await?;
        if reads {
            self.read(reading, every_ms).await?;
        }
        Ok(())
    }

    fn now(&self) -> UnixMillis {
        self.lists.ports.clock.now()
    }

    async fn push(&mut self) -> Result<(), StoreError> {
        loop {
            let now = self.now();
            let due = self.lists.ports.store.due(self.list.connection, now, DUE_MAX).await?;
            if due.is_empty() {
                return Ok(());
            }
            for change in due {
                if !self.write(&change).await? {
                    self.counts.more = true;
                    return Ok(());
                }
            }
        }
    }

    /// Writes one change; false when no more calls can be made in this run.
    async fn write(&mut self, change: &ListChange) -> Result<bool, StoreError> {
        let address = change.address.clone();
        let operation = match change.add {
            Some(reason) => ListOperation::Add { address, reason },
            None => ListOperation::Remove { address },
        };
        kill_point::pass("list.before");
        let Some(answer) = self.call(operation).await else { return Ok(false) };
        kill_point::pass("list.after");
        let end = pace::end_of(change, &answer, self.now());
        match end {
            ChangeEnd::Made => self.counts.pushed += 1,
            ChangeEnd::Again(_) => self.counts.failed += 1,
            ChangeEnd::GivenUp => {
                self.counts.failed += 1;
                self.gave_up(&answer);
            }
        }
        self.lists.ports.store.end(change, end).await?;
        // Whoever asks to wait means all calls.
        Ok(!matches!(answer, ListAnswer::Throttled { .. }))
    }

    fn gave_up(&self, answer: &ListAnswer) {
        let connection = self.list.connection;
        let code = failure(answer).and_then(|failure| failure.code.as_deref());
        warn!(provider.connection = %connection, code, "a change of a provider's list was given up");
        if let Some(access) = self.lists.ports.connections.access(connection) {
            meters::list_change_given_up(&access.connection.provider);
        }
    }

    /// Makes a call as soon as one is allowed. `None`: not in this run.
    async fn call(&self, operation: ListOperation) -> Option<ListAnswer> {
        let gateway = &self.lists.ports.gateway;
        while Instant::now() < self.until {
            match gateway.suppression_list(self.list.connection, operation.clone()).await {
                ListReply::Answer(answer) => return Some(answer),
                ListReply::NoList => return None,
                ListReply::NotNow { retry_at } => {
                    let pause = Duration::from_millis(retry_at.since(self.now()).max(1));
                    if Instant::now() + pause >= self.until {
                        return None;
                    }
                    sleep(pause).await;
                }
            }
        }
        None
    }

    async fn read(&mut self, mut reading: Reading, every_ms: u64) -> Result<(), StoreError> {
        for page in 1..=self.lists.pages_max {
            let operation = ListOperation::Page { cursor: reading.cursor.clone() };
            let Some(answer) = self.call(operation).await else {
                self.counts.more = true;
                return Ok(());
            };
            let ListAnswer::Page(found) = answer else {
                self.counts.failed += 1;
                // A mark that the provider does not take (any more) must not stop all reading.
                let cursor = reading.cursor.filter(|_| !matches!(answer, ListAnswer::Refused(_)));
                let read_at = UnixMillis(self.now().plus_ms(READ_AGAIN_MS).0.saturating_sub(every_ms));
                return self.learn(Vec::new(), Reading { cursor, read_at }).await;
            };
            let ListPage { entries, cursor, more } = found;
            let is_last = !more || page == self.lists.pages_max;
            let read_at = if is_last { self.now() } else { reading.read_at };
            let next = Reading { cursor, read_at };
            self.take(entries, &reading, &next).await?;
            reading = next;
            if is_last {
                self.counts.more |= more;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Keeps a page, and how far it leads once the whole page is kept.
    async fn take(
        &mut self,
        entries: Vec<ListEntry>,
        before: &Reading,
        after: &Reading,
    ) -> Result<(), StoreError> {
        self.counts.read += entries.len() as u64;
        let now = self.now();
        let mut rules: Vec<_> = entries.iter().filter_map(|entry| self.rule(entry, now)).collect();
        while rules.len() > LEARN_MAX {
            let rest = rules.split_off(LEARN_MAX);
            self.learn(rules, before.clone()).await?;
            rules = rest;
        }
        self.learn(rules, after.clone()).await
    }

    async fn learn(&mut self, rules: Vec<Suppression>, reading: Reading) -> Result<(), StoreError> {
        let added = self.lists.ports.store.learn(self.list, rules, reading).await?;
        self.counts.added += added as u64;
        Ok(())
    }

    /// An entry as a rule; `None` for what is no address of the channel.
    fn rule(&self, entry: &ListEntry, now: UnixMillis) -> Option<Suppression> {
        Some(Suppression {
            id: SuppressionId::new(now, rand::random()),
            tenant: self.list.scope.tenant,
            mode: self.list.scope.mode,
            covers: Coverage::address(Some(self.list.channel), &entry.address).ok()?,
            channel: Some(self.list.channel),
            sender: None,
            reason: entry.reason.unwrap_or(SuppressionReason::OptOut),
            source: SuppressionSource::Provider,
            note: None,
            created_at: now,
            expires_at: None,
        })
    }
}

const fn failure(answer: &ListAnswer) -> Option<&Failure> {
    match answer {
        ListAnswer::Refused(failure)
        | ListAnswer::Throttled { failure, .. }
        | ListAnswer::Failed(failure) => Some(failure),
        ListAnswer::Done | ListAnswer::Page(_) => None,
    }
}
