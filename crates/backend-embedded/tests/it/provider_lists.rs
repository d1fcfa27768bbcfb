//! What rules owe to the lists of providers, and what is learnt from these.

use std::sync::Arc;

use hermes_backend_embedded::EmbeddedBackend;
use hermes_domain::{
    ConnectionId, SuppressionId, UnixMillis,
    address::Channel,
    message::Mode,
    recipient_address::RecipientAddress,
    suppression::{
        Coverage, SenderKey, Suppression, SuppressionReason as Reason, SuppressionSource as Source,
    },
    tenant::TenantScope,
};
use hermes_ports::{
    Erasure as _, ProviderLists, Suppressions,
    provider_lists::{ChangeEnd, FollowedList, PENDING_MAX, Reading},
    suppressions::{SuppressedAddress, SuppressionChange},
};
use hermes_testkit::{START, connection, tenant};

use crate::open;

const PHONE: &str = "+4520123456";
const FAR: UnixMillis = UnixMillis(u64::MAX >> 2);

fn scope() -> TenantScope {
    TenantScope::new(tenant(1), Mode::Live)
}

fn list(number: u64, channel: Channel) -> FollowedList {
    FollowedList { connection: connection(number), scope: scope(), channel }
}

fn rule(number: u64, address: &str) -> Suppression {
    Suppression {
        id: SuppressionId::new(START.plus_ms(number), number.into()),
        tenant: tenant(1),
        mode: Mode::Live,
        covers: Coverage::Address(address.to_owned()),
        channel: None,
        sender: None,
        reason: Reason::OptOut,
        source: Source::Inbound,
        note: None,
        created_at: START.plus_ms(number),
        expires_at: None,
    }
}

async fn backend() -> (Arc<EmbeddedBackend>, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    backend.follow(vec![list(1, Channel::Sms), list(2, Channel::Email)]).await.unwrap();
    (backend, directory)
}

/// Addresses owed to a list: `+` to be added, `-` to be removed.
async fn owed(backend: &EmbeddedBackend, of: ConnectionId) -> Vec<String> {
    let due = backend.due(of, FAR, 100).await.unwrap();
    let mut owed: Vec<_> = due
        .iter()
        .map(|change| format!("{} {}", change.add.map_or("off", Reason::as_str), change.address))
        .collect();
    owed.sort();
    owed
}

async fn end_all(backend: &EmbeddedBackend, of: ConnectionId, end: ChangeEnd) {
    for change in backend.due(of, FAR, 100).await.unwrap() {
        backend.end(&change, end).await.unwrap();
    }
}

#[tokio::test]
async fn a_rule_is_owed_to_every_list_that_can_hold_its_address() {
    let (backend, _directory) = backend().await;
    backend.add(vec![rule(1, PHONE), rule(2, "a@example.com")]).await.unwrap();
    assert_eq!(owed(&backend, connection(1)).await, ["opt_out +4520123456"]);
    assert_eq!(owed(&backend, connection(2)).await, ["opt_out a@example.com"]);
}

#[tokio::test]
async fn rules_that_do_not_concern_a_list_are_not_owed() {
    let (backend, _directory) = backend().await;
    let sender = Some(SenderKey::of("ACME"));
    let others = vec![
        Suppression { sender, ..rule(1, PHONE) },
        Suppression { expires_at: Some(FAR), ..rule(2, PHONE) },
        Suppression { source: Source::Provider, ..rule(3, PHONE) },
        Suppression { channel: Some(Channel::Whatsapp), ..rule(4, PHONE) },
        Suppression { mode: Mode::Test, ..rule(5, PHONE) },
        Suppression { tenant: tenant(2), ..rule(6, PHONE) },
        Suppression { covers: Coverage::Prefix("+45".to_owned()), ..rule(7, PHONE) },
    ];
    backend.add(others).await.unwrap();
    assert_eq!(owed(&backend, connection(1)).await, Vec::<String>::new());
    assert_eq!(backend.catch_up(list(1, Channel::Sms), 10, true, START).await.unwrap(), 0);
}

