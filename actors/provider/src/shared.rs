//! What the gateway, the actors and the calls share.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use dashmap::DashMap;
use hermes_domain::{AttemptRef, ConnectionId, cascade::AdapterVersion, connection::Connection};
use hermes_ports::CascadeInbox;
use hermes_supervision::{Address, MailboxKind};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    certificates::Certificates, gateway::Ports, herald::Herald, line::Line, options::Options,
    orphans::OrphanIndex, supervisor::ProvidersMsg,
};

/// Calls a second while a connection's adapter is not loaded and nothing else is known.
const RATE_UNKNOWN: u32 = 10;
const CALL_LIMIT_MIN: Duration = Duration::from_millis(100);

/// Everything behind a gateway.
pub(crate) struct Shared {
    pub(crate) ports: Ports,
    pub(crate) options: Options,
    pub(crate) supervisor: Address<ProvidersMsg>,
    pub(crate) mailboxes: MailboxKind,
    pub(crate) certificates: Certificates,
    pub(crate) orphans: Arc<OrphanIndex>,
    /// Attempts whose call runs or whose outcome is still being delivered.
    pub(crate) running: DashMap<AttemptRef, ()>,
    pub(crate) tasks: TaskTracker,
    /// Cancelled when calls may not go on.
    pub(crate) abort: CancellationToken,
    pub(crate) inbox: OnceLock<Arc<dyn CascadeInbox>>,
    lines: DashMap<ConnectionId, Arc<Line>>,
}

impl Shared {
    pub(crate) fn new(ports: Ports, options: Options) -> Self {
        Self {
            ports,
            options,
            supervisor: Address::vacant(),
            mailboxes: MailboxKind::new("provider"),
            certificates: Certificates::new(),
            orphans: Arc::new(OrphanIndex::new()),
            running: DashMap::new(),
            tasks: TaskTracker::new(),
            abort: CancellationToken::new(),
            inbox: OnceLock::new(),
            lines: DashMap::new(),
        }
    }

    /// The line of a connection, made when it is first asked for. `None`: no such connection.
    pub(crate) fn line(&self, id: ConnectionId) -> Option<Arc<Line>> {
        if let Some(line) = self.lines.get(&id) {
            return Some(Arc::clone(&line));
        }
        self.open_line(id)
    }

    #[cold]
    fn open_line(&self, id: ConnectionId) -> Option<Arc<Line>> {
        let access = self.ports.connections.access(id)?;
        let rate = self.default_rate(&access.connection);
        let ports = &self.ports;
        let herald = Herald::new(Arc::clone(&ports.events));
        let make = || Arc::new(Line::new(access, rate, &self.options, Arc::clone(&ports.clock), herald));
        let line = Arc::clone(&self.lines.entry(id).or_insert_with(make));
        self.ensure_actor(&line);
        Some(line)
    }

    /// Asks the supervisor for the line's actor if it never had one.
    pub(crate) fn ensure_actor(&self, line: &Line) {
        if !line.has_seat() {
            // Without a supervisor: it looks at every line when it starts.
            let _ = self.supervisor.cast(ProvidersMsg::Ensure(line.id));
        }
    }

    /// Every line, in no particular order.
    pub(crate) fn lines(&self) -> Vec<Arc<Line>> {
        self.lines.iter().map(|line| Arc::clone(&line)).collect()
    }

    /// Forgets a connection. Permits and calls that have its line go on.
    pub(crate) fn close_line(&self, id: ConnectionId) {
        self.lines.remove(&id);
    }

    /// Brings every line up to date with the directory; returns the connections that have gone.
    pub(crate) fn refresh_lines(&self) -> Vec<ConnectionId> {
        let mut gone = Vec::new();
        for line in self.lines() {
            match self.ports.connections.access(line.id) {
                Some(access) if access.connection.provider == line.provider => {
                    let rate = self.default_rate(&access.connection);
                    line.configure(access, rate);
                }
                // A connection never changes its provider; should it, it starts afresh.
                Some(_) | None => gone.push(line.id),
            }
        }
        gone
    }

    fn default_rate(&self, connection: &Connection) -> u32 {
        let descriptor = self.ports.host.descriptor(&connection.provider);
        descriptor.map_or(RATE_UNKNOWN, |descriptor| descriptor.default_rate_per_s)
    }

    /// The adapter build that new calls of a line use.
    pub(crate) fn version(&self, line: &Line) -> Option<AdapterVersion> {
        self.ports.host.active_version(&line.provider)
    }

    /// How long a call through `connection` may take.
    pub(crate) fn call_limit(&self, connection: &Connection) -> Duration {
        let seconds = connection
            .config
            .get("timeout_s")
            .and_then(|value| value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok())));
        let told = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        told.unwrap_or(self.options.call_limit).clamp(CALL_LIMIT_MIN, self.options.call_limit_max)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("lines", &self.lines.len())
            .field("running", &self.running.len())
            .finish_non_exhaustive()
    }
}
