//! Providers' own suppression lists, kept in step with a tenant's rules.
//!
//! A list follows if its connection belongs to one tenant and says so: on an account that tenants share, each of them
//! could silence the others. What rules owe to a list is written with them, in one transaction; here it is done, a few
//! calls a second, and what others put on the list is read now and then.

mod actor;
mod pace;
mod run;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use dashmap::DashMap;
use hermes_domain::{
    ConnectionId, UnixMillis, address::Channel, connection::Connection, tenant::TenantScope,
};
use hermes_ports::{
    Clock, ListSync, ProviderGateway, ProviderLists, StoreError,
    adapter::AdapterHost,
    provider_lists::{FollowedList, NotSynced, SyncCounts},
};
use hermes_supervision::{Address, ChildSpec, static_supervisor::RestartPolicy};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::{options::Options, source::ConnectionSource};
use actor::ListsActor;
pub use actor::ListsMsg;
use run::{Asked, Run};

/// The setting of a connection that lets its list follow.
const SETTING: &str = "sync_suppressions";
/// Lists that are worked on at once.
const RUNS_MAX: usize = 16;
/// After this long the connections are looked through even if none has changed: an adapter may have, in milliseconds.
const REFRESH_MS: u64 = 60_000;

/// What lists need from the outside.
#[derive(Clone)]
pub struct ListPorts {
    /// What is owed and how far was read.
    pub store: Arc<dyn ProviderLists>,
    /// Makes the calls.
    pub gateway: Arc<dyn ProviderGateway>,
    /// Knows which providers have a list.
    pub host: Arc<dyn AdapterHost>,
    /// Where connections come from.
    pub connections: Arc<dyn ConnectionSource>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for ListPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ListPorts")
    }
}

/// Works on every list. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Lists {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    ports: ListPorts,
    read_every: Duration,
    pages_max: u32,
    busy: DashMap<ConnectionId, ()>,
    runs: Arc<Semaphore>,
    followed: Mutex<Followed>,
}

/// The lists that follow, as they were when last looked for.
#[derive(Debug, Default)]
struct Followed {
    lists: Arc<Vec<FollowedList>>,
    directory: Option<u64>,
    at: UnixMillis,
}

/// The right to work on one list.
struct Turn<'a>(&'a Inner, ConnectionId);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.busy.remove(&self.1);
    }
}