#[tokio::test]
async fn what_hermes_added_goes_with_the_last_rule_about_it() {
    let (backend, _directory) = backend().await;
    let second = Suppression { reason: Reason::Manual, source: Source::Api, ..rule(2, PHONE) };
    backend.add(vec![rule(1, PHONE), second.clone()]).await.unwrap();
    end_all(&backend, connection(1), ChangeEnd::Made).await;
    assert_eq!(owed(&backend, connection(1)).await, Vec::<String>::new());
    assert!(backend.delete(scope(), rule(1, PHONE).id, None).await.unwrap());
    assert_eq!(owed(&backend, connection(1)).await, Vec::<String>::new(), "the other rule still stands");
    // A rule with an end is no reason to be on a list that has none.
    let change = SuppressionChange { expires_at: Some(Some(FAR)), ..SuppressionChange::default() };
    backend.update(scope(), second.id, None, change).await.unwrap();
    assert_eq!(owed(&backend, connection(1)).await, ["off +4520123456"]);
    let change = SuppressionChange { expires_at: Some(None), ..SuppressionChange::default() };
    backend.update(scope(), second.id, None, change).await.unwrap();
    assert_eq!(owed(&backend, connection(1)).await, ["manual +4520123456"]);
}

#[tokio::test]
async fn a_change_that_was_overtaken_ends_without_effect() {
    let (backend, _directory) = backend().await;
    backend.add(vec![rule(1, PHONE)]).await.unwrap();
    let under_way = backend.due(connection(1), FAR, 1).await.unwrap().remove(0);
    backend.delete(scope(), rule(1, PHONE).id, None).await.unwrap();
    backend.end(&under_way, ChangeEnd::Made).await.unwrap();
    assert_eq!(owed(&backend, connection(1)).await, ["off +4520123456"]);
}

#[tokio::test]
async fn consent_takes_off_what_the_recipients_words_put_on() {
    let (backend, _directory) = backend().await;
    let stop = Suppression { channel: Some(Channel::Sms), ..rule(1, PHONE) };
    let learnt =
        Suppression { channel: Some(Channel::Sms), source: Source::Provider, ..rule(2, "+4520123457") };
    let complaint = Suppression { reason: Reason::Complaint, ..rule(3, "+4520123458") };
    backend.add(vec![stop, learnt, complaint]).await.unwrap();
    end_all(&backend, connection(1), ChangeEnd::Made).await;
    for address in [PHONE, "+4520123457", "+4520123458", "+4520123459"] {
        let (tenant, mode) = (tenant(1), Mode::Live);
        let of = SuppressedAddress { tenant, mode, channel: Channel::Sms, address: address.to_owned() };
        backend.lift(of, None).await.unwrap();
    }
    assert_eq!(owed(&backend, connection(1)).await, ["off +4520123456", "off +4520123457"]);
}

#[tokio::test]
async fn what_failed_waits_and_what_was_given_up_waits_to_be_asked_for() {
    let (backend, _directory) = backend().await;
    backend.add(vec![rule(1, PHONE)]).await.unwrap();
    end_all(&backend, connection(1), ChangeEnd::Again(START.plus_s(60))).await;
    assert!(backend.due(connection(1), START.plus_s(59), 1).await.unwrap().is_empty());
    let again = backend.due(connection(1), START.plus_s(60), 1).await.unwrap();
    assert_eq!((again[0].attempts, again[0].since), (1, START.plus_ms(1)));
    end_all(&backend, connection(1), ChangeEnd::GivenUp).await;
    assert_eq!(backend.catch_up(list(1, Channel::Sms), 10, false, START).await.unwrap(), 0);
    assert_eq!(owed(&backend, connection(1)).await, Vec::<String>::new());
    assert_eq!(backend.catch_up(list(1, Channel::Sms), 10, true, START).await.unwrap(), 1);
    assert_eq!(owed(&backend, connection(1)).await, ["opt_out +4520123456"]);
}

