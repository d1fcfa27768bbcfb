//! What memory knows of suppressions.

use hermes_domain::{
    SuppressionId,
    address::Channel,
    message::Mode,
    suppression::{Coverage, Suppression, SuppressionReason, SuppressionSource},
};
use hermes_ports::{Suppressions as _, suppressions::SuppressedAddress};
use hermes_testkit::{START, tenant};

use crate::open;

fn phone(address: &str) -> SuppressedAddress {
    let (tenant, mode, channel) = (tenant(1), Mode::Live, Channel::Sms);
    SuppressedAddress { tenant, mode, channel, address: address.to_owned() }
}

fn rule(covers: Coverage) -> Suppression {
    Suppression {
        id: SuppressionId::new(START, 1),
        tenant: tenant(1),
        mode: Mode::Live,
        covers,
        channel: None,
        sender: None,
        reason: SuppressionReason::Manual,
        source: SuppressionSource::Api,
        note: None,
        created_at: START,
        expires_at: None,
    }
}

#[tokio::test]
async fn memory_denies_what_has_no_rule_and_knows_after_a_restart_what_has() {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    assert!(!backend.may_cover(&phone("+4520123456")));
    let rule = rule(Coverage::prefix(None, "+4520").unwrap());
    backend.add(vec![rule.clone()]).await.unwrap();
    let mut backend = backend;
    for _ in 0..2 {
        assert!(backend.may_cover(&phone("+4520123456")));
        assert!(!backend.may_cover(&phone("+4521123456")));
        let elsewhere = SuppressedAddress { mode: Mode::Test, ..phone("+4520123456") };
        assert!(!backend.may_cover(&elsewhere));
        assert_eq!(backend.covering(&phone("+4520123456")).await.unwrap(), std::slice::from_ref(&rule));
        backend.close().await;
        backend = open(directory.path()).await;
    }
}

#[tokio::test]
async fn a_rule_that_was_deleted_is_forgotten_at_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    let rule = rule(Coverage::exactly(Channel::Sms, "+4520123456"));
    backend.add(vec![rule.clone()]).await.unwrap();
    assert!(
        backend
            .delete(hermes_domain::tenant::TenantScope::new(tenant(1), Mode::Live), rule.id, None)
            .await
            .unwrap()
    );
    assert!(backend.covering(&phone("+4520123456")).await.unwrap().is_empty());
    backend.close().await;
    assert!(!open(directory.path()).await.may_cover(&phone("+4520123456")));
}
