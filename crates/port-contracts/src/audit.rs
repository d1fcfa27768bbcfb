//! What every audit log does.

/// Makes a test of every behaviour in this suite.
#[macro_export]
macro_rules! audit_contract {
    ($make:path) => {
        $crate::behaviours!($make, audit:
            entries_come_back_as_they_were_and_chained,
            parallel_entries_make_one_chain,
            lists_are_newest_first_filtered_and_paged,
            what_tenants_do_is_told_apart_and_counted,
            an_empty_log_holds,
        );
    };
}

use futures::future::join_all;
use hermes_domain::{UnixMillis, message::Mode, tenant::TenantScope};
use hermes_ports::audit::{
    ActorKind, AuditCounts, AuditEntry, AuditEvent, AuditHead, AuditPhase, AuditQuery, GENESIS, link, verify,
};
use hermes_testkit::{START, tenant};

use crate::Ports;

fn event(actor: &str, action: &str, target: &str, at: UnixMillis, phase: AuditPhase) -> AuditEvent {
    AuditEvent {
        at,
        actor: actor.to_owned(),
        role: "admin".to_owned(),
        owner: None,
        action: action.to_owned(),
        target: target.to_owned(),
        request_id: "req_1".to_owned(),
        counts: AuditCounts::new(),
        phase,
    }
}

async fn append(ports: &Ports, event: AuditEvent) -> AuditEntry {
    ports.audit.append(event).await.unwrap()
}

/// Nothing that was said is lost, and the head is the newest entry.
pub async fn entries_come_back_as_they_were_and_chained(ports: &Ports) {
    let intent = event("key_1", "createTenant", "tenants", START, AuditPhase::Intent);
    let first = append(ports, intent.clone()).await;
    assert_eq!(first, AuditEntry { sequence: 1, hash: link(&GENESIS, 1, &intent), event: intent });
    let phase = AuditPhase::Outcome { intent: Some(1), status: 201 };
    let done = event("key_1", "createTenant", "tenants/tnt_1", START.plus_ms(3), phase);
    let second = append(ports, done.clone()).await;
    assert_eq!(second, AuditEntry { sequence: 2, hash: link(&first.hash, 2, &done), event: done });
    let refused = AuditPhase::Outcome { intent: None, status: 403 };
    let third = append(ports, event("key_2", "killActor", "actors/root", START, refused)).await;
    let head = AuditHead { sequence: 3, hash: third.hash };
    assert_eq!(ports.audit.head().await.unwrap(), Some(head));
    assert_eq!(ports.audit.after(0, 10).await.unwrap(), [first, second.clone(), third]);
    assert_eq!(ports.audit.after(1, 1).await.unwrap(), [second]);
    let verdict = verify(&*ports.audit).await.unwrap();
    assert_eq!((verdict.entries, verdict.head, verdict.broken), (3, Some(head), None));
}

/// Two operators at once.
pub async fn parallel_entries_make_one_chain(ports: &Ports) {
    let intent =
        |number| event(&format!("key_{number}"), "holdProvider", "providers", START, AuditPhase::Intent);
    join_all((0..50).map(|number| append(ports, intent(number)))).await;
    let verdict = verify(&*ports.audit).await.unwrap();
    assert_eq!((verdict.entries, verdict.broken), (50, None));
}

/// As operators look for something.
pub async fn lists_are_newest_first_filtered_and_paged(ports: &Ports) {
    for (number, (actor, action, target)) in (0..).zip([
        ("key_1", "createTenant", "tenants/tnt_1"),
        ("key_2", "createKey", "tenants/tnt_1/keys/key_9"),
        ("key_1", "createKey", "tenants/tnt_12/keys/key_8"),
        ("key_1", "holdProvider", "providers/prv_1/hold"),
    ]) {
        append(ports, event(actor, action, target, START.plus_s(number), AuditPhase::Intent)).await;
    }
    let all = AuditQuery { limit: 10, ..AuditQuery::default() };
    let text = |text: &str| Some(text.to_owned());
    for (query, wanted) in [
        (all.clone(), vec![4, 3, 2, 1]),
        (AuditQuery { actor: text("key_1"), ..all.clone() }, vec![4, 3, 1]),
        (AuditQuery { action: text("createKey"), ..all.clone() }, vec![3, 2]),
        (AuditQuery { target: text("tnt_1"), ..all.clone() }, vec![2, 1]),
        (AuditQuery { target: text("tenants/tnt_1"), ..all.clone() }, vec![2, 1]),
        (AuditQuery { since: Some(START.plus_s(2)), ..all.clone() }, vec![4, 3]),
        (AuditQuery { before: Some(3), ..all.clone() }, vec![2, 1]),
        (AuditQuery { limit: 1, ..all.clone() }, vec![4, 3]),
    ] {
        let found = ports.audit.list(query.clone()).await.unwrap();
        let numbers: Vec<_> = found.iter().map(|entry| entry.sequence).collect();
        assert_eq!(numbers, wanted, "{query:?}");
    }
}

/// Whose key it was, in which mode, and how much it concerned.
pub async fn what_tenants_do_is_told_apart_and_counted(ports: &Ports) {
    let plain = event("key_1", "importSuppressions", "suppressions/import", START, AuditPhase::Intent);
    let by = |number, mode| AuditEvent {
        owner: Some(TenantScope::new(tenant(number), mode)),
        role: "manage".to_owned(),
        ..plain.clone()
    };
    let counts = AuditCounts::from([("added".to_owned(), 2), ("rejected".to_owned(), u64::from(u32::MAX))]);
    let counted = AuditEvent { counts, ..by(1, Mode::Live) };
    for event in [plain.clone(), counted.clone(), by(1, Mode::Test), by(2, Mode::Live)] {
        append(ports, event).await;
    }
    assert_eq!(ports.audit.after(1, 1).await.unwrap()[0].event, counted);
    let all = AuditQuery { limit: 10, ..AuditQuery::default() };
    let ours = AuditQuery { tenant: Some(tenant(1)), ..all.clone() };
    for (query, wanted) in [
        (AuditQuery { actor_kind: Some(ActorKind::Operator), ..all.clone() }, vec![1]),
        (AuditQuery { actor_kind: Some(ActorKind::Tenant), ..all.clone() }, vec![4, 3, 2]),
        (AuditQuery { mode: Some(Mode::Live), ..all }, vec![4, 2]),
        (ours.clone(), vec![3, 2]),
        (AuditQuery { mode: Some(Mode::Test), ..ours.clone() }, vec![3]),
        (AuditQuery { actor_kind: Some(ActorKind::Operator), ..ours }, vec![]),
    ] {
        let found = ports.audit.list(query.clone()).await.unwrap();
        let numbers: Vec<_> = found.iter().map(|entry| entry.sequence).collect();
        assert_eq!(numbers, wanted, "{query:?}");
    }
    let verdict = verify(&*ports.audit).await.unwrap();
    assert_eq!((verdict.entries, verdict.broken), (4, None));
}

/// Before anything happened.
pub async fn an_empty_log_holds(ports: &Ports) {
    let verdict = verify(&*ports.audit).await.unwrap();
    assert_eq!((verdict.entries, verdict.head, verdict.broken), (0, None, None));
    assert_eq!(ports.audit.list(AuditQuery { limit: 5, ..AuditQuery::default() }).await.unwrap(), []);
}
