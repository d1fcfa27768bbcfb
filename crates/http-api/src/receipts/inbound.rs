//! What people write, and what they want to hear no more of.

use hermes_domain::{
    EventId, TenantId,
    address::Channel,
    connection::Connection,
    message::{Envelope, Mode},
    suppression::{Coverage, OptOutScope, SenderKey, Suppression, SuppressionReason, SuppressionSource},
    tenant::{Endpoint, TenantScope},
};
use hermes_ports::{
    StoreError,
    adapter::{Inbound, InboundKind},
    inbound_log::{InboundEntry, InboundMeaning},
    message_log::MessageQuery,
    outbox::OutboxEntry,
    suppressions::SuppressedAddress,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::api::Api;

const RECEIVED: &str = "inbound.received";
const OPTED_OUT: &str = "recipient.opted_out";

/// Keeps what an inbound message or a change of consent means for each tenant that it concerns, and owes their
/// endpoints the news. Doing so again for the same callback changes nothing. `callback` is the callback's body.
///
/// A connection of one tenant concerns that tenant. One that all tenants share concerns those that have written to
/// the address.
pub(super) async fn take(
    api: &Api,
    connection: &Connection,
    inbound: &Inbound,
    callback: &[u8],
) -> Result<(), StoreError> {
    let tenants = match connection.tenant {
        Some(tenant) => vec![tenant],
        None => api.directory().read(|all| all.tenants().iter().map(|tenant| tenant.value.id).collect()),
    };
    for tenant in tenants {
        let newest = newest_message(api, tenant, connection.mode, &inbound.from).await?;
        if newest.is_none() && connection.tenant.is_none() {
            continue;
        }
        consent(api, tenant, connection.mode, inbound).await?;
        keep(api, connection, (tenant, newest.as_deref()), inbound, callback).await?;
        // Without a message there is nothing that an event could name: addresses never leave with one.
        if let Some(envelope) = newest {
            tell(api, connection, inbound, &envelope, callback).await?;
        }
    }
    Ok(())
}

async fn newest_message(
    api: &Api,
    tenant: TenantId,
    mode: Mode,
    address: &str,
) -> Result<Option<std::sync::Arc<Envelope>>, StoreError> {
    let query = MessageQuery {
        tenant,
        mode,
        statuses: Vec::new(),
        channel: None,
        tag: None,
        to: Some(address.to_owned()),
        created_after: None,
        created_before: None,
        before: None,
        limit: 1,
    };
    let found = api.ports.log.list(query).await?;
    Ok(found.into_iter().next().map(|stored| stored.envelope))
}

/// Keeps or lifts what the recipient has said or a provider has found out.
async fn consent(api: &Api, tenant: TenantId, mode: Mode, inbound: &Inbound) -> Result<(), StoreError> {
    let suppressions = &api.ports.suppressions;
    let (reason, source) = match inbound.kind {
        InboundKind::OptOut => (SuppressionReason::OptOut, SuppressionSource::Inbound),
        InboundKind::Complaint => (SuppressionReason::Complaint, SuppressionSource::Receipt),
        InboundKind::HardBounce => (SuppressionReason::HardBounce, SuppressionSource::Receipt),
        InboundKind::OptIn => {
            let (channel, address) = (inbound.channel, inbound.from.clone());
            let of = SuppressedAddress { tenant, mode, channel, address };
            return suppressions.lift(of, told_to(inbound)).await;
        }
        InboundKind::Message => return Ok(()),
    };
    let sender = match reason {
        SuppressionReason::OptOut => match suppressions.opt_out_scope(tenant, mode).await? {
            OptOutScope::Sender => told_to(inbound),
            OptOutScope::All => None,
        },
        // A dead mailbox is dead for everybody, and who complains does not look at the sender.
        SuppressionReason::Complaint | SuppressionReason::HardBounce | SuppressionReason::Manual => None,
    };
    let rule = Suppression {
        id: api.ports.mint.suppression(),
        tenant,
        mode,
        covers: Coverage::exactly(inbound.channel, &inbound.from),
        channel: Some(inbound.channel),
        sender,
        reason,
        source,
        note: None,
        created_at: api.now(),
        expires_at: None,
    };
    suppressions.add(vec![rule]).await.map(drop)
}

/// Which of our senders a person has written to. Mail has an address for replies, which says nothing about senders.
fn told_to(inbound: &Inbound) -> Option<SenderKey> {
    match inbound.channel {
        Channel::Sms | Channel::Whatsapp => inbound.to.as_deref().map(SenderKey::of),
        Channel::Email | Channel::Push => None,
    }
}

/// Puts what a person has written on the tenant's list. Complaints and bounces are no messages from people.
async fn keep(
    api: &Api,
    connection: &Connection,
    (tenant, newest): (TenantId, Option<&Envelope>),
    inbound: &Inbound,
    callback: &[u8],
) -> Result<(), StoreError> {
    let meaning = match inbound.kind {
        InboundKind::OptOut => InboundMeaning::OptOut,
        InboundKind::OptIn => InboundMeaning::OptIn,
        InboundKind::Message => InboundMeaning::Message,
        InboundKind::Complaint | InboundKind::HardBounce => return Ok(()),
    };
    let entry = InboundEntry {
        id: api.ports.mint.inbound(),
        scope: TenantScope::new(tenant, connection.mode),
        channel: inbound.channel,
        from: Some(Coverage::exactly(inbound.channel, &inbound.from).value().to_owned()),
        to: inbound.to.clone(),
        meaning,
        connection: connection.id,
        message: newest.map(|envelope| envelope.id),
        received_at: api.now(),
    };
    let digest = digest(RECEIVED, inbound, callback).finalize().into();
    api.ports.inbound.keep(entry, digest).await
}

async fn tell(
    api: &Api,
    connection: &Connection,
    inbound: &Inbound,
    envelope: &Envelope,
    callback: &[u8],
) -> Result<(), StoreError> {
    let endpoints = api.directory().endpoints_for(envelope.tenant, envelope.mode);
    let wanting = |event_type| endpoints.iter().filter(move |endpoint| endpoint.wants(event_type, true));
    let entry = |event_type: &'static str, endpoint: &Endpoint| OutboxEntry {
        endpoint: endpoint.id,
        event: event_id(envelope, event_type, inbound, callback),
        message: Some(envelope.id),
        event_type,
        body: body(api, event_type, connection, inbound, envelope),
        created_at: api.now(),
    };
    let event_types: &[&'static str] = match inbound.kind {
        InboundKind::OptOut => &[RECEIVED, OPTED_OUT],
        InboundKind::Complaint => &[OPTED_OUT],
        InboundKind::OptIn | InboundKind::Message => &[RECEIVED],
        // The receipt of the message has told it.
        InboundKind::HardBounce => &[],
    };
    let owed: Vec<_> = event_types
        .iter()
        .flat_map(|event_type| wanting(event_type).map(|endpoint| entry(event_type, endpoint)))
        .collect();
    if owed.is_empty() {
        return Ok(());
    }
    let told = owed.iter().map(|entry| entry.told(&envelope.metadata)).collect();
    api.ports.outbox.owe(owed).await?;
    api.ports.notifier.notify(told);
    Ok(())
}

