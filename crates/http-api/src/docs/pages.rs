//! The guides that the server shows. They are files of `docs/`, where people read them too.

/// A guide.
#[derive(Debug)]
pub(super) struct Page {
    /// Its last segment below `/docs`, and its file's name without `.md`.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// Markdown.
    pub(super) source: &'static str,
}

macro_rules! page {
    ($name:literal, $title:literal, $file:literal) => {
        Page { name: $name, title: $title, source: include_str!(concat!("../../../../docs/", $file)) }
    };
}

/// Every guide, in the order in which a newcomer reads them.
pub(super) const ALL: &[Page] = &[
    page!("quick-start", "Quick start", "tenants/quick-start.md"),
    page!("cascades", "Cascades", "tenants/cascades.md"),
    page!("templates", "Templates", "templates.md"),
    page!("batches", "Batches", "batches.md"),
    page!("senders", "Senders", "senders.md"),
    page!("receipts", "Receipts and events", "tenants/receipts.md"),
    page!("webhooks", "Webhooks", "webhooks.md"),
    page!("suppressions", "Suppressions", "suppressions.md"),
    page!("errors", "Errors", "tenants/errors.md"),
];
