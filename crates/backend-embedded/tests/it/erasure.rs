//! What is personal is never in a file in plain text, and gone for good once its recipient is erased.

use std::{io::Write as _, path::Path, process::Stdio, sync::Arc};

use hermes_backend_embedded::{EmbeddedBackend, EmbeddedOptions, OpenError};
use hermes_domain::{
    EndpointId, InboundId, MessageId, SuppressionId, TenantId, UnixMillis,
    address::{Channel, Recipient},
    content::Content,
    message::{Envelope, Mode},
    recipient_address::RecipientAddress,
    suppression::{Coverage, Suppression, SuppressionReason, SuppressionSource},
    tenant::TenantScope,
};
use hermes_ports::{
    CascadeStore as _, Erasure as _, Idempotency as _, InboundLog as _, MessageLog, Outbox as _,
    Suppressions as _,
    cascade_store::Commit,
    idempotency::{Claim, StoredReply},
    inbound_log::{InboundEntry, InboundMeaning, InboundQuery},
    kill_point,
    message_log::MessageQuery,
    outbox::OutboxEntry,
    suppressions::SuppressedAddress,
};
use hermes_testkit::{START, Story, envelope, tenant};
use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};

use crate::{child, open};

const PHONE: &str = "+4520987654";
const EMAIL: &str = "planted@example.dk";
const TEXT: &str = "planted content";
const AT: UnixMillis = UnixMillis(1_767_400_000_000);

fn live(tenant: TenantId) -> TenantScope {
    TenantScope::new(tenant, Mode::Live)
}

fn phone() -> RecipientAddress {
    RecipientAddress::wanted(PHONE)
}

fn planted() -> Arc<Envelope> {
    let content = Content { text: Some(TEXT.into()), ..Content::default() };
    let planted = envelope().to_phone(PHONE).to_email(EMAIL).tag("order").sms().email();
    planted
        .with(|envelope| {
            envelope.content = content;
            envelope.metadata.insert("name".into(), "planted name".into());
        })
        .build()
}

async fn sent(backend: &EmbeddedBackend, envelope: &Arc<Envelope>) -> MessageId {
    let story = Story::of(envelope).accepted_as("SM1");
    backend.commit(story.create()).await.unwrap();
    envelope.id
}

async fn listed(backend: &EmbeddedBackend, tenant: TenantId, to: &str) -> Vec<MessageId> {
    let query = MessageQuery {
        tenant,
        mode: Mode::Live,
        status: None,
        channel: None,
        tag: None,
        to: Some(to.into()),
        created_after: None,
        created_before: None,
        before: None,
        limit: 250,
    };
    MessageLog::list(backend, query).await.unwrap().iter().map(|stored| stored.envelope.id).collect()
}

/// The files of the store in which `wanted` is found.
fn files_with(directory: &Path, wanted: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let bytes = std::fs::read(entry.path()).unwrap();
        if bytes.windows(wanted.len()).any(|window| window == wanted) {
            found.push(entry.file_name().into_string().unwrap());
        }
    }
    found
}

/// Every key that is wrapped in the files now.
fn wrapped_keys(directory: &Path) -> Vec<Vec<u8>> {
    let db = Connection::open(directory.join("keys.db")).unwrap();
    let mut select = db.prepare("SELECT wrapped FROM data_key WHERE wrapped IS NOT NULL").unwrap();
    let keys = select.query_map([], |row| row.get(0)).unwrap();
    keys.map(Result::unwrap).collect()
}

fn assert_nothing_is_plain(directory: &Path) {
    for text in [&PHONE[1..], EMAIL, TEXT, "planted"] {
        assert_eq!(files_with(directory, text.as_bytes()), Vec::<String>::new(), "{text} is readable");
    }
}

