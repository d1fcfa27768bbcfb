//! Whether the recipient may be written to: asked before every permit is used, because a STOP may come at any time.
//!
//! Most recipients are not suppressed, and memory says so at once. Only where it cannot, a task asks the store.

#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use hermes_directory::Directory;
use hermes_domain::{
    ConnectionId, SuppressionId, UnixMillis,
    address::{Channel, Destination},
    cascade::State,
    message::Envelope,
    standing::{Standing, standing},
    suppression::{
        Coverage, SenderKey, Subject, Suppression, SuppressionReason, SuppressionSource, applying, sender_of,
    },
};
use hermes_ports::{
    Clock, ProviderGateway, StoreError, Suppressions,
    provider_gateway::{PermitAnswer, PermitRequest},
    suppressions::SuppressedAddress,
};
use tracing::warn;

use crate::{
    cascade_actor::{CascadeActor, Run},
    shared::CascadePorts,
};

/// How often a permit is asked for when the recipient opts out again and again while it is waited for.
const ROUNDS_MAX: u8 = 3;
/// Pause before a store that is away is asked again, in milliseconds.
const STORE_AWAY_MS: u64 = 1_000;

/// The question of one step: may these connections write to its recipient?
pub(crate) struct Consent {
    suppressions: Arc<dyn Suppressions>,
    directory: Arc<Directory>,
    clock: Arc<dyn Clock>,
    envelope: Arc<Envelope>,
    channel: Channel,
    /// Several for push, whose tokens are tried in order: the step is forbidden when all of them are.
    addresses: Vec<SuppressedAddress>,
    connections: Vec<ConnectionId>,
}

/// What became of a wish for a permit.
#[derive(Debug)]
pub enum Wished {
    /// The gateway's answer.
    Answered {
        /// The answer.
        answer: PermitAnswer,
        /// Whether memory knew of no suppression: if it does once the answer arrives, the wish is made again.
        unsuspected: bool,
    },
    /// The recipient must not be written to on the step's channel.
    Suppressed,
}

impl CascadeActor {
    /// The question for the current step and these of its candidates.
    pub(crate) fn consent(&self, run: &Run, candidates: &[u8]) -> Consent {
        let CascadePorts { suppressions, directory, clock, .. } = &self.shared.ports;
        let (envelope, state) = (&run.cascade.envelope, &run.cascade.state);
        let step = state.current_step(envelope);
        let connection =
            |index: &u8| step.candidates.get(usize::from(*index)).map(|candidate| candidate.connection);
        Consent {
            suppressions: Arc::clone(suppressions),
            directory: Arc::clone(directory),
            clock: Arc::clone(clock),
            envelope: Arc::clone(envelope),
            channel: step.channel,
            addresses: addresses(envelope, state, step.channel),
            connections: candidates.iter().filter_map(connection).collect(),
        }
    }

    /// Keeps that the provider of an attempt has the recipient on its own list. In a task: nothing waits for it.
    pub(crate) fn remember_opt_out(&self, run: &Run, attempt: u16) {
        let Some(rule) = self.opt_out(run, attempt) else { return };
        let (suppressions, id) = (Arc::clone(&self.shared.ports.suppressions), run.cascade.envelope.id);
        tokio::spawn(async move {
            if let Err(error) = suppressions.add(vec![rule]).await {
                let error = &error as &dyn std::error::Error;
                warn!(message.id = %id, error, "an opt-out that a provider told was not kept");
            }
        });
    }

    fn opt_out(&self, run: &Run, number: u16) -> Option<Suppression> {
        let (envelope, state) = (&run.cascade.envelope, &run.cascade.state);
        let attempt = state.attempt(number)?;
        let step = envelope.plan.steps.get(usize::from(attempt.step))?;
        let to = envelope.destination(step.channel, state.refused_tokens(attempt.step))?;
        let now = self.shared.ports.clock.now();
        let sender = match step.channel {
            // A provider's list is kept per number of ours; mail providers keep one for the account.
            Channel::Sms | Channel::Whatsapp => {
                sender(&self.shared.ports.directory, envelope, step.channel, attempt.connection(envelope)?)
            }
            Channel::Email | Channel::Push => None,
        };
        Some(Suppression {
            id: SuppressionId::new(now, envelope.id.attempt_id(number).as_u128()),
            tenant: envelope.tenant,
            mode: envelope.mode,
            covers: Coverage::exactly(step.channel, text(&to)),
            channel: Some(step.channel),
            sender,
            reason: SuppressionReason::OptOut,
            source: SuppressionSource::Provider,
            note: None,
            created_at: now,
            expires_at: None,
        })
    }
}

