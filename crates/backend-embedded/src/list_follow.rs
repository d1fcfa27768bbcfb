//! What rules owe to the lists of providers, inside the transaction that changes them.

use hermes_domain::{
    TenantId, UnixMillis,
    address::Channel,
    message::Mode,
    suppression::{Concerning, Listed, SuppressionReason, SuppressionSource, fits, follow},
};
use hermes_ports::provider_lists::PENDING_MAX;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::columns::{id_bytes, millis, mode_number, rows};

/// The lists of one tenant and mode, found once for a transaction of many rules.
pub(crate) struct Followers {
    of: (TenantId, Mode),
    lists: Vec<Follower>,
}

struct Follower {
    connection: Vec<u8>,
    channel: Channel,
    /// Additions that there is room for.
    room: usize,
}

impl Followers {
    /// None for most tenants, which costs one look into an index.
    pub(crate) fn of(db: &Connection, tenant: TenantId, mode: Mode) -> rusqlite::Result<Self> {
        let mut select = db.prepare_cached(
            "SELECT connection, channel FROM provider_list WHERE tenant = ?1 AND mode = ?2",
        )?;
        let found = select.query_map(params![id_bytes!(tenant), mode_number(mode)], |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, String>(1)?))
        })?;
        let mut lists = Vec::new();
        for row in found {
            let (connection, name) = row?;
            let Some(channel) = Channel::ALL.into_iter().find(|one| one.as_str() == name) else { continue };
            lists.push(Follower { room: room(db, &connection)?, connection, channel });
        }
        Ok(Self { of: (tenant, mode), lists })
    }

    /// Whether they are those of this tenant and mode.
    pub(crate) fn are_of(&self, tenant: TenantId, mode: Mode) -> bool {
        self.of == (tenant, mode)
    }

    /// Owes the lists what follows from the rules about `address`, as they are now. `theirs_went`: one that came from a
    /// provider was removed just before.
    pub(crate) fn follow(
        &mut self,
        db: &Connection,
        address: &str,
        theirs_went: bool,
        now: UnixMillis,
    ) -> rusqlite::Result<()> {
        let (tenant, mode) = self.of;
        for list in self.lists.iter_mut().filter(|list| fits(list.channel, address)) {
            let (reason, stands) = concerning(db, (tenant, mode), list.channel, address)?;
            let rules = Concerning { wanted: reason.is_some(), stands, theirs_went };
            let before = state(db, &list.connection, address)?;
            let Some(next) = follow(before, rules) else { continue };
            if next == Listed::Adding && before.is_none() {
                // What finds no room here is found later, by who catches up.
                let Some(left) = list.room.checked_sub(1) else { continue };
                list.room = left;
            }
            owe(db, &list.connection, address, (next, reason), now)?;
        }
        Ok(())
    }
}

/// Additions and removals that may still be owed to a list.
pub(crate) fn room(db: &Connection, connection: &[u8]) -> rusqlite::Result<usize> {
    let mut count = db.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM provider_list_entry WHERE connection = ?1 AND due_at IS NOT NULL LIMIT ?2)",
    )?;
    let owed: i64 = count.query_row(params![connection, rows(PENDING_MAX)], |row| row.get(0))?;
    Ok(PENDING_MAX.saturating_sub(usize::try_from(owed).unwrap_or(PENDING_MAX)))
}

/// Why the address belongs on a list of the channel, if a rule that did not come from a provider says so; and whether
/// any rule does.
fn concerning(
    db: &Connection,
    (tenant, mode): (TenantId, Mode),
    channel: Channel,
    address: &str,
) -> rusqlite::Result<(Option<String>, bool)> {
    let mut select = db.prepare_cached(
        "SELECT reason, source FROM suppression_rule
         WHERE tenant = ?1 AND mode = ?2 AND value = ?3 AND covers = 'address' AND channel IN ('', ?4)
           AND sender = '' AND expires_at IS NULL ORDER BY id",
    )?;
    let key = params![id_bytes!(tenant), mode_number(mode), address, channel.as_str()];
    let mut found = select.query(key)?;
    let (mut reason, mut stands) = (None, false);
    while let Some(row) = found.next()? {
        stands = true;
        if reason.is_none() && row.get_ref(1)?.as_str()? != SuppressionSource::Provider.as_str() {
            reason = Some(row.get(0)?);
        }
    }
    Ok((reason, stands))
}

fn state(db: &Connection, connection: &[u8], address: &str) -> rusqlite::Result<Option<Listed>> {
    let mut select =
        db.prepare_cached("SELECT state FROM provider_list_entry WHERE connection = ?1 AND address = ?2")?;
    let name: Option<String> = select.query_row(params![connection, address], |row| row.get(0)).optional()?;
    Ok(name.and_then(|name| Listed::ALL.into_iter().find(|state| state.as_str() == name)))
}

/// Owes a list the change to `next`.
pub(crate) fn owe(
    db: &Connection,
    connection: &[u8],
    address: &str,
    (next, reason): (Listed, Option<String>),
    now: UnixMillis,
) -> rusqlite::Result<()> {
    let mut write = db.prepare_cached(
        "INSERT INTO provider_list_entry (connection, address, state, reason, attempts, since, due_at, version)
         VALUES (?1, ?2, ?3, ?4, 0, ?5, ?5, 1)
         ON CONFLICT (connection, address) DO UPDATE
            SET state = ?3, reason = ?4, attempts = 0, since = ?5, due_at = ?5, version = version + 1",
    )?;
    let reason = reason.unwrap_or_else(|| SuppressionReason::Manual.as_str().to_owned());
    write.execute(params![connection, address, next.as_str(), reason, millis(now)]).map(drop)
}

/// Forgets an address that was erased: what is on a provider's list stays there, so that nobody writes to it.
pub(crate) fn forget(db: &Connection, tenant: TenantId, mode: Mode, address: &str) -> rusqlite::Result<()> {
    let mut delete = db.prepare_cached(
        "DELETE FROM provider_list_entry WHERE address = ?3
            AND connection IN (SELECT connection FROM provider_list WHERE tenant = ?1 AND mode = ?2)",
    )?;
    delete.execute(params![id_bytes!(tenant), mode_number(mode), address]).map(drop)
}
