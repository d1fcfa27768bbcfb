use std::{collections::BTreeMap, sync::Arc};

use hermes_directory::{
    ConnectionTerms, Directory, DirectoryError, DirectoryKeys, ROTATION_OVERLAP_MS, Rotation, SealError,
};
use hermes_domain::{
    ConnectionId, EndpointId, KeyId, TenantId, UnixMillis,
    access::{Role, Scope, Scopes},
    address::Channel,
    connection::Connection,
    message::Mode,
    policy::TenantPolicy,
    tenant::{ApiKey, DisableReason, Endpoint, KeyOwner, Tenant},
};
use hermes_ports::{Registry, adapter::Secrets, operational_events::Audience, registry::RecordKind};
use serde_json::json;

use crate::memory_registry::MemoryRegistry;

pub(crate) const NOW: UnixMillis = UnixMillis(1_767_323_045_678);
pub(crate) const KEYS: DirectoryKeys =
    DirectoryKeys { hash_key: [1; 32], credentials_key: [2; 32], previous_credentials_key: None };

pub(crate) async fn open() -> (Arc<MemoryRegistry>, Arc<Directory>) {
    let registry = Arc::new(MemoryRegistry::default());
    let directory = Directory::open(Arc::clone(&registry) as Arc<dyn Registry>, KEYS).await.unwrap();
    directory.create_tenant(tenant(1)).await.unwrap();
    (registry, directory)
}

pub(crate) fn tenant_id(number: u128) -> TenantId {
    TenantId::new(UnixMillis(1), number)
}

fn tenant(number: u128) -> Tenant {
    Tenant {
        id: tenant_id(number),
        name: format!("tenant {number}"),
        suspended: false,
        default_cascade: None,
        policy: TenantPolicy::default(),
        created_at: NOW,
    }
}

fn key(number: u128, mode: Mode, expires_at: Option<UnixMillis>) -> ApiKey {
    ApiKey {
        id: KeyId::new(NOW, number),
        owner: KeyOwner::Tenant(tenant_id(1), mode),
        name: "ci".into(),
        scopes: Scopes::named([Scope::Send]),
        role: None,
        hint: None,
        expires_at,
        created_at: NOW,
    }
}

fn connection(number: u128, tenant: Option<TenantId>, name: &str) -> Connection {
    Connection {
        id: ConnectionId::new(NOW, number),
        tenant,
        mode: Mode::Live,
        provider: "twilio".into(),
        name: name.into(),
        channel: Channel::Sms,
        config: BTreeMap::from([("from".to_owned(), json!("ACME"))]),
        rate_per_s: None,
        held: false,
        created_at: NOW,
    }
}

fn credentials() -> Secrets {
    Secrets(BTreeMap::from([("auth_token".to_owned(), "very-secret".to_owned())]))
}

fn endpoint(number: u128) -> Endpoint {
    Endpoint {
        id: EndpointId::new(NOW, number),
        tenant: tenant_id(1),
        mode: Mode::Live,
        url: "https://example.com/hook".into(),
        event_types: Vec::new(),
        description: None,
        disabled: false,
        disabled_reason: None,
        created_at: NOW,
    }
}

pub(crate) async fn reopened(registry: &Arc<MemoryRegistry>) -> Arc<Directory> {
    Directory::open(Arc::clone(registry) as Arc<dyn Registry>, KEYS).await.unwrap()
}

#[tokio::test]
async fn a_key_works_until_it_expires_and_only_its_hash_is_stored() {
    let (registry, directory) = open().await;
    let (_, secret) = directory.create_key(key(1, Mode::Live, Some(NOW.plus_s(60)))).await.unwrap();
    assert!(secret.starts_with("hk_live_"), "live keys say so");
    assert!(directory.create_key(key(2, Mode::Test, None)).await.unwrap().1.starts_with("hk_test_"));

    let principal = directory.authenticate(&secret, NOW).unwrap();
    assert_eq!(principal.owner(), KeyOwner::Tenant(tenant_id(1), Mode::Live));
    assert!(principal.may(Scope::Send) && !principal.may(Scope::Manage));
    assert_eq!(directory.authenticate(&secret, NOW.plus_s(60)), None);
    assert_eq!(directory.authenticate("hk_live_guess", NOW), None);
    assert!(!registry.dump().contains(&secret["hk_live_".len()..]));
    assert_eq!(reopened(&registry).await.authenticate(&secret, NOW), Some(principal));
}

