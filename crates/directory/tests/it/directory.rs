use std::{collections::BTreeMap, sync::Arc};

use hermes_directory::{
    ConnectionTerms, Directory, DirectoryError, DirectoryKeys, ROTATION_OVERLAP_MS, Rotation, SealError,
};
use hermes_domain::{
    ConnectionId, EndpointId, KeyId, TenantId, UnixMillis,
    address::Channel,
    connection::Connection,
    message::Mode,
    tenant::{ApiKey, Endpoint, KeyOwner, Tenant},
};
use hermes_ports::{Registry, adapter::Secrets};
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
        created_at: NOW,
    }
}

fn key(number: u128, mode: Mode, expires_at: Option<UnixMillis>) -> ApiKey {
    ApiKey {
        id: KeyId::new(NOW, number),
        owner: KeyOwner::Tenant(tenant_id(1), mode),
        name: "ci".into(),
        scopes: vec!["messages:send".into()],
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
        created_at: NOW,
    }
}

pub(crate) async fn reopened(registry: &Arc<MemoryRegistry>) -> Arc<Directory> {
    Directory::open(Arc::clone(registry) as Arc<dyn Registry>, KEYS).await.unwrap()
}

#[tokio::test]
async fn a_key_works_until_it_expires_and_only_its_hash_is_stored() {
    let (registry, directory) = open().await;
    let secret = directory.create_key(key(1, Mode::Live, Some(NOW.plus_s(60)))).await.unwrap();
    assert!(secret.starts_with("hk_live_"), "live keys say so");
    assert!(directory.create_key(key(2, Mode::Test, None)).await.unwrap().starts_with("hk_test_"));

    let principal = directory.authenticate(&secret, NOW).unwrap();
    assert_eq!(principal.owner(), KeyOwner::Tenant(tenant_id(1), Mode::Live));
    assert!(principal.may("messages:send") && !principal.may("webhooks:write"));
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
    let second = directory.rotate_secret(endpoint(1).id, NOW).await.unwrap();
    assert!(first.starts_with("whsec_") && !registry.dump().contains(&first));
    let entry = reopened(&registry).await.endpoint(endpoint(1).id).unwrap();
    let active = |at| entry.secrets.active(at).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(active(NOW.plus_ms(ROTATION_OVERLAP_MS - 1)), [second.clone(), first]);
    assert_eq!(active(NOW.plus_ms(ROTATION_OVERLAP_MS)), [second]);
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
    directory.set_endpoint_disabled(endpoint(1).id, true).await.unwrap();
    assert!(directory.endpoints_for(tenant_id(1), Mode::Live)[0].disabled);
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