async fn assert_erased(backend: &EmbeddedBackend, id: MessageId) {
    let stored = backend.load(id).await.unwrap().unwrap();
    let envelope = &stored.envelope;
    assert_eq!((envelope.erased_at, &envelope.tags), (Some(AT), &vec!["order".to_owned()]));
    assert!(envelope.to == Recipient::default() && envelope.content == Content::default());
    assert!(envelope.metadata.is_empty());
    assert_eq!(stored.state.attempts.len(), 1, "attempts stay");
    for to in [PHONE, EMAIL] {
        assert_eq!(listed(backend, tenant(1), to).await, [], "{to}");
    }
}

#[tokio::test]
async fn nothing_personal_is_in_plain_text_and_an_erasure_leaves_no_key() {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    let first = sent(&backend, &planted()).await;
    backend.merge_terms().await.unwrap();
    let second = sent(&backend, &planted()).await;
    assert_nothing_is_plain(directory.path());
    assert_eq!(listed(&backend, tenant(1), PHONE).await, [second, first]);
    assert_eq!(listed(&backend, tenant(1), "Planted@Example.dk").await, [second, first]);
    assert!(backend.load(first).await.unwrap().unwrap().envelope.content.text.as_deref() == Some(TEXT));

    let before = wrapped_keys(directory.path());
    let scope = live(tenant(1));
    assert_eq!(backend.open_messages(scope, &phone(), None, 10).await.unwrap(), [second, first]);
    let erased = backend.erase(scope, &phone(), AT).await.unwrap();
    assert_eq!((erased.messages, erased.open), (2, vec![second, first]));
    let after = wrapped_keys(directory.path());
    let destroyed: Vec<&Vec<u8>> = before.iter().filter(|key| !after.contains(key)).collect();
    assert_eq!(destroyed.len(), 1, "the key of the phone, and of nothing else");
    assert_eq!(files_with(directory.path(), destroyed[0]), Vec::<String>::new(), "its bytes are overwritten");
    let again = backend.erase(scope, &phone(), AT).await.unwrap();
    assert_eq!(again.messages, 0);
    assert_erased(&backend, first).await;
    backend.close().await;
    let backend = open(directory.path()).await;
    assert_erased(&backend, first).await;
    assert_erased(&backend, second).await;
}

#[tokio::test]
async fn an_erasure_concerns_one_address_of_one_tenant_up_to_now() {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    let own = sent(&backend, &planted()).await;
    let elsewhere = envelope().tenant(tenant(2)).to_phone(PHONE).tag("order").build();
    let elsewhere = sent(&backend, &elsewhere).await;
    let to_another =
        sent(&backend, &envelope().to_phone("+4520111111").to_email("b@example.dk").build()).await;
    backend.erase(live(tenant(1)), &RecipientAddress::wanted(EMAIL), AT).await.unwrap();
    assert_erased(&backend, own).await;
    let again = sent(&backend, &planted()).await;
    backend.close().await;
    let backend = open(directory.path()).await;
    assert_eq!(listed(&backend, tenant(1), EMAIL).await, [again]);
    assert_eq!(listed(&backend, tenant(1), "+4520111111").await, [to_another]);
    assert_eq!(listed(&backend, tenant(2), PHONE).await, [elsewhere]);
    // Found by its phone, whose key stays, it is compared with what can be read of it.
    assert_eq!(listed(&backend, tenant(1), PHONE).await, [again]);
    assert_eq!(backend.load(own).await.unwrap().unwrap().envelope.erased_at, Some(AT));
}

#[tokio::test]
async fn a_push_token_is_erased_like_every_other_address() {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    let id = sent(&backend, &planted()).await;
    let erased = backend.erase(live(tenant(1)), &RecipientAddress::push("a-token"), AT).await.unwrap();
    assert_eq!(erased.messages, 1);
    assert_erased(&backend, id).await;
}

fn stop(id: u128) -> Suppression {
    Suppression {
        id: SuppressionId::new(START, id),
        tenant: tenant(1),
        mode: Mode::Live,
        covers: Coverage::exactly(Channel::Sms, PHONE),
        channel: Some(Channel::Sms),
        sender: None,
        reason: SuppressionReason::OptOut,
        source: SuppressionSource::Inbound,
        note: Some("planted note".into()),
        created_at: START,
        expires_at: None,
    }
}

