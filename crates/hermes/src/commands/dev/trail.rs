//! One redacted line per event, while a person looks on.

use hermes_domain::TenantId;

use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::runtime::Line;

/// Prints what happens to messages of `tenant` from now on.
pub(super) fn follow(mut events: Receiver<Line>, tenant: TenantId) {
    tokio::spawn(async move {
        loop {
            match events.recv().await {
                Ok(line) if line.tenant == tenant => println!("{line}"),
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => println!("… {missed} more events"),
                Err(RecvError::Closed) => return,
            }
        }
    });
}
