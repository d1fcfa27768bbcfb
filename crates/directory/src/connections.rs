//! Connections to providers, with their credentials.

use std::sync::Arc;

use hermes_domain::{ConnectionId, connection::Connection, money::Money};
use hermes_ports::{
    adapter::{ConnectionAccess, Secrets},
    registry::{Record, RecordKind},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    directory::{Directory, body, damaged, record},
    error::DirectoryError,
    snapshot::{ConnectionEntry, Snapshot},
};

/// What using a connection costs and where it reaches.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ConnectionTerms {
    /// Prices per message or segment; the first that fits a recipient's country counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cost: Vec<Price>,
    /// ISO 3166-1 alpha-2 codes of the countries it reaches; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<String>,
}

/// A price.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Price {
    /// ISO 3166-1 alpha-2 code; `None`: every country without a price of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Per message, or per segment where the channel has segments.
    pub price: Money,
}

impl ConnectionTerms {
    /// Whether recipients in `country` are reached.
    pub fn reaches(&self, country: &str) -> bool {
        self.countries.is_empty() || self.countries.iter().any(|reached| reached == country)
    }

    /// The price for `country`, if one is known. An unknown country takes the common price.
    pub fn price(&self, country: Option<&str>) -> Option<Money> {
        let own = self.cost.iter().find(|cost| country.is_some() && cost.country.as_deref() == country);
        let common = || self.cost.iter().find(|cost| cost.country.is_none());
        own.or_else(common).map(|cost| cost.price)
    }
}

/// The stored form.
#[derive(Serialize, Deserialize)]
struct StoredConnection {
    connection: Connection,
    #[serde(default)]
    terms: ConnectionTerms,
}

impl Directory {
    /// A connection with its credentials.
    pub fn access(&self, id: ConnectionId) -> Option<ConnectionAccess> {
        self.read(|snapshot| snapshot.connection(id).map(|entry| entry.access.clone()))
    }

    /// Adds a connection and returns its version.
    ///
    /// # Errors
    /// `NameTaken` when the same owner has one of that name for the channel and mode; `Secret`; `Store`.
    pub async fn create_connection(
        &self,
        connection: Connection,
        terms: ConnectionTerms,
        secrets: Secrets,
    ) -> Result<u64, DirectoryError> {
        self.put_connection(connection, terms, Arc::new(secrets), Some(0)).await
    }

    /// Replaces a connection that is at version `expected` (any, if `None`). Without `secrets` its
    /// credentials stay.
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `NameTaken`, `Secret`, `Store`.
    pub async fn update_connection(
        &self,
        connection: Connection,
        terms: ConnectionTerms,
        secrets: Option<Secrets>,
        expected: Option<u64>,
    ) -> Result<u64, DirectoryError> {
        let stored = self.stored_connection(connection.id)?;
        if expected.is_some_and(|expected| expected != stored.version) {
            return Err(DirectoryError::Conflict);
        }
        let secrets = secrets.map_or(stored.access.secrets, Arc::new);
        self.put_connection(connection, terms, secrets, Some(stored.version)).await
    }

    /// Removes a connection with its credentials.
    ///
    /// # Errors
    /// `NotFound`, `Store`.
    pub async fn delete_connection(&self, id: ConnectionId) -> Result<(), DirectoryError> {
        let apply = |snapshot: &mut Snapshot| Arc::make_mut(&mut snapshot.connections).remove(id);
        self.erase(RecordKind::Connection, &id.to_string(), |_| Ok(()), apply).await
    }

    /// Holds a connection (no attempt starts) or releases it.
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `Store`.
    pub async fn set_held(&self, id: ConnectionId, held: bool) -> Result<u64, DirectoryError> {
        self.change_connection(id, |connection| connection.held = held).await
    }

