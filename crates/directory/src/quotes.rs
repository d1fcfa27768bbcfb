//! Offers of carriers and aggregators that operators have recorded.

use std::{collections::HashMap, sync::Arc};

use hermes_domain::{QuoteId, pricing::Quote};
use hermes_ports::registry::RecordKind;

use crate::{
    directory::{Directory, body, expect_version, record},
    error::DirectoryError,
    snapshot::{Snapshot, Versioned},
};

/// Most quotes: each is held against what was used of its channel and country.
pub const QUOTES_MAX: usize = 1_000;

pub(crate) type QuoteTable = HashMap<QuoteId, Versioned<Quote>>;

impl Snapshot {
    /// Every quote, newest first.
    pub fn quotes(&self) -> Vec<Versioned<Quote>> {
        let mut all: Vec<_> = self.quotes.values().cloned().collect();
        all.sort_by_key(|stored| std::cmp::Reverse(stored.value.id));
        all
    }
}

impl Directory {
    /// A quote with its version.
    pub fn quote(&self, id: QuoteId) -> Option<Versioned<Quote>> {
        self.read(|snapshot| snapshot.quotes.get(&id).cloned())
    }

    /// Adds a quote and returns its version.
    ///
    /// # Errors
    /// `NameTaken` when there is one of this name for the channel and country; `Full` when there are [`QUOTES_MAX`];
    /// `Conflict` when the id exists; `Store`.
    pub async fn create_quote(&self, quote: Quote) -> Result<u64, DirectoryError> {
        self.put_quote(quote, Some(0)).await
    }

    /// Replaces a quote that is at version `expected` (any, if `None`).
    ///
    /// # Errors
    /// `NotFound`, `NameTaken`, `Conflict`, `Store`.
    pub async fn update_quote(&self, quote: Quote, expected: Option<u64>) -> Result<u64, DirectoryError> {
        let stored = self.read(|snapshot| {
            expect_version(snapshot.quotes.get(&quote.id), expected).map(|stored| stored.version)
        })?;
        self.put_quote(quote, Some(stored)).await
    }

    /// Removes a quote that is at version `expected` (any, if `None`).
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `Store`.
    pub async fn delete_quote(&self, id: QuoteId, expected: Option<u64>) -> Result<(), DirectoryError> {
        let check = |snapshot: &Snapshot| expect_version(snapshot.quotes.get(&id), expected).map(drop);
        let apply = |snapshot: &mut Snapshot| drop(Arc::make_mut(&mut snapshot.quotes).remove(&id));
        self.erase(RecordKind::Quote, &id.to_string(), check, apply).await
    }

    async fn put_quote(&self, quote: Quote, expected: Option<u64>) -> Result<u64, DirectoryError> {
        let record = record(RecordKind::Quote, quote.id.to_string(), &quote, None);
        let quote = Arc::new(quote);
        let checked = Arc::clone(&quote);
        let check = move |snapshot: &Snapshot| {
            if snapshot.quotes.values().any(|stored| collides(&stored.value, &checked)) {
                Err(DirectoryError::NameTaken)
            } else if expected == Some(0) && snapshot.quotes.len() >= QUOTES_MAX {
                Err(DirectoryError::Full { what: "quotes", most: QUOTES_MAX })
            } else {
                Ok(())
            }
        };
        let apply = |snapshot: &mut Snapshot, version| {
            Arc::make_mut(&mut snapshot.quotes).insert(quote.id, Versioned { value: quote, version });
        };
        self.write(record, expected, check, apply).await
    }

    pub(crate) async fn load_quotes(&self, next: &mut Snapshot) -> Result<(), DirectoryError> {
        let quotes = Arc::make_mut(&mut next.quotes);
        for record in self.registry.all(RecordKind::Quote).await? {
            let quote: Quote = body(&record)?;
            quotes.insert(quote.id, Versioned { value: Arc::new(quote), version: record.version });
        }
        Ok(())
    }
}

/// Whether two quotes say something about the same.
fn collides(one: &Quote, other: &Quote) -> bool {
    let same_subject = one.channel == other.channel && one.country == other.country;
    one.id != other.id && same_subject && one.name == other.name
}
