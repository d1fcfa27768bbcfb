//! Tells tenants of outages without anybody waiting for it.

use std::{fmt, sync::Arc, time::Duration};

use hermes_domain::{EventId, UnixMillis, connection::Connection};
use hermes_ports::{
    OperationalEvents,
    operational_events::{Announcement, Audience, OperationalEvent},
};
use hermes_supervision::error_chain;

use crate::outage::News;

/// Tries to tell, and the pause between them: an outage of the store may be shorter than that of a provider.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_secs(3);

/// Where news about connections go. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Herald {
    events: Arc<dyn OperationalEvents>,
}

impl Herald {
    pub(crate) const fn new(events: Arc<dyn OperationalEvents>) -> Self {
        Self { events }
    }

    /// Announces news about a connection, in a task. At most two a connection and minute begin, and each ends within
    /// two; one that a shutdown cuts off is not told.
    pub(crate) fn tell(&self, connection: &Connection, news: News, at: UnixMillis) {
        let (provider, channel) = (connection.name.clone(), connection.channel);
        let event = match news {
            News::Degraded => OperationalEvent::ProviderDegraded { provider, channel },
            News::Recovered { since } => {
                OperationalEvent::ProviderRecovered { provider, channel, degraded_since: since }
            }
        };
        let audience = Audience::UsersOf(connection.id);
        let announcement = Announcement { id: EventId::new(at, rand::random()), at, event, audience };
        let events = Arc::clone(&self.events);
        tokio::spawn(async move { announce(&*events, announcement).await });
    }
}

async fn announce(events: &dyn OperationalEvents, announcement: Announcement) {
    let kind = announcement.event.kind().as_str();
    for _ in 0..TRIES {
        match events.announce(announcement.clone()).await {
            Ok(endpoints) => {
                tracing::info!(event = kind, endpoints, "told tenants about a connection");
                return;
            }
            Err(error) => {
                tracing::warn!(
                    event = kind,
                    error = error_chain(&error),
                    "could not tell tenants about a connection"
                );
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl fmt::Debug for Herald {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Herald")
    }
}
