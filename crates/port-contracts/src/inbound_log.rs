//! What every keeper of inbound messages does.

/// Makes a test of every behaviour in this suite.
#[macro_export]
macro_rules! inbound_log_contract {
    ($make:path) => {
        $crate::behaviours!($make, inbound_log:
            an_entry_is_kept_as_it_is_and_once,
            inbound_messages_of_others_are_not_seen,
            inbound_messages_are_newest_first_and_filtered,
            an_erased_writer_is_in_no_entry,
            a_tenants_entries_are_discarded_and_no_others,
        );
    };
}

use hermes_domain::{
    InboundId, address::Channel, message::Mode, recipient_address::RecipientAddress, tenant::TenantScope,
};
use hermes_ports::inbound_log::{InboundEntry, InboundMeaning, InboundQuery};
use hermes_testkit::{START, connection, tenant};

use crate::Ports;

fn scope() -> TenantScope {
    TenantScope::new(tenant(1), Mode::Live)
}

/// The `number`th message, a millisecond after the one before.
fn entry(number: u64) -> InboundEntry {
    let at = START.plus_ms(number);
    InboundEntry {
        id: InboundId::new(at, number.into()),
        scope: scope(),
        channel: Channel::Sms,
        from: Some("+4520123456".to_owned()),
        to: Some("+4550000000".to_owned()),
        meaning: InboundMeaning::Message,
        connection: connection(1),
        message: None,
        received_at: at,
    }
}

async fn keep(ports: &Ports, entry: InboundEntry) {
    let digest = [u8::try_from(entry.id.as_u128() & 0xff).unwrap(); 32];
    ports.inbound.keep(entry, digest).await.unwrap();
}

/// Nothing of an entry is lost, and one that comes again is not kept again.
pub async fn an_entry_is_kept_as_it_is_and_once(ports: &Ports) {
    let message = hermes_domain::MessageId::mint(START, 3, 1, 7);
    let first = InboundEntry { meaning: InboundMeaning::OptOut, message: Some(message), ..entry(1) };
    let second = InboundEntry { meaning: InboundMeaning::OptIn, to: None, ..entry(2) };
    keep(ports, first.clone()).await;
    keep(ports, second.clone()).await;
    ports.inbound.keep(InboundEntry { id: entry(3).id, ..first.clone() }, [1; 32]).await.unwrap();
    let found = ports.inbound.newest(InboundQuery::all(scope(), 10)).await.unwrap();
    assert_eq!(found, [second, first]);
}

/// Tenants and modes are apart, also where the same callback concerns several.
pub async fn inbound_messages_of_others_are_not_seen(ports: &Ports) {
    let others = [TenantScope::new(tenant(2), Mode::Live), TenantScope::new(tenant(1), Mode::Test)];
    keep(ports, entry(1)).await;
    for other in others {
        assert_eq!(ports.inbound.newest(InboundQuery::all(other, 10)).await.unwrap(), []);
        let theirs = InboundEntry { scope: other, ..entry(1) };
        keep(ports, theirs.clone()).await;
        assert_eq!(ports.inbound.newest(InboundQuery::all(other, 10)).await.unwrap(), [theirs]);
    }
    assert_eq!(ports.inbound.newest(InboundQuery::all(scope(), 10)).await.unwrap(), [entry(1)]);
}

/// Every condition counts.
pub async fn inbound_messages_are_newest_first_and_filtered(ports: &Ports) {
    for number in 1..=4 {
        keep(ports, entry(number)).await;
    }
    let mail = InboundEntry { channel: Channel::Email, from: Some("a@example.com".to_owned()), ..entry(5) };
    keep(ports, mail).await;
    let all = InboundQuery::all(scope(), 10);
    for (query, expected) in [
        (all.clone(), vec![5, 4, 3, 2, 1]),
        (InboundQuery { limit: 2, ..all.clone() }, vec![5, 4]),
        (InboundQuery { from: Some("+4520123456".to_owned()), limit: 2, ..all.clone() }, vec![4, 3]),
        (InboundQuery { channel: Some(Channel::Email), ..all.clone() }, vec![5]),
        (InboundQuery { created_after: Some(START.plus_ms(4)), ..all.clone() }, vec![5, 4]),
        (InboundQuery { before: Some(entry(3).id), ..all.clone() }, vec![2, 1]),
    ] {
        let found = ports.inbound.newest(query.clone()).await.unwrap();
        let numbers: Vec<_> = found.iter().map(|entry| entry.received_at.since(START)).collect();
        assert_eq!(numbers, expected, "{query:?}");
    }
}

/// What was written stays, without who wrote it; who writes again is found again.
pub async fn an_erased_writer_is_in_no_entry(ports: &Ports) {
    let number = "+4520123456";
    let other = InboundEntry { from: Some("+4520111111".to_owned()), ..entry(2) };
    let elsewhere = InboundEntry { scope: TenantScope::new(tenant(2), Mode::Live), ..entry(1) };
    for one in [entry(1), other.clone(), elsewhere.clone()] {
        keep(ports, one).await;
    }
    let address = RecipientAddress::wanted(number);
    ports.erasure.erase(scope(), &address, START.plus_s(9)).await.unwrap();
    keep(ports, entry(3)).await;
    let all = ports.inbound.newest(InboundQuery::all(scope(), 9)).await.unwrap();
    assert_eq!(all, [entry(3), other, InboundEntry { from: None, ..entry(1) }]);
    let from = |scope| InboundQuery { from: Some(number.to_owned()), ..InboundQuery::all(scope, 9) };
    assert_eq!(ports.inbound.newest(from(scope())).await.unwrap(), [entry(3)]);
    assert_eq!(ports.inbound.newest(from(elsewhere.scope)).await.unwrap(), [elsewhere]);
}

/// In both modes.
pub async fn a_tenants_entries_are_discarded_and_no_others(ports: &Ports) {
    let test_mode = TenantScope::new(tenant(1), Mode::Test);
    let elsewhere = InboundEntry { scope: TenantScope::new(tenant(2), Mode::Live), ..entry(1) };
    for one in [entry(1), InboundEntry { scope: test_mode, ..entry(2) }, elsewhere.clone()] {
        keep(ports, one).await;
    }
    ports.inbound.discard_all(tenant(1)).await.unwrap();
    for gone in [scope(), test_mode] {
        assert_eq!(ports.inbound.newest(InboundQuery::all(gone, 9)).await.unwrap(), []);
    }
    let left = ports.inbound.newest(InboundQuery::all(elsewhere.scope, 9)).await.unwrap();
    assert_eq!(left, [elsewhere]);
}
