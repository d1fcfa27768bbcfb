//! Message templates and their versions.

use std::sync::Arc;

use hermes_directory::{
    Activate, Directory, DirectoryError, TEMPLATE_VERSIONS_MAX, TEMPLATES_MAX, TemplateChange, TemplateEntry,
};
use hermes_domain::{
    TemplateId, content::Content, message::Mode, template::TemplateBody, tenant::TenantScope,
};
use hermes_ports::{Registry as _, registry::RecordKind};

use crate::directory::{NOW, open, reopened, tenant_id};

fn owner() -> TenantScope {
    TenantScope::new(tenant_id(1), Mode::Live)
}

fn id(number: u128) -> TemplateId {
    TemplateId::new(NOW, number)
}

fn body(text: &str) -> TemplateBody {
    let da: hermes_domain::locale::Locale = "da".parse().unwrap();
    let content = Content { text: Some(text.to_owned()), ..Content::default() };
    TemplateBody { default_locale: da.clone(), variables: Vec::new(), locales: [(da, content)].into() }
}

async fn create(directory: &Directory, number: u128, name: &str) -> Result<TemplateEntry, DirectoryError> {
    directory.create_template(owner(), (id(number), name.to_owned()), body("1"), NOW).await
}

async fn change(
    directory: &Directory,
    change: TemplateChange,
    expected: Option<u64>,
) -> Result<TemplateEntry, DirectoryError> {
    directory.change_template(owner(), id(1), change, expected, NOW).await
}

fn said(entry: &TemplateEntry, number: u32) -> String {
    entry.body(number).unwrap().locales.values().next().unwrap().text.clone().unwrap()
}

fn another(text: &str, activate: Activate) -> TemplateChange {
    TemplateChange { name: None, body: Some(body(text)), activate }
}

#[tokio::test]
async fn versions_are_kept_and_one_is_active() {
    let (registry, directory) = open().await;
    let made = create(&directory, 1, "a").await.unwrap();
    assert_eq!((made.template.active, said(&made, 1)), (1, "1".to_owned()));
    let second = change(&directory, another("2", Activate::Unchanged), Some(made.version)).await.unwrap();
    assert_eq!((second.template.active, second.template.versions.len()), (1, 2));
    let stale = change(&directory, another("3", Activate::Newest), Some(made.version)).await;
    assert!(matches!(stale, Err(DirectoryError::Conflict)));
    let active = TemplateChange { activate: Activate::Version(2), ..TemplateChange::default() };
    change(&directory, active, Some(second.version)).await.unwrap();
    let none = TemplateChange { activate: Activate::Version(3), ..TemplateChange::default() };
    assert!(matches!(change(&directory, none, None).await, Err(DirectoryError::NotFound)));

    let stored = reopened(&registry).await.template(owner(), id(1)).unwrap();
    assert_eq!((stored.template.active, said(&stored, 1), said(&stored, 2)), (2, "1".into(), "2".into()));
    assert!(stored.body(0).is_none() && stored.body(3).is_none());
}

#[tokio::test]
async fn the_same_body_makes_no_version_and_a_change_of_name_writes_none() {
    let (registry, directory) = open().await;
    create(&directory, 1, "a").await.unwrap();
    let same = TemplateChange { name: Some("b".into()), body: Some(body("1")), activate: Activate::Newest };
    let entry = change(&directory, same, None).await.unwrap();
    assert_eq!((entry.template.name.as_str(), entry.template.versions.len()), ("b", 1));
    assert_eq!(registry.all(RecordKind::TemplateVersion).await.unwrap()[0].version, 1);
}