#[tokio::test]
async fn an_imported_key_keeps_its_secret_and_may_be_imported_again() {
    let (_, directory) = open().await;
    let operator = |number| ApiKey { owner: KeyOwner::Operator, ..key(number, Mode::Live, None) };
    directory.import_key(operator(1), "hak_given").await.unwrap();
    directory.import_key(operator(2), "hak_given").await.unwrap();
    assert_eq!(directory.authenticate("hak_given", NOW).unwrap().key_id(), KeyId::new(NOW, 1));
    let stolen = directory.import_key(key(3, Mode::Live, None), "hak_given").await;
    assert!(matches!(stolen, Err(DirectoryError::Conflict)));
    directory.delete_key(KeyId::new(NOW, 1)).await.unwrap();
    assert_eq!(directory.authenticate("hak_given", NOW), None);
}

#[tokio::test]
async fn a_key_needs_a_tenant() {
    let (_, directory) = open().await;
    let orphan = ApiKey { owner: KeyOwner::Tenant(tenant_id(9), Mode::Live), ..key(1, Mode::Live, None) };
    assert!(matches!(directory.create_key(orphan).await, Err(DirectoryError::NotFound)));
}

#[tokio::test]
async fn credentials_are_encrypted_at_rest_and_survive_a_restart() {
    let (registry, directory) = open().await;
    let main = connection(1, Some(tenant_id(1)), "main");
    directory.create_connection(main.clone(), ConnectionTerms::default(), credentials()).await.unwrap();
    assert!(!registry.dump().contains("very-secret"));
    assert!(!format!("{directory:?}").contains("very-secret"));

    let access = reopened(&registry).await.access(main.id).unwrap();
    assert_eq!((&*access.connection, &*access.secrets), (&main, &credentials()));
    let other = DirectoryKeys { credentials_key: [3; 32], ..KEYS };
    let refused = Directory::open(registry, other).await;
    assert!(matches!(refused, Err(DirectoryError::Secret { cause: SealError::OtherKey, .. })));
}

#[tokio::test]
async fn connections_change_under_their_version_and_keep_their_credentials() {
    let (_, directory) = open().await;
    let main = connection(1, Some(tenant_id(1)), "main");
    let terms = ConnectionTerms { countries: vec!["DK".into()], ..ConnectionTerms::default() };
    let version = directory.create_connection(main.clone(), terms.clone(), credentials()).await.unwrap();
    let faster = Connection { rate_per_s: Some(50), ..main.clone() };
    directory.update_connection(faster.clone(), terms.clone(), None, Some(version)).await.unwrap();
    let stale = directory.update_connection(faster, terms, None, Some(version)).await;
    assert!(matches!(stale, Err(DirectoryError::Conflict)));
    let access = directory.access(main.id).unwrap();
    assert_eq!((access.connection.rate_per_s, &*access.secrets), (Some(50), &credentials()));
    assert!(directory.read(|snapshot| snapshot.connection(main.id).unwrap().terms.reaches("DK")));

    directory.set_held(main.id, true).await.unwrap();
    assert!(directory.access(main.id).unwrap().connection.held);
    let moved = directory.update_base_urls(|_| Some("http://127.0.0.1:1".into())).await.unwrap();
    assert_eq!(
        (moved, directory.update_base_urls(|_| Some("http://127.0.0.1:1".into())).await.unwrap()),
        (1, 0)
    );
    directory.delete_connection(main.id).await.unwrap();
    assert!(directory.access(main.id).is_none());
    assert!(matches!(directory.delete_connection(main.id).await, Err(DirectoryError::NotFound)));
}

