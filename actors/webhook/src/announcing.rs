//! Operational events on their way into the outbox.

use async_trait::async_trait;
use hermes_directory::operational_entries;
use hermes_ports::{
    StoreError,
    operational_events::{Announcement, OperationalEvents},
};

use crate::{shared::Shared, webhooks::Webhooks};

/// Notifications owed in one write. A connection that all tenants share may concern every one of them.
const OWED_MAX: usize = 500;

/// Owes the event to each endpoint of its audience that wants it; returns to how many.
pub(crate) async fn announce(shared: &Shared, announcement: Announcement) -> Result<usize, StoreError> {
    let endpoints = shared.ports.endpoints.audience(announcement.audience);
    let entries = operational_entries(&endpoints, &announcement);
    for run in entries.chunks(OWED_MAX) {
        shared.ports.outbox.owe(run.to_vec()).await?;
        // Not handed over in memory: one that was there already may have been delivered long ago.
        run.iter().for_each(|entry| shared.look(entry.endpoint));
    }
    Ok(entries.len())
}

#[async_trait]
impl OperationalEvents for Webhooks {
    async fn announce(&self, announcement: Announcement) -> Result<usize, StoreError> {
        announce(self.shared(), announcement).await
    }
}
