//! Addresses that a tenant must not write to.

use async_trait::async_trait;
use hermes_ports::{
    StoreError, Suppressions,
    suppressions::{SuppressedAddress, Suppression, SuppressionReason},
};
use rusqlite::params;
use sqlx::Row;

use crate::{
    backend::EmbeddedBackend,
    columns::{damaged, id_bytes, instant, millis, mode_number, unreadable},
    writer::WriteTx,
};

#[async_trait]
impl Suppressions for EmbeddedBackend {
    async fn suppress(&self, of: SuppressedAddress, rule: Suppression) -> Result<(), StoreError> {
        let insert = move |tx: &mut WriteTx<'_>| {
            let mut insert = tx.db.prepare_cached(
                "INSERT OR IGNORE INTO suppression (tenant, mode, channel, address, reason, since)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            let (tenant, mode, channel) = (id_bytes!(of.tenant), mode_number(of.mode), of.channel.as_str());
            let row = params![tenant, mode, channel, of.address, rule.reason.as_str(), millis(rule.since)];
            insert.execute(row).map(|_| Ok(()))
        };
        self.writer().write("suppressing an address", insert).await
    }

    async fn consent(&self, of: SuppressedAddress) -> Result<(), StoreError> {
        let delete = move |tx: &mut WriteTx<'_>| {
            let mut delete = tx.db.prepare_cached(
                "DELETE FROM suppression
                 WHERE tenant = ?1 AND mode = ?2 AND channel = ?3 AND address = ?4 AND reason = ?5",
            )?;
            let (tenant, mode, channel) = (id_bytes!(of.tenant), mode_number(of.mode), of.channel.as_str());
            let row = params![tenant, mode, channel, of.address, SuppressionReason::OptOut.as_str()];
            delete.execute(row).map(|_| Ok(()))
        };
        self.writer().write("lifting a suppression", delete).await
    }

    async fn find(&self, of: SuppressedAddress) -> Result<Option<Suppression>, StoreError> {
        let query = sqlx::query(
            "SELECT reason, since FROM suppression
             WHERE tenant = ? AND mode = ? AND channel = ? AND address = ?",
        );
        let query = query
            .bind(id_bytes!(of.tenant).to_vec())
            .bind(mode_number(of.mode))
            .bind(of.channel.as_str())
            .bind(of.address);
        let row =
            query.fetch_optional(self.reads()).await.map_err(unreadable("looking for a suppression"))?;
        let Some(row) = row else { return Ok(None) };
        let stored: &str = row.get(0);
        let reason = SuppressionReason::ALL.into_iter().find(|reason| reason.as_str() == stored);
        let reason = reason.ok_or_else(|| damaged("the reason of a suppression"))?;
        Ok(Some(Suppression { reason, since: instant(row.get(1)) }))
    }
}