#[tokio::test]
async fn own_connections_come_first_and_names_are_unique_among_them() {
    let (_, directory) = open().await;
    let all = [
        connection(1, None, "shared"),
        connection(3, Some(tenant_id(1)), "second"),
        connection(2, Some(tenant_id(1)), "first"),
        connection(4, Some(tenant_id(2)), "foreign"),
    ];
    for each in all {
        directory.create_connection(each, ConnectionTerms::default(), credentials()).await.unwrap();
    }
    let names = directory.read(|snapshot| {
        snapshot.serving(tenant_id(1), Mode::Live).map(|each| each.name.clone()).collect::<Vec<_>>()
    });
    assert_eq!(names, ["first", "second", "shared"]);
    assert_eq!(directory.read(|snapshot| snapshot.serving(tenant_id(1), Mode::Test).count()), 0);
    let twin = connection(5, Some(tenant_id(1)), "first");
    let refused = directory.create_connection(twin, ConnectionTerms::default(), credentials()).await;
    assert!(matches!(refused, Err(DirectoryError::NameTaken)));
}

#[tokio::test]
async fn both_secrets_sign_for_a_day_after_a_rotation() {
    let (registry, directory) = open().await;
    let (_, first) = directory.create_endpoint(endpoint(1)).await.unwrap();
    let (_, second) = directory.rotate_secret(endpoint(1).id, NOW).await.unwrap();
    assert!(first.starts_with("whsec_") && !registry.dump().contains(&first));
    let entry = reopened(&registry).await.endpoint(endpoint(1).scope(), endpoint(1).id).unwrap();
    let active = |at| entry.secrets.active(at).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(active(NOW.plus_ms(ROTATION_OVERLAP_MS - 1)), [second.clone(), first]);
    assert_eq!(active(NOW.plus_ms(ROTATION_OVERLAP_MS)), [second]);
}

#[tokio::test]
async fn rotating_again_within_the_overlap_silences_no_secret_before_its_time() {
    let (registry, directory) = open().await;
    let (_, first) = directory.create_endpoint(endpoint(1)).await.unwrap();
    let mut made = vec![first];
    for hour in 0..6_u64 {
        let at = NOW.plus_ms(hour * 3_600_000);
        made.insert(0, directory.rotate_secret(endpoint(1).id, at).await.unwrap().1);
    }
    let entry = reopened(&registry).await.endpoint(endpoint(1).scope(), endpoint(1).id).unwrap();
    let active = |at| entry.secrets.active(at).map(str::to_owned).collect::<Vec<_>>();
    // The current one, the one before it and three more: a header has an end.
    assert_eq!(active(NOW.plus_ms(5 * 3_600_000)), made[..5]);
    // The oldest of these was replaced at 02:00, so at 02:00 of the next day four sign.
    assert_eq!(active(NOW.plus_ms(26 * 3_600_000)), made[..4]);
    assert_eq!(active(NOW.plus_ms(29 * 3_600_000)), made[..1]);
}

#[tokio::test]
async fn an_audience_is_a_tenant_or_whoever_may_use_a_connection() {
    let (_, directory) = open().await;
    directory.create_endpoint(endpoint(1)).await.unwrap();
    directory.create_endpoint(Endpoint { tenant: tenant_id(2), ..endpoint(2) }).await.unwrap();
    directory.create_endpoint(Endpoint { mode: Mode::Test, ..endpoint(3) }).await.unwrap();
    let (own, shared) = (connection(1, Some(tenant_id(2)), "own"), connection(2, None, "shared"));
    for connection in [&own, &shared] {
        let terms = ConnectionTerms::default();
        directory.create_connection(connection.clone(), terms, credentials()).await.unwrap();
    }
    let heard = |audience| {
        let mut ids: Vec<_> = directory.audience(audience).iter().map(|each| each.id).collect();
        ids.sort();
        ids
    };
    assert_eq!(heard(Audience::Tenant(tenant_id(1), Mode::Live)), [endpoint(1).id]);
    assert_eq!(heard(Audience::UsersOf(own.id)), [endpoint(2).id]);
    assert_eq!(heard(Audience::UsersOf(shared.id)), [endpoint(1).id, endpoint(2).id]);
    assert_eq!(heard(Audience::UsersOf(ConnectionId::new(NOW, 9))), []);
}