impl Lists {
    /// Lists without an actor: [`Self::supervised`] comes next.
    pub fn new(ports: ListPorts, options: &Options) -> Self {
        let inner = Inner {
            ports,
            read_every: options.lists_read_every,
            pages_max: options.list_pages_max,
            busy: DashMap::new(),
            runs: Arc::new(Semaphore::new(RUNS_MAX)),
            followed: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// How to start the actor that works on them, for the root.
    pub fn supervised(&self) -> ChildSpec {
        let lists = self.clone();
        let make = move || (ListsActor { lists: lists.clone() }, ());
        ChildSpec::new("lists", RestartPolicy::Always, Address::vacant(), make)
    }

    /// The lists that follow now; the store hears of it when they are others than before.
    async fn followed(&self, anew: bool) -> Result<Arc<Vec<FollowedList>>, StoreError> {
        let ports = &self.inner.ports;
        let (directory, now) = (*ports.connections.subscribe().borrow(), ports.clock.now());
        {
            let known = self.inner.followed.lock();
            if !anew && known.directory == Some(directory) && known.at.plus_ms(REFRESH_MS) > now {
                return Ok(Arc::clone(&known.lists));
            }
        }
        let ids = ports.connections.connections();
        let found = ids.into_iter().filter_map(|id| ports.connections.access(id));
        let mut lists: Vec<_> = found.filter_map(|access| self.list_of(&access.connection)).collect();
        lists.sort_by_key(|list| list.connection);
        let lists = Arc::new(lists);
        let is_news = {
            let known = self.inner.followed.lock();
            known.directory.is_none() || known.lists != lists
        };
        if is_news {
            ports.store.follow(lists.to_vec()).await?;
        }
        *self.inner.followed.lock() =
            Followed { lists: Arc::clone(&lists), directory: Some(directory), at: now };
        Ok(lists)
    }

    fn list_of(&self, connection: &Connection) -> Option<FollowedList> {
        let descriptor = self.inner.ports.host.descriptor(&connection.provider)?;
        followed(connection, descriptor.suppression_list)
    }

    /// Works on every list that nobody works on, each in a task of its own.
    async fn work(&self) -> Result<(), StoreError> {
        for list in self.followed(false).await?.iter().copied() {
            let Ok(seat) = Arc::clone(&self.inner.runs).try_acquire_owned() else { break };
            let lists = self.clone();
            tokio::spawn(async move {
                let _seat = seat;
                if let Some(_turn) = lists.inner.turn(list.connection) {
                    let _ = lists.run(list, Asked::ByTime).await; // The run has logged its failure.
                }
            });
        }
        Ok(())
    }

    async fn run(&self, list: FollowedList, asked: Asked) -> Result<SyncCounts, StoreError> {
        Run::new(&self.inner, list, asked).run().await
    }
}

/// The list of a connection whose provider has one for `channel`, if it is to follow: never that of an account that
/// tenants share.
fn followed(connection: &Connection, channel: Option<Channel>) -> Option<FollowedList> {
    let asked = connection.config.get(SETTING).and_then(serde_json::Value::as_bool) == Some(true);
    let tenant = connection.tenant.filter(|_| asked)?;
    let channel = channel.filter(|channel| *channel == connection.channel)?;
    let scope = TenantScope::new(tenant, connection.mode);
    Some(FollowedList { connection: connection.id, scope, channel })
}

impl Inner {
    fn turn(&self, connection: ConnectionId) -> Option<Turn<'_>> {
        self.busy.insert(connection, ()).is_none().then_some(Turn(self, connection))
    }
}

#[async_trait]
impl ListSync for Lists {
    async fn sync(&self, connection: ConnectionId) -> Result<SyncCounts, NotSynced> {
        let lists = self.followed(true).await.map_err(|_| NotSynced::Store)?;
        let list = lists.iter().find(|list| list.connection == connection).ok_or(NotSynced::NotFollowed)?;
        let _turn = self.inner.turn(connection).ok_or(NotSynced::Busy)?;
        self.run(*list, Asked::ByOperator).await.map_err(|_| NotSynced::Store)
    }
}

#[cfg(test)]
mod tests {
    use hermes_domain::{TenantId, message::Mode};
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_list_of_one_tenant_follows_and_only_where_it_is_asked_for() {
        let now = UnixMillis(0);
        let own = Connection {
            id: ConnectionId::new(now, 1),
            tenant: Some(TenantId::new(now, 1)),
            mode: Mode::Live,
            provider: "fake".to_owned(),
            name: "fake".to_owned(),
            channel: Channel::Sms,
            config: [(SETTING.to_owned(), json!(true))].into(),
            rate_per_s: None,
            held: false,
            created_at: now,
        };
        let list = followed(&own, Some(Channel::Sms)).unwrap();
        assert_eq!(
            (list.connection, list.scope),
            (own.id, TenantScope::new(TenantId::new(now, 1), Mode::Live))
        );
        assert_eq!(followed(&Connection { tenant: None, ..own.clone() }, Some(Channel::Sms)), None);
        assert_eq!(followed(&Connection { config: [].into(), ..own.clone() }, Some(Channel::Sms)), None);
        let text = [(SETTING.to_owned(), json!("true"))].into();
        assert_eq!(followed(&Connection { config: text, ..own.clone() }, Some(Channel::Sms)), None);
        assert_eq!(followed(&own, None), None);
        assert_eq!(followed(&own, Some(Channel::Email)), None);
    }
}