#[tokio::test]
async fn a_stop_outlives_the_erasure_of_who_said_it_without_naming_them() {
    let directory = tempfile::tempdir().unwrap();
    let mut backend = open(directory.path()).await;
    backend.add(vec![stop(1)]).await.unwrap();
    sent(&backend, &planted()).await;
    let scope = live(tenant(1));
    assert_eq!(backend.erase(scope, &phone(), AT).await.unwrap().suppressions, 1);
    assert_nothing_is_plain(directory.path());
    // Said once more after that, and erased once more: still one rule.
    backend.add(vec![stop(2)]).await.unwrap();
    assert_eq!(backend.erase(scope, &phone(), AT).await.unwrap().suppressions, 1);
    let of = SuppressedAddress {
        tenant: tenant(1),
        mode: Mode::Live,
        channel: Channel::Sms,
        address: PHONE.into(),
    };
    for _ in 0..2 {
        assert!(backend.may_cover(&of));
        let rules = backend.covering(&of).await.unwrap();
        assert_eq!(rules, [Suppression { note: None, ..stop(2) }]);
        let other = SuppressedAddress { address: "+4520111111".into(), ..of.clone() };
        assert!(!backend.may_cover(&other) && backend.covering(&other).await.unwrap().is_empty());
        backend.close().await;
        backend = open(directory.path()).await;
    }
    backend.lift(of.clone(), None).await.unwrap();
    assert!(backend.covering(&of).await.unwrap().is_empty(), "START lifts it");
}

#[tokio::test]
async fn stored_replies_that_name_the_address_are_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    let claim = |key: &str, body: &str| Claim {
        tenant: tenant(1),
        mode: Mode::Live,
        key: key.into(),
        fingerprint: [0; 32],
        result: StoredReply { status: 201, body: body.into(), location: None, etag: None }.into(),
        expires_at: UnixMillis(u64::MAX >> 1),
    };
    backend.save(claim("naming", "{\"address\":\"Planted@example.dk\"}")).await.unwrap();
    backend.save(claim("other", "{\"address\":\"b@example.dk\"}")).await.unwrap();
    backend.erase(live(tenant(1)), &RecipientAddress::wanted(EMAIL), AT).await.unwrap();
    assert!(backend.find(tenant(1), Mode::Live, "naming", START).await.unwrap().is_none());
    assert!(backend.find(tenant(1), Mode::Live, "other", START).await.unwrap().is_some());
    assert_eq!(files_with(directory.path(), b"Planted@example.dk"), Vec::<String>::new());
}