#[tokio::test]
async fn endpoints_are_listed_per_tenant_and_mode() {
    let (_, directory) = open().await;
    for number in [2, 1] {
        directory.create_endpoint(endpoint(number)).await.unwrap();
    }
    directory.create_endpoint(Endpoint { mode: Mode::Test, ..endpoint(3) }).await.unwrap();
    let ids =
        |mode| directory.endpoints_for(tenant_id(1), mode).iter().map(|each| each.id).collect::<Vec<_>>();
    assert_eq!(ids(Mode::Live), [endpoint(1).id, endpoint(2).id]);
    directory.disable_endpoint(endpoint(1).id, DisableReason::Gone).await.unwrap();
    let disabled = Arc::clone(&directory.endpoints_for(tenant_id(1), Mode::Live)[0]);
    assert_eq!((disabled.disabled, disabled.disabled_reason), (true, Some(DisableReason::Gone)));
    let stale = directory.delete_endpoint(endpoint(1).id, Some(1)).await;
    assert!(matches!(stale, Err(DirectoryError::Conflict)));
    directory.delete_endpoint(endpoint(1).id, Some(2)).await.unwrap();
    directory.delete_endpoint(endpoint(2).id, None).await.unwrap();
    assert_eq!((ids(Mode::Live), ids(Mode::Test)), (vec![], vec![endpoint(3).id]));
}

#[tokio::test]
async fn a_failed_write_changes_nothing_and_tells_nobody() {
    let (registry, directory) = open().await;
    let mut changes = directory.subscribe();
    directory.set_suspended(tenant_id(1), true).await.unwrap();
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    registry.break_down();
    assert!(matches!(directory.set_suspended(tenant_id(1), false).await, Err(DirectoryError::Store(_))));
    assert!(directory.tenant(tenant_id(1)).unwrap().suspended);
    assert!(!changes.has_changed().unwrap());
}

#[tokio::test]
async fn a_new_credentials_key_takes_over_from_the_old_one() {
    let (registry, directory) = open().await;
    let main = connection(1, Some(tenant_id(1)), "main");
    directory.create_connection(main.clone(), ConnectionTerms::default(), credentials()).await.unwrap();
    let reopened = |keys| Directory::open(Arc::clone(&registry) as Arc<dyn Registry>, keys);
    let both = DirectoryKeys { credentials_key: [3; 32], previous_credentials_key: Some([2; 32]), ..KEYS };
    let only = DirectoryKeys { credentials_key: [3; 32], ..KEYS };
    assert!(matches!(
        reopened(only.clone()).await,
        Err(DirectoryError::Secret { cause: SealError::OtherKey, .. })
    ));
    let rotating = reopened(both).await.unwrap();
    assert_eq!(rotating.reseal().await.unwrap(), Rotation { resealed: 1, current: 0 });
    assert_eq!(rotating.reseal().await.unwrap(), Rotation { resealed: 0, current: 1 });
    let after = reopened(only).await.unwrap();
    assert_eq!(*after.access(main.id).unwrap().secrets, credentials());
    assert!(reopened(KEYS).await.is_err(), "the old key opens nothing any more");
}

#[tokio::test]
async fn a_made_key_is_recognised_by_its_ends_and_a_given_one_not_at_all() {
    let (_, directory) = open().await;
    let (made, secret) = directory.create_key(key(1, Mode::Live, None)).await.unwrap();
    assert_eq!(made.hint, Some(format!("hk_live_…{}", &secret[secret.len() - 4..])));
    directory.import_key(key(2, Mode::Live, None), "hk_live_short").await.unwrap();
    let hints: Vec<_> =
        directory.snapshot().keys_of(Some(tenant_id(1))).iter().map(|entry| entry.key.hint.clone()).collect();
    assert_eq!(hints, [None, made.hint]);
}

