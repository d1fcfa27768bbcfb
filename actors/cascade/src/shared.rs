//! What every cascade actor of a process shares.

use std::{fmt, sync::Arc, time::Duration};

use hermes_directory::Directory;
use hermes_ports::{CascadeStore, Clock, ProviderGateway, Suppressions, outbox::WebhookNotifier};
use hermes_supervision::MailboxKind;
use tokio::sync::Notify;

use crate::{deadlines::Deadlines, running::Running};

/// What cascades need from the outside.
#[derive(Clone, Debug)]
pub struct CascadePorts {
    /// Where they live.
    pub store: Arc<dyn CascadeStore>,
    /// How they reach providers.
    pub gateway: Arc<dyn ProviderGateway>,
    /// Whom not to write to.
    pub suppressions: Arc<dyn Suppressions>,
    /// Who wants to be told.
    pub directory: Arc<Directory>,
    /// Whom to tell once something is durable.
    pub notifier: Arc<dyn WebhookNotifier>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Settings.
#[derive(Clone, Debug)]
pub struct CascadeOptions {
    /// Public address that receipt and acknowledgement URLs start with, without a slash at the end.
    pub public_url: String,
    /// A cascade that has only waited for this long leaves memory.
    pub passivate_after: Duration,
    /// Failures in a row, of one cascade's actor, after which its message is parked; at least 1.
    pub poison_failures_max: u32,
}

/// Ports, settings and the two indexes of one process.
pub struct Shared {
    /// The outside.
    pub ports: CascadePorts,
    /// Settings.
    pub options: CascadeOptions,
    /// Running cascades.
    pub running: Running,
    /// Waiting messages.
    pub deadlines: Deadlines,
    /// What waits for the supervisors of cascades.
    pub mailboxes: MailboxKind,
    /// Tells recovery that actors died whose cascades may owe something.
    pub lost_some: Notify,
}

impl Shared {
    /// Nothing runs and nothing waits.
    pub fn new(ports: CascadePorts, options: CascadeOptions) -> Self {
        let mailboxes = MailboxKind::new("cascades");
        Self {
            ports,
            options,
            running: Running::default(),
            deadlines: Deadlines::default(),
            mailboxes,
            lost_some: Notify::new(),
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("running", &self.running.len()).finish_non_exhaustive()
    }
}