#[tokio::test]
async fn webhooks_about_the_messages_lose_their_metadata_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    let (message, endpoint) = (planted(), EndpointId::new(START, 1));
    let entry = |message: &Envelope, name: &str| OutboxEntry {
        endpoint,
        event: message.id.event_id(3),
        message: Some(message.id),
        event_type: "message.delivered",
        body: format!(
            r#"{{"type":"message.delivered","data":{{"tags":["order"],"metadata":{{"name":"{name}"}}}}}}"#
        ),
        created_at: START,
    };
    let other = envelope().to_phone("+4520111111").with(|other| other.to.push.clear());
    let other = other.to_email("b@example.dk").build();
    for (message, name) in [(&message, "planted name"), (&other, "Bo")] {
        let outbox = vec![entry(message, name)];
        backend.commit(Commit { outbox, ..Story::of(message).create() }).await.unwrap();
    }
    backend.erase(live(tenant(1)), &phone(), AT).await.unwrap();
    assert_nothing_is_plain(directory.path());
    let pending = backend.pending(endpoint, 9).await.unwrap();
    let bodies: Vec<&str> = pending.iter().map(|delivery| &*delivery.body).collect();
    let told = |name: &str| {
        format!(r#"{{"type":"message.delivered","data":{{"tags":["order"],"metadata":{name}}}}}"#)
    };
    assert_eq!(bodies, [told("{}"), told(r#"{"name":"Bo"}"#)]);
}

const CHILD: &str = "erasure::child_that_erases_until_it_is_killed";

#[tokio::test]
#[ignore = "started by the test below"]
async fn child_that_erases_until_it_is_killed() {
    kill_point::arm_from_env();
    let backend = open(&child::directory()).await;
    backend.add(vec![stop(1)]).await.unwrap();
    let id = sent(&backend, &planted()).await;
    std::io::stdout().write_all(format!("sent {}\n", id.as_u128()).as_bytes()).unwrap();
    backend.erase(live(tenant(1)), &phone(), AT).await.unwrap();
}

#[tokio::test]
async fn an_erasure_on_record_is_finished_after_kill_9() {
    for point in kill_point::ERASURE {
        let directory = tempfile::tempdir().unwrap();
        let hits = directory.path().join("hits");
        let mut command = child::command(CHILD, directory.path());
        command.env("HERMES_KILL_POINT", format!("{point}:1:{}", hits.display())).stdout(Stdio::piped());
        let output = command.output().unwrap();
        assert_eq!(std::fs::read_to_string(&hits).unwrap().trim(), point, "it ended there");
        let output = String::from_utf8(output.stdout).unwrap();
        let id = output.lines().find_map(|line| line.split_once("sent ")).unwrap().1;
        let backend = open(directory.path()).await;
        assert_erased(&backend, MessageId::from_u128(id.parse().unwrap())).await;
        assert_eq!(backend.erase(live(tenant(1)), &phone(), AT).await.unwrap().messages, 0);
        backend.close().await;
        assert_nothing_is_plain(directory.path());
        let db = Connection::open(directory.path().join("keys.db")).unwrap();
        let destroyed = "SELECT count(*) FROM data_key WHERE wrapped IS NULL";
        assert_eq!(db.query_row(destroyed, [], |row| row.get::<_, i64>(0)).unwrap(), 1, "{point}");
    }
}

/// The store as an earlier build left it: messages in plain text, found by plain hashes.
fn as_earlier_builds_did(directory: &Path, envelope: &Envelope) {
    let db = Connection::open(directory.join("hermes.db")).unwrap();
    let json = serde_json::to_vec(envelope).unwrap();
    let key = envelope.id.storage_key();
    assert_eq!(db.execute("UPDATE message SET envelope = ?2 WHERE key = ?1", params![key, json]).unwrap(), 1);
    db.execute_batch(
        "DELETE FROM recipient; DELETE FROM term;
         UPDATE plain_envelope SET next = 0, until = (SELECT max(key) + 1 FROM message);
         UPDATE term_horizon SET horizon = 0;",
    )
    .unwrap();
    db.execute("INSERT INTO term VALUES (?1, ?2)", [plain_term(PHONE), key]).unwrap();
}

fn plain_term(address: &str) -> i64 {
    let mut hash = Sha256::new();
    let owner = [&tenant(1).as_u128().to_be_bytes()[..], &[0]].concat();
    for part in [&b"to"[..], &owner, address.as_bytes()] {
        hash.update(u32::try_from(part.len()).unwrap().to_be_bytes());
        hash.update(part);
    }
    i64::from_be_bytes(hash.finalize()[..8].try_into().unwrap())
}

#[tokio::test]
async fn messages_of_earlier_builds_are_read_sealed_and_erased() {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    let message = planted();
    sent(&backend, &message).await;
    backend.close().await;
    as_earlier_builds_did(directory.path(), &message);

    let backend = open(directory.path()).await;
    assert_eq!(listed(&backend, tenant(1), PHONE).await, [message.id]);
    assert!(*backend.load(message.id).await.unwrap().unwrap().envelope == *message);
    backend.upkeep().await.unwrap();
    assert_eq!(listed(&backend, tenant(1), PHONE).await, [message.id]);
    assert!(*backend.load(message.id).await.unwrap().unwrap().envelope == *message);
    backend.close().await;
    assert_nothing_is_plain(directory.path());
    let db = Connection::open(directory.path().join("hermes.db")).unwrap();
    let left = db.query_row("SELECT count(*) FROM term WHERE term = ?1", [plain_term(PHONE)], |row| {
        row.get::<_, i64>(0)
    });
    assert_eq!(left.unwrap(), 0, "nobody can try addresses against the index");
    drop(db);
    as_earlier_builds_did(directory.path(), &message);
    let backend = open(directory.path()).await;
    assert_eq!(backend.erase(live(tenant(1)), &phone(), AT).await.unwrap().messages, 1);
    assert_erased(&backend, message.id).await;
}

#[tokio::test]
async fn without_its_keys_a_store_does_not_open() {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    sent(&backend, &planted()).await;
    backend.close().await;
    let other = Arc::new(hermes_sealing::Cipher::new(&[9; 32], None));
    let options = EmbeddedOptions { credentials: other, ..EmbeddedOptions::new(directory.path()) };
    assert!(matches!(EmbeddedBackend::open(options).await, Err(OpenError::Vault(_))));
    let keys = directory.path().join("keys.db");
    let kept = directory.path().join("kept");
    std::fs::copy(&keys, &kept).unwrap();
    std::fs::remove_file(&keys).unwrap();
    let refused = EmbeddedBackend::open(EmbeddedOptions::new(directory.path())).await;
    assert!(matches!(refused, Err(OpenError::KeysMissing)));
    // More new recipients than the file has spare keys for: the copy is older than the newest message.
    std::fs::copy(&kept, &keys).unwrap();
    let backend = open(directory.path()).await;
    for number in 0..260 {
        sent(&backend, &envelope().to_email(&format!("a{number}@example.dk")).build()).await;
    }
    backend.close().await;
    std::fs::copy(&kept, &keys).unwrap();
    let refused = EmbeddedBackend::open(EmbeddedOptions::new(directory.path())).await;
    assert!(matches!(refused, Err(OpenError::KeysMissing)));
}

#[tokio::test]
async fn a_new_credentials_key_takes_over_the_vault() {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    let id = sent(&backend, &planted()).await;
    backend.close().await;
    for (current, previous) in [([7; 32], Some([0; 32])), ([7; 32], None)] {
        let credentials = Arc::new(hermes_sealing::Cipher::new(&current, previous.as_ref()));
        let options = EmbeddedOptions { credentials, ..EmbeddedOptions::new(directory.path()) };
        let backend = EmbeddedBackend::open(options).await.unwrap();
        let envelope = backend.load(id).await.unwrap().unwrap().envelope;
        assert!(envelope.content.text.as_deref() == Some(TEXT));
        backend.close().await;
    }
}

#[tokio::test]
async fn what_an_erased_recipient_wrote_is_forgotten_and_what_others_wrote_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    for (number, from) in [(1_u8, PHONE), (2, "+4520111111")] {
        let entry = InboundEntry {
            id: InboundId::new(AT, number.into()),
            scope: live(tenant(1)),
            channel: Channel::Sms,
            from: from.to_owned(),
            to: None,
            meaning: InboundMeaning::Message,
            connection: hermes_testkit::connection(1),
            message: None,
            received_at: AT,
        };
        backend.keep(entry, [number; 32]).await.unwrap();
    }
    backend.erase(live(tenant(1)), &phone(), AT).await.unwrap();
    let query = InboundQuery {
        scope: live(tenant(1)),
        from: None,
        channel: None,
        created_after: None,
        before: None,
        limit: 9,
    };
    let left: Vec<_> = backend.newest(query).await.unwrap().into_iter().map(|entry| entry.from).collect();
    assert_eq!(left, ["+4520111111"]);
}