#[tokio::test]
async fn operators_keys_from_before_there_were_roles_are_admins() {
    let stored = r#"{"id":"key_01J0000000000000000000000A","owner":"operator","name":"old","created_at":5}"#;
    let old: ApiKey = serde_json::from_str(stored).unwrap();
    assert_eq!(old.operator_role(), Some(Role::Admin));
    assert_eq!(key(1, Mode::Live, None).operator_role(), None);
}

/// When the only key of tenant 1 was used last.
fn last_used(directory: &Directory) -> Option<UnixMillis> {
    directory.snapshot().keys_of(Some(tenant_id(1)))[0].last_used_at()
}

#[tokio::test]
async fn the_last_use_of_a_key_is_written_at_most_once_a_minute_and_survives_restarts() {
    let (registry, directory) = open().await;
    let (made, secret) = directory.create_key(key(1, Mode::Live, None)).await.unwrap();
    let uses = async || {
        let record = registry.get(RecordKind::KeyUse, &made.id.to_string()).await.unwrap();
        record.map(|record| record.version)
    };
    assert_eq!((directory.record_key_uses(NOW).await.unwrap(), uses().await), (0, None));
    let mut changes = directory.subscribe();
    changes.borrow_and_update();
    directory.authenticate(&secret, NOW);
    directory.authenticate("hk_live_guess", NOW.plus_s(1));
    assert_eq!((last_used(&directory), uses().await), (Some(NOW), None), "requests write nothing");
    assert_eq!((directory.record_key_uses(NOW).await.unwrap(), uses().await), (1, Some(1)));
    directory.authenticate(&secret, NOW.plus_s(59));
    assert_eq!((directory.record_key_uses(NOW.plus_s(59)).await.unwrap(), uses().await), (0, Some(1)));
    assert_eq!((directory.record_key_uses(NOW.plus_s(60)).await.unwrap(), uses().await), (1, Some(2)));
    assert_eq!((directory.record_key_uses(NOW.plus_s(600)).await.unwrap(), uses().await), (0, Some(2)));
    assert!(!changes.has_changed().unwrap(), "nobody is told of a use");
    assert_eq!(last_used(&*reopened(&registry).await), Some(NOW.plus_s(59)));
    directory.authenticate(&secret, NOW.plus_s(70));
    directory.reload().await.unwrap();
    assert_eq!(last_used(&directory), Some(NOW.plus_s(70)), "a reload forgets nothing");
    directory.delete_key(made.id).await.unwrap();
    assert_eq!(uses().await, None);
}

#[tokio::test]
async fn a_key_revoked_elsewhere_is_refused_after_a_reload() {
    let (registry, here) = open().await;
    let (made, secret) = here.create_key(key(1, Mode::Live, None)).await.unwrap();
    let there = reopened(&registry).await;
    assert!(there.authenticate(&secret, NOW).is_some());
    here.delete_key(made.id).await.unwrap();
    there.reload().await.unwrap();
    assert_eq!(there.authenticate(&secret, NOW), None);
}

#[tokio::test]
async fn of_two_admins_who_revoke_each_other_one_stays() {
    let (_, directory) = open().await;
    let admin = |number| ApiKey { owner: KeyOwner::Operator, ..key(number, Mode::Live, None) };
    for number in [1, 2] {
        directory.import_key(admin(number), &format!("hak_{number}")).await.unwrap();
    }
    let revoke = |number| directory.revoke_operator_key(admin(number).id, NOW);
    let (first, second) = tokio::join!(revoke(1), revoke(2));
    assert!(first.is_ok());
    assert!(matches!(second, Err(DirectoryError::LastAdmin)), "{second:?}");
    assert!(directory.authenticate("hak_2", NOW).is_some());
}