    /// Gives connections another `base_url` where `address` names one; returns how many changed.
    ///
    /// # Errors
    /// `Conflict`, `Store`; those before the failing one have changed.
    pub async fn update_base_urls(
        &self,
        address: impl Fn(&Connection) -> Option<String> + Send,
    ) -> Result<usize, DirectoryError> {
        let moved = |entry: &ConnectionEntry| {
            let connection = &entry.access.connection;
            address(connection)
                .filter(|url| connection.setting("base_url") != Some(url))
                .map(|url| (connection.id, url))
        };
        let moved: Vec<_> = self.read(|snapshot| snapshot.connections().filter_map(moved).collect());
        for (id, url) in &moved {
            let change = |connection: &mut Connection| {
                connection.config.insert("base_url".to_owned(), Value::String(url.clone()));
            };
            self.change_connection(*id, change).await?;
        }
        Ok(moved.len())
    }

    async fn change_connection(
        &self,
        id: ConnectionId,
        change: impl FnOnce(&mut Connection) + Send,
    ) -> Result<u64, DirectoryError> {
        let stored = self.stored_connection(id)?;
        let mut connection = Connection::clone(&stored.access.connection);
        change(&mut connection);
        let terms = ConnectionTerms::clone(&stored.terms);
        self.put_connection(connection, terms, stored.access.secrets, Some(stored.version)).await
    }

    fn stored_connection(&self, id: ConnectionId) -> Result<ConnectionEntry, DirectoryError> {
        self.read(|snapshot| snapshot.connection(id).cloned()).ok_or(DirectoryError::NotFound)
    }

    async fn put_connection(
        &self,
        connection: Connection,
        terms: ConnectionTerms,
        secrets: Arc<Secrets>,
        expected: Option<u64>,
    ) -> Result<u64, DirectoryError> {
        let id = connection.id.to_string();
        let sealed = self.seal_json(&id, &secrets.0)?;
        let stored = StoredConnection { connection, terms };
        let record = record(RecordKind::Connection, id, &stored, Some(sealed));
        let StoredConnection { connection, terms } = stored;
        let connection = Arc::new(connection);
        let same_name = Arc::clone(&connection);
        let check = move |snapshot: &Snapshot| {
            let taken = snapshot.connections().any(|entry| collides(&entry.access.connection, &same_name));
            if taken { Err(DirectoryError::NameTaken) } else { Ok(()) }
        };
        let apply = |snapshot: &mut Snapshot, version| {
            let access = ConnectionAccess { connection, secrets };
            let entry = ConnectionEntry { access, terms: Arc::new(terms), version };
            Arc::make_mut(&mut snapshot.connections).insert(entry);
        };
        self.write(record, expected, check, apply).await
    }

    pub(crate) async fn load_connections(&self, next: &mut Snapshot) -> Result<(), DirectoryError> {
        let connections = Arc::make_mut(&mut next.connections);
        for record in self.registry.all(RecordKind::Connection).await? {
            let StoredConnection { connection, terms } = body(&record)?;
            let secrets = Arc::new(Secrets(self.open_json(&record)?));
            let access = ConnectionAccess { connection: Arc::new(connection), secrets };
            connections.insert(ConnectionEntry { access, terms: Arc::new(terms), version: record.version });
        }
        Ok(())
    }

    /// Seals a value for the record called `id`.
    pub(crate) fn seal_json(&self, id: &str, value: &impl Serialize) -> Result<Vec<u8>, DirectoryError> {
        #[expect(clippy::expect_used, reason = "plain structs with text keys: there is no case that fails")]
        let plain = serde_json::to_vec(value).expect("plain structs serialise");
        self.cipher.seal(id, &plain).map_err(|cause| DirectoryError::Secret { id: id.to_owned(), cause })
    }

    /// Opens the secret of a record.
    pub(crate) fn open_json<T: for<'de> Deserialize<'de>>(
        &self,
        record: &Record,
    ) -> Result<T, DirectoryError> {
        let sealed = record.secret.as_ref().ok_or_else(|| damaged(record))?;
        let opened = self.cipher.open(&record.id, sealed);
        let plain = opened.map_err(|cause| DirectoryError::Secret { id: record.id.clone(), cause })?;
        serde_json::from_slice(&plain).map_err(|_| damaged(record))
    }
}

/// Whether two connections could not be told apart in a cascade.
fn collides(one: &Connection, other: &Connection) -> bool {
    let scope = |connection: &Connection| (connection.tenant, connection.mode, connection.channel);
    one.id != other.id && one.name == other.name && scope(one) == scope(other)
}
