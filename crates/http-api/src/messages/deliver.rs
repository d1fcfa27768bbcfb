//! Handing an event to a message, with patience for one that is just being loaded or stopped.

use std::time::Duration;

use hermes_domain::{MessageId, cascade::Event};
use hermes_ports::cascade_inbox::{DeliverError, Delivered};

use crate::api::Api;

/// Pauses between tries.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(10),
    Duration::from_millis(40),
    Duration::from_millis(150),
    Duration::from_millis(400),
];

/// Delivers; a message that cannot take the event now is asked again, for 0.6 seconds at most.
pub(crate) async fn deliver(api: &Api, id: MessageId, event: Event) -> Result<Delivered, DeliverError> {
    for pause in PAUSES {
        match api.ports.inbox.deliver(id, event.clone(), None).await {
            Err(DeliverError::Retry) => tokio::time::sleep(pause).await,
            settled => return settled,
        }
    }
    api.ports.inbox.deliver(id, event, None).await
}
