//! Stored cascades and their versions.

use hermes_directory::{CASCADE_VERSIONS_MAX, CascadeTemplate, DirectoryError};
use hermes_domain::{CascadeTemplateId, message::Mode, tenant::TenantScope};
use hermes_ports::{
    Registry as _,
    registry::{Record, RecordKind},
};
use serde_json::{Value, json};

use crate::directory::{NOW, open, reopened, tenant_id};

fn steps(timeout_s: u32) -> Value {
    json!({ "steps": [{ "channel": "sms", "timeout_s": timeout_s }] })
}

fn cascade() -> CascadeTemplate {
    let id = CascadeTemplateId::new(NOW, 1);
    CascadeTemplate::new(id, TenantScope::new(tenant_id(1), Mode::Live), "default".into(), steps(1), NOW)
}

#[tokio::test]
async fn a_change_needs_the_record_s_version_and_survives_a_restart() {
    let (registry, directory) = open().await;
    let version = directory.create_cascade(cascade()).await.unwrap();
    let (second, number) = cascade().with_version(steps(2), NOW).unwrap();
    let second = second.activated(number, NOW).unwrap();
    assert_eq!((number, &second.cascade, second.active), (2, &steps(2), 2));
    assert_eq!(directory.update_cascade(second.clone(), Some(version)).await.unwrap(), version + 1);
    let stale = directory.update_cascade(second.clone(), Some(version)).await;
    assert!(matches!(stale, Err(DirectoryError::Conflict)));
    let stored = reopened(&registry).await.cascade(second.scope(), second.id).unwrap();
    assert_eq!((&*stored.value, stored.version), (&second, version + 1));
    assert_eq!(stored.value.version(1).unwrap().cascade, steps(1));
    directory.delete_cascade(second.scope(), second.id, Some(version + 1)).await.unwrap();
    assert!(directory.cascade(second.scope(), second.id).is_none());
}

#[tokio::test]
async fn a_record_from_before_versions_is_version_1() {
    let (registry, _) = open().await;
    let CascadeTemplate { id, tenant, .. } = cascade();
    let body = json!({
        "id": id, "tenant": tenant, "mode": "live", "name": "old", "cascade": steps(9),
        "created_at": NOW, "updated_at": NOW,
    });
    let body = body.to_string().into_bytes().into();
    let record =
        Record { kind: RecordKind::CascadeTemplate, id: id.to_string(), body, secret: None, version: 0 };
    registry.put(record, None).await.unwrap();
    let stored = reopened(&registry).await.cascade(cascade().scope(), id).unwrap();
    assert_eq!((stored.value.active, stored.value.versions.len()), (1, 1));
    assert_eq!(stored.value.version(1).unwrap().cascade, steps(9));
}

#[test]
fn versions_are_numbered_bounded_and_only_made_by_a_change() {
    let mut stored = cascade();
    assert_eq!(stored.clone().with_version(steps(1), NOW).unwrap(), (stored.clone(), 1));
    for number in 2..=CASCADE_VERSIONS_MAX {
        let made;
        (stored, made) = stored.with_version(steps(u32::try_from(number).unwrap()), NOW).unwrap();
        assert_eq!(usize::try_from(made).unwrap(), number);
    }
    let full = stored.clone().with_version(steps(9_999), NOW);
    assert!(matches!(full, Err(DirectoryError::Full { most: CASCADE_VERSIONS_MAX, .. })));
    assert!(matches!(stored.clone().activated(201, NOW), Err(DirectoryError::NotFound)));
    assert!(matches!(stored.activated(0, NOW), Err(DirectoryError::NotFound)));
}
