//! How far a channel's providers can confirm a message.

use hermes_directory::Snapshot;
use hermes_domain::{address::Channel, connection::Connection, outcome::Level, tenant::TenantScope};
use hermes_ports::adapter::AdapterHost;

use super::cascade::{CascadeSpec, StepSpec};
use crate::schema::Faults;

/// The fault of a step that wants more than can be confirmed.
pub(super) const UNCONFIRMABLE: &str = "unconfirmable";

/// The strongest level that a receipt by one of `providers` can confirm; without any, what the channel can.
pub(super) fn strongest<'a>(
    adapters: &dyn AdapterHost,
    channel: Channel,
    providers: impl Iterator<Item = &'a str>,
) -> Level {
    let confirms = |provider: &str| adapters.descriptor(provider)?.confirms.get(&channel).copied();
    providers.filter_map(confirms).max().unwrap_or_else(|| ceiling(channel))
}

/// What is wrong with the level that a step wants; `None`: it can be confirmed. An acknowledgement comes from elsewhere.
pub(super) fn too_much(step: &StepSpec, strongest: Level) -> Option<String> {
    let wanted = step.success_on.filter(|wanted| *wanted != Level::Acknowledged && *wanted > strongest)?;
    let (channel, strongest) = (step.channel.as_str(), strongest.as_str());
    Some(format!("{channel} can confirm at most {strongest}, not {}", wanted.as_str()))
}

/// Holds a cascade that is to be kept against the connections that messages of `scopes` may use now: what they cannot
/// confirm would be refused with every message.
pub(crate) fn check(
    snapshot: &Snapshot,
    adapters: &dyn AdapterHost,
    scopes: &[TenantScope],
    cascade: &CascadeSpec,
    faults: &mut Faults,
) {
    for (index, step) in cascade.steps.iter().enumerate() {
        let serving = scopes.iter().flat_map(|scope| snapshot.serving(scope.tenant, scope.mode));
        let candidates = serving.filter(|connection| may_carry(step, connection));
        let providers = candidates.map(|connection| connection.provider.as_str());
        if let Some(detail) = too_much(step, strongest(adapters, step.channel, providers)) {
            let note = |faults: &mut Faults| faults.note::<()>(UNCONFIRMABLE, detail);
            faults
                .at_key("steps", |faults| faults.at_index(index, |faults| faults.at_key("success_on", note)));
        }
    }
}

fn may_carry(step: &StepSpec, connection: &Connection) -> bool {
    let is_named = |name: &String| *name == connection.name || *name == connection.provider;
    connection.channel == step.channel && (step.providers.is_empty() || step.providers.iter().any(is_named))
}

/// What a channel can confirm where no adapter says.
const fn ceiling(channel: Channel) -> Level {
    match channel {
        Channel::Sms | Channel::Email => Level::Delivered,
        Channel::Whatsapp => Level::Read,
        Channel::Push => Level::Sent,
    }
}
