//! Which connections may carry a step, in which order.

use crate::{TenantId, address::Channel, connection::Connection, message::Mode, plan::Candidate};

/// Why a step has no candidates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute {
    /// The tenant has no connection of that name for this channel and mode.
    #[error("no {channel} connection called {name}")]
    UnknownName {
        /// What was asked for.
        name: String,
        /// On this channel.
        channel: &'static str,
    },
    /// The tenant has no connection for this channel and mode at all.
    #[error("no connection for {channel}")]
    NoConnection {
        /// On this channel.
        channel: &'static str,
    },
}

/// Candidates for a step: the connections named, in that order, or every connection of the channel.
///
/// A tenant's own connections come before those shared by all; within each group the order is that of
/// their creation, so that operators can predict it. The result is never empty.
///
/// # Errors
/// [`NoRoute`]; the step cannot run.
pub fn candidates<'a>(
    connections: impl Iterator<Item = &'a Connection> + Clone,
    tenant: TenantId,
    mode: Mode,
    channel: Channel,
    named: &[String],
) -> Result<Vec<Candidate>, NoRoute> {
    let mut usable: Vec<&Connection> = connections
        .filter(|connection| connection.channel == channel && connection.serves(tenant, mode))
        .collect();
    usable.sort_by_key(|connection| (connection.tenant.is_none(), connection.id));
    let candidate = |connection: &Connection| Candidate {
        connection: connection.id,
        name: connection.name.clone(),
        provider: connection.provider.clone(),
    };
    if named.is_empty() {
        let all: Vec<_> = usable.into_iter().map(candidate).collect();
        return if all.is_empty() {
            Err(NoRoute::NoConnection { channel: channel.as_str() })
        } else {
            Ok(all)
        };
    }
    let by_name = |name: &String| {
        let found = usable.iter().find(|connection| connection.name == *name || connection.provider == *name);
        found
            .map(|connection| candidate(connection))
            .ok_or_else(|| NoRoute::UnknownName { name: name.clone(), channel: channel.as_str() })
    };
    named.iter().map(by_name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConnectionId, UnixMillis};
    use std::collections::BTreeMap;

    fn connection(number: u128, tenant: Option<TenantId>, name: &str, mode: Mode) -> Connection {
        Connection {
            id: ConnectionId::new(UnixMillis(0), number),
            tenant,
            mode,
            provider: "twilio".into(),
            name: name.into(),
            channel: Channel::Sms,
            config: BTreeMap::new(),
            rate_per_s: None,
            held: false,
            created_at: UnixMillis(0),
        }
    }

    #[test]
    fn own_connections_come_first_and_modes_never_mix() {
        let (us, them) = (TenantId::new(UnixMillis(0), 1), TenantId::new(UnixMillis(0), 2));
        let all = [
            connection(1, None, "shared", Mode::Live),
            connection(2, Some(us), "own", Mode::Live),
            connection(3, Some(them), "foreign", Mode::Live),
            connection(4, Some(us), "sim", Mode::Test),
        ];
        let names = |named: &[String]| {
            candidates(all.iter(), us, Mode::Live, Channel::Sms, named)
                .map(|found| found.into_iter().map(|candidate| candidate.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]), Ok(vec!["own".into(), "shared".into()]));
        assert_eq!(names(&["shared".into()]), Ok(vec!["shared".into()]));
        assert!(names(&["foreign".into()]).is_err() && names(&["sim".into()]).is_err());
        assert!(candidates(all.iter(), us, Mode::Live, Channel::Email, &[]).is_err());
    }
}
