//! Takes accepted messages: admission, then an actor that makes itself durable.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use hermes_actor_cascade::NewCascade;
use hermes_actor_tenant::Tenants;
use hermes_domain::message::Envelope;
use hermes_ports::{MessageIntake, StoreError, idempotency::Claim, message_intake::SubmitError};
use tokio::sync::oneshot;

/// How long a message may take to become durable.
const SUBMIT_LIMIT: Duration = Duration::from_secs(10);
/// What a refused caller should wait, in seconds.
const RETRY_AFTER_S: u32 = 1;

/// Where messages come in.
#[derive(Clone)]
pub(crate) struct Intake(pub(crate) Tenants);

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").finish_non_exhaustive()
    }
}

#[async_trait]
impl MessageIntake for Intake {
    async fn submit(&self, envelope: Arc<Envelope>, claim: Option<Claim>) -> Result<(), SubmitError> {
        let away = || SubmitError::Away { retry_after_s: RETRY_AFTER_S };
        let tenant = self.0.get(envelope.tenant).await.ok_or_else(away)?;
        let admission = &tenant.admission;
        let slot = admission.try_take(envelope.lane).ok_or_else(|| SubmitError::Overloaded {
            under_way_max: u32::try_from(admission.limit(envelope.lane)).unwrap_or(u32::MAX),
            retry_after_s: RETRY_AFTER_S,
        })?;
        let (reply, answer) = oneshot::channel();
        if !tenant.create(NewCascade { envelope, claim, slot, reply }) {
            return Err(away());
        }
        match tokio::time::timeout(SUBMIT_LIMIT, answer).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(_)) => Err(unknown("the message's actor ended")),
            Err(_) => Err(unknown("no answer in time")),
        }
    }
}

/// Whether the message exists is not known; if it does it runs.
fn unknown(why: &'static str) -> SubmitError {
    SubmitError::Store(StoreError::Unavailable { attempted: "accepting a message", cause: why.into() })
}
