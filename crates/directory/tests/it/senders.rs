//! Senders in the directory.

use std::{collections::BTreeMap, sync::Arc};

use hermes_directory::{Directory, DirectoryError, DirectoryKeys};
use hermes_domain::{
    SenderId, TenantId, UnixMillis,
    address::Channel,
    message::Mode,
    policy::TenantPolicy,
    sender::{EmailIdentity, Identity, Sender},
    tenant::{Tenant, TenantScope},
};
use hermes_ports::{Registry, registry::RecordKind};

use crate::memory_registry::MemoryRegistry;

const NOW: UnixMillis = UnixMillis(1_767_323_045_678);

async fn open(registry: &Arc<MemoryRegistry>) -> Arc<Directory> {
    let keys = DirectoryKeys { hash_key: [1; 32], credentials_key: [2; 32], previous_credentials_key: None };
    Directory::open(Arc::clone(registry) as Arc<dyn Registry>, keys).await.unwrap()
}

fn scope(tenant: u128, mode: Mode) -> TenantScope {
    TenantScope::new(TenantId::new(NOW, tenant), mode)
}

fn mail(number: u128, TenantScope { tenant, mode }: TenantScope, identity: &str) -> Sender {
    Sender {
        id: SenderId::new(NOW, number),
        tenant,
        mode,
        description: String::new(),
        identity: Identity::Email(EmailIdentity::new(identity.into())),
        status_reason: None,
        created_at: NOW,
        updated_at: NOW,
    }
}

fn found(directory: &Directory, scope: TenantScope, named: &str) -> Option<SenderId> {
    let named = BTreeMap::from([(Channel::Email, named.to_owned())]);
    directory.read(|all| all.senders_named(scope, &named)).get(&Channel::Email).map(|sender| sender.id)
}

#[tokio::test]
async fn the_most_exact_sender_of_its_owner_is_found_again_after_a_restart() {
    let registry = Arc::new(MemoryRegistry::default());
    let (one, other) = (scope(1, Mode::Live), scope(2, Mode::Live));
    let directory = open(&registry).await;
    directory.create_sender(mail(1, one, "acme.example")).await.unwrap();
    directory.create_sender(mail(2, one, "news@mail.acme.example")).await.unwrap();
    directory.create_sender(mail(3, other, "acme.example")).await.unwrap();
    let taken = directory.create_sender(mail(4, one, "acme.example")).await;
    assert!(matches!(taken, Err(DirectoryError::NameTaken)), "{taken:?}");
    for directory in [directory, open(&registry).await] {
        let id = |number| Some(SenderId::new(NOW, number));
        assert_eq!(found(&directory, one, "News <NEWS@mail.acme.example>"), id(2));
        assert_eq!(found(&directory, one, "shop@mail.acme.example"), id(1));
        assert_eq!(found(&directory, other, "news@mail.acme.example"), id(3));
        assert_eq!(found(&directory, scope(1, Mode::Test), "shop@acme.example"), None);
        assert_eq!(found(&directory, one, "shop@notacme.example"), None);
    }
}

#[tokio::test]
async fn a_name_is_free_again_and_a_tenant_takes_its_senders_along() {
    let registry = Arc::new(MemoryRegistry::default());
    let directory = open(&registry).await;
    let (live, test) = (scope(1, Mode::Live), scope(1, Mode::Test));
    let tenant = Tenant {
        id: live.tenant,
        name: "acme".into(),
        suspended: false,
        default_cascade: None,
        policy: TenantPolicy::default(),
        created_at: NOW,
    };
    directory.create_tenant(tenant).await.unwrap();
    directory.create_sender(mail(1, live, "acme.example")).await.unwrap();
    let strange = directory.delete_sender(test, SenderId::new(NOW, 1), None).await;
    assert!(matches!(strange, Err(DirectoryError::NotFound)), "{strange:?}");
    directory.delete_sender(live, SenderId::new(NOW, 1), None).await.unwrap();
    directory.create_sender(mail(2, live, "acme.example")).await.unwrap();
    directory.create_sender(mail(3, test, "acme.example")).await.unwrap();
    directory.delete_tenant(live.tenant).await.unwrap();
    assert_eq!(registry.all(RecordKind::Sender).await.unwrap(), vec![]);
    assert_eq!(found(&directory, live, "a@acme.example"), None);
}
