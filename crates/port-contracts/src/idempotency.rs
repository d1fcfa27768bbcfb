//! What every keeper of idempotency keys does.

/// Makes a test of every behaviour in this suite.
#[macro_export]
macro_rules! idempotency_contract {
    ($make:path) => {
        $crate::behaviours!($make, idempotency:
            a_saved_reply_is_found,
            a_key_is_saved_once,
            keys_of_tenants_and_modes_are_apart,
            an_expired_key_is_not_found_and_may_be_taken,
            of_parallel_saves_exactly_one_wins,
        );
    };
}

use futures::future::join_all;
use hermes_domain::{UnixMillis, message::Mode};
use hermes_ports::{
    StoreError,
    idempotency::{Claim, StoredReply},
};
use hermes_testkit::{START, tenant};

use crate::Ports;

/// Neither a paused nor a real clock gets there.
const FAR: UnixMillis = UnixMillis(4_102_444_800_000);

fn claim(key: &str) -> Claim {
    Claim {
        tenant: tenant(1),
        mode: Mode::Live,
        key: key.into(),
        fingerprint: [9; 32],
        result: StoredReply {
            status: 201,
            body: r#"{"id":"whk_1"}"#.into(),
            location: Some("/v1/webhooks/whk_1".into()),
            etag: Some("\"1\"".into()),
        }
        .into(),
        expires_at: FAR,
    }
}

async fn found(ports: &Ports, of: &Claim) -> Option<Claim> {
    ports.claims.find(of.tenant, of.mode, &of.key, START).await.unwrap()
}

/// A stored reply comes back whole.
pub async fn a_saved_reply_is_found(ports: &Ports) {
    assert_eq!(found(ports, &claim("k")).await, None);
    ports.claims.save(claim("k")).await.unwrap();
    assert_eq!(found(ports, &claim("k")).await, Some(claim("k")));
    assert_eq!(found(ports, &claim("k#1")).await, None);
}

/// The first reply stays.
pub async fn a_key_is_saved_once(ports: &Ports) {
    ports.claims.save(claim("k")).await.unwrap();
    let other = Claim { fingerprint: [1; 32], ..claim("k") };
    let taken = ports.claims.save(other).await;
    assert!(matches!(taken, Err(StoreError::ClaimTaken)), "{taken:?}");
    assert_eq!(found(ports, &claim("k")).await, Some(claim("k")));
}

/// Nobody meets another one's keys.
pub async fn keys_of_tenants_and_modes_are_apart(ports: &Ports) {
    ports.claims.save(claim("k")).await.unwrap();
    ports.claims.save(Claim { tenant: tenant(2), ..claim("k") }).await.unwrap();
    ports.claims.save(Claim { mode: Mode::Test, ..claim("k") }).await.unwrap();
    let third = Claim { tenant: tenant(3), ..claim("k") };
    assert_eq!(found(ports, &third).await, None);
}

/// A key that was forgotten can be used anew.
pub async fn an_expired_key_is_not_found_and_may_be_taken(ports: &Ports) {
    let expired = Claim { expires_at: START, ..claim("k") };
    ports.claims.save(expired.clone()).await.unwrap();
    assert_eq!(found(ports, &expired).await, None);
    ports.claims.save(claim("k")).await.unwrap();
    assert_eq!(found(ports, &claim("k")).await, Some(claim("k")));
}

/// Two requests with one key race.
pub async fn of_parallel_saves_exactly_one_wins(ports: &Ports) {
    let results = join_all((0..20).map(|_| ports.claims.save(claim("k")))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
}
