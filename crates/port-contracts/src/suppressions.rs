//! What every keeper of suppressions does.

/// Makes a test of every behaviour in this suite.
#[macro_export]
macro_rules! suppressions_contract {
    ($make:path) => {
        $crate::behaviours!($make, suppressions:
            the_first_rule_about_an_address_stays,
            tenants_modes_and_channels_are_apart,
            consent_lifts_the_recipients_own_words_alone,
            mail_addresses_compare_without_case,
        );
    };
}

use hermes_domain::{address::Channel, message::Mode};
use hermes_ports::suppressions::{SuppressedAddress, Suppression, SuppressionReason};
use hermes_testkit::{START, tenant};

use crate::Ports;

fn phone() -> SuppressedAddress {
    SuppressedAddress::new(tenant(1), Mode::Live, Channel::Sms, "+4520123456")
}

const fn rule(reason: SuppressionReason) -> Suppression {
    Suppression { reason, since: START }
}

async fn found(ports: &Ports, address: SuppressedAddress) -> Option<SuppressionReason> {
    ports.suppressions.find(address).await.unwrap().map(|rule| rule.reason)
}

/// A second STOP does not make it younger, nor a bounce something else of it.
pub async fn the_first_rule_about_an_address_stays(ports: &Ports) {
    assert_eq!(found(ports, phone()).await, None);
    ports.suppressions.suppress(phone(), rule(SuppressionReason::OptOut)).await.unwrap();
    let later = Suppression { reason: SuppressionReason::HardBounce, since: START.plus_s(9) };
    ports.suppressions.suppress(phone(), later).await.unwrap();
    assert_eq!(ports.suppressions.find(phone()).await.unwrap(), Some(rule(SuppressionReason::OptOut)));
}

/// Nobody's rule touches another tenant, mode or channel.
pub async fn tenants_modes_and_channels_are_apart(ports: &Ports) {
    ports.suppressions.suppress(phone(), rule(SuppressionReason::OptOut)).await.unwrap();
    for other in [
        SuppressedAddress { tenant: tenant(2), ..phone() },
        SuppressedAddress { mode: Mode::Test, ..phone() },
        SuppressedAddress { channel: Channel::Whatsapp, ..phone() },
        SuppressedAddress { address: "+4520123457".to_owned(), ..phone() },
    ] {
        assert_eq!(found(ports, other.clone()).await, None, "{other:?}");
    }
}

/// START does not revive a mailbox, nor does it undo a complaint.
pub async fn consent_lifts_the_recipients_own_words_alone(ports: &Ports) {
    for reason in SuppressionReason::ALL {
        let address = SuppressedAddress { address: reason.as_str().to_owned(), ..phone() };
        ports.suppressions.suppress(address.clone(), rule(reason)).await.unwrap();
        ports.suppressions.consent(address.clone()).await.unwrap();
        let stays = (reason != SuppressionReason::OptOut).then_some(reason);
        assert_eq!(found(ports, address).await, stays);
    }
    ports.suppressions.consent(phone()).await.unwrap();
}

/// As providers and people write them.
pub async fn mail_addresses_compare_without_case(ports: &Ports) {
    let of = |address| SuppressedAddress::new(tenant(1), Mode::Live, Channel::Email, address);
    ports.suppressions.suppress(of("Ada@Example.com"), rule(SuppressionReason::Complaint)).await.unwrap();
    assert_eq!(found(ports, of("ada@example.COM")).await, Some(SuppressionReason::Complaint));
}