#[tokio::test]
async fn rules_from_before_and_rules_without_room_are_caught_up_with() {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    let address = |number: u64| format!("+45{number:08}");
    let many = PENDING_MAX as u64 + 20;
    backend.add(vec![rule(1, &address(1))]).await.unwrap();
    let sms = list(1, Channel::Sms);
    backend.follow(vec![sms]).await.unwrap();
    for start in (2..=many).step_by(1_000) {
        let rules = (start..=many.min(start + 999)).map(|number| rule(number, &address(number)));
        backend.add(rules.collect()).await.unwrap();
    }
    let owed_now = || async { backend.catch_up(sms, 1_000, false, START).await.unwrap() };
    assert_eq!(owed_now().await, PENDING_MAX);
    end_all(&backend, sms.connection, ChangeEnd::Made).await;
    assert_eq!(owed_now().await, PENDING_MAX - 100 + 20, "those that had found no room");
}

#[tokio::test]
async fn what_is_new_on_a_list_becomes_a_rule_and_nothing_else_does() {
    let (backend, _directory) = backend().await;
    backend.add(vec![rule(1, PHONE)]).await.unwrap();
    end_all(&backend, connection(1), ChangeEnd::Made).await;
    backend.add(vec![Suppression { source: Source::Provider, ..rule(2, "+4520123457") }]).await.unwrap();
    backend.add(vec![rule(3, "+4520123458")]).await.unwrap();
    backend.delete(scope(), rule(3, "").id, None).await.unwrap();
    let found = |number, address: &str| {
        let (channel, source) = (Some(Channel::Sms), Source::Provider);
        Suppression { channel, source, ..rule(number, address) }
    };
    let page = ["+4520123456", "+4520123457", "+4520123458", "+4520123459", "+4520123459"];
    let page: Vec<_> = (10..).zip(page).map(|(number, address)| found(number, address)).collect();
    let reading = Reading { cursor: Some("mark".to_owned()), read_at: START };
    let added = backend.learn(list(1, Channel::Sms), page, reading.clone()).await.unwrap();
    assert_eq!(added, 1, "neither ours, nor known, nor about to be taken off, nor twice");
    assert_eq!(backend.reading(connection(1)).await.unwrap(), Some(reading));
    let (tenant, mode, address) = (tenant(1), Mode::Live, "+4520123459".to_owned());
    let of = SuppressedAddress { tenant, mode, channel: Channel::Sms, address };
    assert!(backend.may_cover(&of));
    assert_eq!(backend.covering(&of).await.unwrap(), [found(13, "+4520123459")]);
    assert_eq!(owed(&backend, connection(1)).await, ["off +4520123458"], "what was learnt is not echoed");
}

#[tokio::test]
async fn an_erased_address_stays_on_the_list_and_is_not_learnt_from_it() {
    let (backend, _directory) = backend().await;
    backend.add(vec![rule(1, PHONE), rule(2, "a@example.com")]).await.unwrap();
    end_all(&backend, connection(1), ChangeEnd::Made).await;
    for (channel, address) in [(Channel::Sms, PHONE), (Channel::Email, "a@example.com")] {
        backend.erase(scope(), &RecipientAddress::on(channel, address), START).await.unwrap();
    }
    assert_eq!(owed(&backend, connection(2)).await, Vec::<String>::new(), "an address is owed that is gone");
    let found = vec![Suppression { channel: Some(Channel::Sms), source: Source::Provider, ..rule(9, PHONE) }];
    assert_eq!(backend.learn(list(1, Channel::Sms), found, Reading::default()).await.unwrap(), 0);
    assert!(backend.delete(scope(), rule(1, "").id, None).await.unwrap());
    assert_eq!(owed(&backend, connection(1)).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_is_owed_outlives_the_process_and_a_list_that_follows_no_more_is_forgotten() {
    let (backend, directory) = backend().await;
    backend.add(vec![rule(1, PHONE)]).await.unwrap();
    backend.close().await;
    drop(backend);
    let backend = open(directory.path()).await;
    backend.follow(vec![list(1, Channel::Sms)]).await.unwrap();
    assert_eq!(owed(&backend, connection(1)).await, ["opt_out +4520123456"]);
    assert_eq!(backend.reading(connection(2)).await.unwrap(), None);
    backend.follow(Vec::new()).await.unwrap();
    assert_eq!(owed(&backend, connection(1)).await, Vec::<String>::new());
}
