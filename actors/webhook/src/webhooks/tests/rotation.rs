//! Signatures while a secret rotates, with the directory that the product has.

use hermes_directory::{Directory, DirectoryKeys, ROTATION_OVERLAP_MS};
use hermes_domain::{TenantId, message::Mode};
use hermes_ports::Clock as _;
use hermes_testkit::MemoryBackend;

use super::*;

const KEYS: DirectoryKeys =
    DirectoryKeys { hash_key: [1; 32], credentials_key: [2; 32], previous_credentials_key: None };

struct Rotating {
    webhooks: Webhooks,
    outbox: Arc<FakeOutbox>,
    egress: Arc<FakeEgress>,
    _root: Supervised,
}

impl Rotating {
    async fn start(directory: Arc<Directory>, clock: Arc<TokioClock>) -> Self {
        let (outbox, egress) = (Arc::new(FakeOutbox::default()), Arc::new(FakeEgress::new()));
        let ports = Ports { outbox: outbox.clone(), egress: egress.clone(), endpoints: directory, clock };
        let webhooks = Webhooks::new(ports, Options::default());
        let backoff = Backoff::try_new(Duration::from_millis(1), Duration::from_secs(1)).unwrap();
        let budget = RestartBudget::new(5, Duration::from_secs(60), backoff);
        let root = StaticSupervisor::start("root", budget, vec![webhooks.supervisor()]).await.unwrap();
        Self { webhooks, outbox, egress, _root: root }
    }

    /// The signature header of a new delivery, and which of `secrets` it is signed with, in its order.
    async fn signed_with(&self, number: u128, secrets: &[&String]) -> Vec<usize> {
        let entries = vec![entry(1, number)];
        self.outbox.commit(&entries);
        self.webhooks.notify(entries);
        while self.outbox.row(endpoint(1), event(number)).status != DeliveryStatus::Delivered {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let post = self.egress.posts.lock().last().unwrap().clone();
        let timestamp_s = post.header("webhook-timestamp").parse().unwrap();
        let id = event(number).to_string();
        let sign = |secret: &String| signatures(std::slice::from_ref(secret), &id, timestamp_s, &post.body);
        let known: Vec<_> = secrets.iter().map(|secret| sign(secret).unwrap()).collect();
        let found = post.header("webhook-signature").split(' ');
        found.map(|signature| known.iter().position(|one| one == signature).unwrap()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn both_secrets_sign_until_the_overlap_ends_and_then_the_new_one_alone() {
    let clock = TokioClock::new();
    let directory = Directory::open(MemoryBackend::new(), KEYS).await.unwrap();
    let made = Endpoint {
        id: endpoint(1),
        tenant: TenantId::from_u128(1),
        mode: Mode::Live,
        url: "https://tenant.test/1".to_owned(),
        event_types: Vec::new(),
        description: None,
        disabled: false,
        disabled_reason: None,
        created_at: clock.now(),
    };
    let (_, old) = directory.create_endpoint(made).await.unwrap();
    let world = Rotating::start(Arc::clone(&directory), clock.clone()).await;
    assert_eq!(world.signed_with(1, &[&old]).await, [0]);
    let rotated_at = clock.now();
    let (_, new) = directory.rotate_secret(endpoint(1), rotated_at).await.unwrap();
    assert_eq!(world.signed_with(2, &[&old, &new]).await, [1, 0], "the new one first");
    tokio::time::sleep(Duration::from_millis(ROTATION_OVERLAP_MS - 60_000)).await;
    assert_eq!(world.signed_with(3, &[&old, &new]).await, [1, 0]);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(clock.now().since(rotated_at) >= ROTATION_OVERLAP_MS);
    assert_eq!(world.signed_with(4, &[&old, &new]).await, [1], "the old one is gone");
}
