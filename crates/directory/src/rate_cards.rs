//! What tenants pay. Rate cards outlive their tenant, as its usage does: the last invoice is written afterwards.

use std::{collections::HashMap, sync::Arc};

use hermes_domain::{
    RateCardId, TenantId,
    pricing::{RateCard, admit, release},
};
use hermes_ports::registry::RecordKind;

use crate::{
    directory::{Directory, body, expect_version, record},
    error::DirectoryError,
    snapshot::{Snapshot, Versioned},
};

/// Most rate cards of one tenant: one a month for twenty years.
pub const RATE_CARDS_MAX: usize = 240;

#[derive(Clone, Debug, Default)]
pub(crate) struct RateCardTable {
    by_id: HashMap<RateCardId, Versioned<RateCard>>,
    /// In no particular order.
    by_tenant: HashMap<TenantId, Arc<[Arc<RateCard>]>>,
}

impl RateCardTable {
    fn insert(&mut self, stored: Versioned<RateCard>) {
        let tenant = stored.value.tenant;
        self.by_id.insert(stored.value.id, stored);
        self.relist(tenant);
    }

    fn remove(&mut self, id: RateCardId) {
        if let Some(stored) = self.by_id.remove(&id) {
            self.relist(stored.value.tenant);
        }
    }

    fn relist(&mut self, tenant: TenantId) {
        let cards = self.by_id.values().filter(|stored| stored.value.tenant == tenant);
        self.by_tenant.insert(tenant, cards.map(|stored| Arc::clone(&stored.value)).collect());
    }
}

impl Snapshot {
    /// A tenant's rate cards, in no particular order.
    pub fn rate_cards(&self, tenant: TenantId) -> &[Arc<RateCard>] {
        self.rate_cards.by_tenant.get(&tenant).map_or(&[], |cards| cards)
    }

    /// The same with their versions, newest first.
    pub fn rate_cards_of(&self, tenant: TenantId) -> Vec<Versioned<RateCard>> {
        let cards = self.rate_cards(tenant).iter();
        let mut all: Vec<_> = cards.filter_map(|card| self.rate_cards.by_id.get(&card.id)).cloned().collect();
        all.sort_by_key(|stored| std::cmp::Reverse(stored.value.id));
        all
    }
}

impl Directory {
    /// A rate card of `tenant` with its version.
    pub fn rate_card(&self, tenant: TenantId, id: RateCardId) -> Option<Versioned<RateCard>> {
        let stored = self.read(|snapshot| snapshot.rate_cards.by_id.get(&id).cloned());
        stored.filter(|stored| stored.value.tenant == tenant)
    }

    /// Adds a rate card on day `today` and returns its version.
    ///
    /// # Errors
    /// `RateCard` when it would change what was charged for days that are over, or begins with another one; `Full` when the
    /// tenant has [`RATE_CARDS_MAX`]; `Conflict` when the id exists; `Store`.
    pub async fn create_rate_card(&self, card: RateCard, today: u32) -> Result<u64, DirectoryError> {
        self.put_rate_card(card, Some(0), today).await
    }

    /// Replaces a rate card that is at version `expected` (any, if `None`), on day `today`.
    ///
    /// # Errors
    /// `NotFound`, `Conflict`; `RateCard` as for [`Self::create_rate_card`]; `Store`.
    pub async fn update_rate_card(
        &self,
        card: RateCard,
        expected: Option<u64>,
        today: u32,
    ) -> Result<u64, DirectoryError> {
        let stored = self.read(|snapshot| {
            expect_version(snapshot.rate_cards.by_id.get(&card.id), expected).map(|stored| stored.version)
        })?;
        self.put_rate_card(card, Some(stored), today).await
    }

    /// Removes a rate card of `tenant` that is at version `expected` (any, if `None`).
    ///
    /// # Errors
    /// `NotFound`, `Conflict`; `RateCard` when it has counted for a day that is over; `Store`.
    pub async fn delete_rate_card(
        &self,
        tenant: TenantId,
        id: RateCardId,
        expected: Option<u64>,
        today: u32,
    ) -> Result<(), DirectoryError> {
        let check = |snapshot: &Snapshot| {
            expect_version(snapshot.rate_cards.by_id.get(&id), expected)?;
            release(snapshot.rate_cards(tenant), id, today).map_err(DirectoryError::RateCard)
        };
        let apply = |snapshot: &mut Snapshot| Arc::make_mut(&mut snapshot.rate_cards).remove(id);
        self.erase(RecordKind::RateCard, &id.to_string(), check, apply).await
    }

    async fn put_rate_card(
        &self,
        card: RateCard,
        expected: Option<u64>,
        today: u32,
    ) -> Result<u64, DirectoryError> {
        let record = record(RecordKind::RateCard, card.id.to_string(), &card, None);
        let card = Arc::new(card);
        let checked = Arc::clone(&card);
        let check = |snapshot: &Snapshot| {
            let cards = snapshot.rate_cards(checked.tenant);
            if expected == Some(0) && cards.len() >= RATE_CARDS_MAX {
                return Err(DirectoryError::Full { what: "rate cards", most: RATE_CARDS_MAX });
            }
            admit(cards, &checked, today).map_err(DirectoryError::RateCard)
        };
        let apply = |snapshot: &mut Snapshot, version| {
            Arc::make_mut(&mut snapshot.rate_cards).insert(Versioned { value: card, version });
        };
        self.write(record, expected, check, apply).await
    }

    pub(crate) async fn load_rate_cards(&self, next: &mut Snapshot) -> Result<(), DirectoryError> {
        let cards = Arc::make_mut(&mut next.rate_cards);
        for record in self.registry.all(RecordKind::RateCard).await? {
            let card: RateCard = body(&record)?;
            cards.insert(Versioned { value: Arc::new(card), version: record.version });
        }
        Ok(())
    }
}