#[tokio::test]
async fn names_are_unique_per_owner_and_found_by() {
    let (_, directory) = open().await;
    create(&directory, 1, "a").await.unwrap();
    assert!(matches!(create(&directory, 2, "a").await, Err(DirectoryError::NameTaken)));
    create(&directory, 2, "b").await.unwrap();
    let rename = TemplateChange { name: Some("b".into()), ..TemplateChange::default() };
    assert!(matches!(change(&directory, rename, None).await, Err(DirectoryError::NameTaken)));
    let test = TenantScope::new(tenant_id(1), Mode::Test);
    directory.create_template(test, (id(3), "a".into()), body("1"), NOW).await.unwrap();
    let named = |owner, name: &str| {
        directory.read(|snapshot| snapshot.template_named(owner, name).map(|entry| entry.template.id))
    };
    assert_eq!((named(owner(), "a"), named(test, "a"), named(test, "b")), (Some(id(1)), Some(id(3)), None));
    assert!(directory.template(test, id(1)).is_none(), "an id is nothing without its owner");
    let rename = TemplateChange { name: Some("c".into()), ..TemplateChange::default() };
    change(&directory, rename, None).await.unwrap();
    assert_eq!((named(owner(), "a"), named(owner(), "c")), (None, Some(id(1))));
}

#[tokio::test]
async fn deleting_a_template_deletes_what_it_said() {
    let (registry, directory) = open().await;
    let made = create(&directory, 1, "a").await.unwrap();
    change(&directory, another("2", Activate::Unchanged), None).await.unwrap();
    let stale = directory.delete_template(owner(), id(1), Some(made.version)).await;
    assert!(matches!(stale, Err(DirectoryError::Conflict)));
    directory.delete_template(owner(), id(1), None).await.unwrap();
    assert_eq!(registry.all(RecordKind::TemplateVersion).await.unwrap(), []);
    assert!(matches!(directory.delete_template(owner(), id(1), None).await, Err(DirectoryError::NotFound)));
    create(&directory, 2, "a").await.unwrap();
}

#[tokio::test]
async fn a_version_whose_template_was_never_written_is_not_seen_and_not_in_the_way() {
    let (registry, directory) = open().await;
    create(&directory, 1, "a").await.unwrap();
    let mut lost = registry.all(RecordKind::TemplateVersion).await.unwrap().remove(0);
    lost.id = lost.id.replace(".1.", ".2.");
    registry.put(lost, None).await.unwrap();
    let directory = reopened(&registry).await;
    let entry = change(&directory, another("2", Activate::Newest), None).await.unwrap();
    assert_eq!((entry.template.versions.len(), said(&entry, 2)), (2, "2".to_owned()));
}

#[tokio::test]
async fn there_is_a_most_of_versions_and_of_templates() {
    let (_, directory) = open().await;
    create(&directory, 1, "a").await.unwrap();
    for number in 2..=TEMPLATE_VERSIONS_MAX {
        change(&directory, another(&number.to_string(), Activate::Unchanged), None).await.unwrap();
    }
    let full = change(&directory, another("more", Activate::Unchanged), None).await;
    assert!(matches!(full, Err(DirectoryError::Full { most: TEMPLATE_VERSIONS_MAX, .. })));
    for number in 2..=TEMPLATES_MAX as u128 {
        create(&directory, number, &number.to_string()).await.unwrap();
    }
    assert!(matches!(
        create(&directory, 0, "more").await,
        Err(DirectoryError::Full { most: TEMPLATES_MAX, .. })
    ));
}

#[tokio::test]
async fn all_versions_together_have_a_most_of_bytes() {
    let (_, directory) = open().await;
    let large = "x".repeat(7 * 1024 * 1024);
    for number in 1..=4 {
        let made =
            directory.create_template(owner(), (id(number), number.to_string()), body(&large), NOW).await;
        assert!(made.is_ok(), "{number}");
    }
    let full = directory.create_template(owner(), (id(5), "5".into()), body(&large), NOW).await;
    assert!(matches!(full, Err(DirectoryError::Full { what: "bytes of templates", .. })));
    directory.delete_template(owner(), id(1), None).await.unwrap();
    directory.create_template(owner(), (id(5), "5".into()), body(&large), NOW).await.unwrap();
    let shared = directory.snapshot();
    let (one, two) = (shared.template(owner(), id(5)), directory.template(owner(), id(5)));
    assert!(Arc::ptr_eq(&one.unwrap().bodies, &two.unwrap().bodies), "snapshots share what versions say");
}