/// The same for a callback that is sent twice.
fn event_id(envelope: &Envelope, event_type: &str, inbound: &Inbound, callback: &[u8]) -> EventId {
    let random = digest(event_type, inbound, callback)
        .finalize()
        .iter()
        .take(10)
        .fold(0, |bits, byte| bits << 8 | u128::from(*byte));
    EventId::new(envelope.created_at, random)
}

fn digest(event_type: &str, inbound: &Inbound, callback: &[u8]) -> Sha256 {
    let mut hash = Sha256::new_with_prefix(event_type);
    hash.update(&inbound.from);
    hash.update(callback);
    hash
}

fn body(
    api: &Api,
    event_type: &str,
    connection: &Connection,
    inbound: &Inbound,
    envelope: &Envelope,
) -> String {
    let kind = match inbound.kind {
        InboundKind::OptOut => "opt_out",
        InboundKind::Complaint => "complaint",
        InboundKind::HardBounce => "hard_bounce",
        InboundKind::OptIn => "opt_in",
        InboundKind::Message => "message",
    };
    let data = json!({
        "message_id": envelope.id.to_string(),
        "mode": envelope.mode.as_str(),
        "channel": inbound.channel.as_str(),
        "provider": connection.name,
        "kind": kind,
        "tags": envelope.tags,
        // Told, not stored: see `OutboxEntry::told`.
        "metadata": Some(&envelope.metadata).filter(|metadata| metadata.is_empty()),
    });
    json!({ "type": event_type, "timestamp": api.now().rfc3339(), "data": data }).to_string()
}