impl Consent {
    /// Whether memory knows of no suppression. False: the store has to be asked.
    pub(crate) fn is_certain(&self) -> bool {
        !self.addresses.iter().any(|address| self.suppressions.may_cover(address))
    }

    /// Whether the tenant's rules let an attempt start now.
    pub(crate) fn standing(&self) -> Standing {
        let now = self.clock.now();
        self.directory.read(|all| {
            let tenant = all.tenant(self.envelope.tenant).map(|tenant| &*tenant.value);
            standing(tenant, &self.envelope, self.channel, now)
        })
    }

    /// Waits for a permit of a connection that may write to the recipient, and looks again once it is there: the
    /// waiting may have been long.
    pub(crate) async fn wish(&self, gateway: &dyn ProviderGateway, request: PermitRequest) -> Wished {
        for _ in 0..ROUNDS_MAX {
            if let Standing::Wait(retry_at) = self.standing() {
                return busy_until(retry_at);
            }
            let unsuspected = self.is_certain();
            let Ok(candidates) = self.clear().await else {
                return self.busy(STORE_AWAY_MS);
            };
            if candidates.is_empty() {
                return Wished::Suppressed;
            }
            let answer = gateway.acquire(PermitRequest { candidates, ..request.clone() }).await;
            let PermitAnswer::Granted(permit) = &answer else {
                return Wished::Answered { answer, unsuspected };
            };
            if let Standing::Wait(retry_at) = self.standing() {
                return busy_until(retry_at); // Dropping the permit gives it back.
            }
            match self.clear().await {
                Ok(clear) if clear.contains(&permit.connection) => {
                    return Wished::Answered { answer, unsuspected: unsuspected && self.is_certain() };
                }
                Ok(_) => {} // Dropping the permit gives it back.
                Err(_) => return self.busy(STORE_AWAY_MS),
            }
        }
        self.busy(0)
    }

    fn busy(&self, pause_ms: u64) -> Wished {
        busy_until(self.clock.now().plus_ms(pause_ms))
    }

    /// Those of the connections that may write to the recipient.
    async fn clear(&self) -> Result<Vec<ConnectionId>, StoreError> {
        if self.is_certain() {
            return Ok(self.connections.clone());
        }
        let mut rules = Vec::with_capacity(self.addresses.len());
        for address in &self.addresses {
            rules.push(self.suppressions.covering(address).await?);
        }
        let now = self.clock.now();
        let forbidden = |connection: &ConnectionId| {
            let sender = sender(&self.directory, &self.envelope, self.channel, *connection);
            self.addresses.iter().zip(&rules).all(|(to, rules)| {
                let subject =
                    Subject { channel: self.channel, address: &to.address, sender: sender.as_ref() };
                applying(rules, subject, now).is_some()
            })
        };
        Ok(self.connections.iter().filter(|connection| !forbidden(connection)).copied().collect())
    }
}

impl fmt::Debug for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consent").field("channel", &self.channel).finish_non_exhaustive()
    }
}

const fn busy_until(retry_at: UnixMillis) -> Wished {
    Wished::Answered { answer: PermitAnswer::Busy { retry_at }, unsuspected: true }
}

/// What the step may still write to. Never empty: acceptance takes steps without an address out of the plan.
fn addresses(envelope: &Envelope, state: &State, channel: Channel) -> Vec<SuppressedAddress> {
    let refused = state.refused_tokens(state.step);
    let last = if channel == Channel::Push { envelope.to.push.len().max(refused + 1) } else { refused + 1 };
    let destinations = (refused..last).filter_map(|token| envelope.destination(channel, token));
    let address = |to: Destination| SuppressedAddress {
        tenant: envelope.tenant,
        mode: envelope.mode,
        channel,
        address: text(&to).to_owned(),
    };
    destinations.map(address).collect()
}

fn text(destination: &Destination) -> &str {
    match destination {
        Destination::Sms(phone) | Destination::Whatsapp(phone) => phone.as_str(),
        Destination::Email(email) => email.as_str(),
        Destination::Push(push) => &push.token,
    }
}

fn sender(
    directory: &Directory,
    envelope: &Envelope,
    channel: Channel,
    connection: ConnectionId,
) -> Option<SenderKey> {
    directory.read(|all| {
        let found = all.connection(connection).map(|entry| &*entry.access.connection);
        sender_of(&envelope.sender, channel, found)
    })
}
