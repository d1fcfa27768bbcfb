//! Templates as their tenant sees them.

use hermes_directory::{TemplateEntry, TemplateVersion};
use hermes_domain::template::TemplateBody;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{api::Api, gate::Caller, problem::Problem};

/// A template with its active version.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Template)]
pub(super) struct TemplateView {
    #[serde(flatten)]
    about: About,
    #[serde(flatten)]
    body: BodyView,
}

/// A template without its texts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TemplateSummary {
    #[serde(flatten)]
    about: About,
    /// Used where there is nothing in the recipient's language.
    default_locale: String,
    /// Languages of the active version.
    locales: Vec<String>,
}

/// A version of a template.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplateVersion)]
pub(super) struct VersionView {
    #[serde(flatten)]
    about: VersionAbout,
    #[serde(flatten)]
    body: BodyView,
}

/// A version without its texts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplateVersionSummary)]
pub(super) struct VersionSummary {
    #[serde(flatten)]
    about: VersionAbout,
    /// Used where there is nothing in the recipient's language.
    default_locale: String,
    /// Its languages.
    locales: Vec<String>,
}

/// What a template is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplateAbout)]
struct About {
    /// Its id.
    id: String,
    /// Unique among the tenant's templates.
    name: String,
    /// `live` or `test`.
    mode: &'static str,
    /// The active version: what messages are made from that name none.
    version: u32,
    /// The newest version.
    latest_version: u32,
    /// When it was made.
    created_at: String,
    /// Last change.
    updated_at: String,
}

/// What a version is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplateVersionAbout)]
struct VersionAbout {
    /// From 1.
    version: u32,
    /// Whether messages are made from it that name no version.
    active: bool,
    /// Its size, in bytes of JSON.
    bytes: usize,
    /// When it was made.
    created_at: String,
}

/// What a version says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplateBody)]
struct BodyView {
    /// Used where there is nothing in the recipient's language.
    default_locale: String,
    /// What may stand in the gaps.
    #[schema(value_type = Vec<Object>)]
    variables: Value,
    /// Content per language.
    #[schema(value_type = Object)]
    locales: Value,
}

impl TemplateView {
    pub(super) fn of(entry: &TemplateEntry) -> Result<Self, Problem> {
        Ok(Self { about: About::of(entry), body: BodyView::of(active(entry)?) })
    }
}

impl TemplateSummary {
    pub(super) fn of(entry: &TemplateEntry) -> Self {
        let body = entry.body(entry.template.active);
        Self {
            about: About::of(entry),
            default_locale: body.map(|body| body.default_locale.to_string()).unwrap_or_default(),
            locales: body.map(|body| tags(body)).unwrap_or_default(),
        }
    }
}

impl VersionView {
    /// Version `number`; not found where there is none.
    pub(super) fn of(entry: &TemplateEntry, number: u32) -> Result<Self, Problem> {
        let body = entry.body(number).ok_or_else(Problem::not_found)?;
        let version = entry.template.versions.iter().find(|version| version.number == number);
        let version = version.ok_or_else(Problem::not_found)?;
        Ok(Self { about: VersionAbout::of(entry, version), body: BodyView::of(body) })
    }
}

impl VersionSummary {
    pub(super) fn of(entry: &TemplateEntry, version: &TemplateVersion) -> Self {
        let body = entry.body(version.number);
        Self {
            about: VersionAbout::of(entry, version),
            default_locale: body.map(|body| body.default_locale.to_string()).unwrap_or_default(),
            locales: body.map(|body| tags(body)).unwrap_or_default(),
        }
    }
}

impl About {
    fn of(entry: &TemplateEntry) -> Self {
        let template = &entry.template;
        Self {
            id: template.id.to_string(),
            name: template.name.clone(),
            mode: template.mode.as_str(),
            version: template.active,
            latest_version: newest(entry),
            created_at: template.created_at.rfc3339(),
            updated_at: template.updated_at.rfc3339(),
        }
    }
}

impl VersionAbout {
    fn of(entry: &TemplateEntry, version: &TemplateVersion) -> Self {
        Self {
            version: version.number,
            active: version.number == entry.template.active,
            bytes: version.bytes,
            created_at: version.created_at.rfc3339(),
        }
    }
}

impl BodyView {
    fn of(body: &TemplateBody) -> Self {
        // Their stored form is the API's.
        let shown = |value: serde_json::Result<Value>| value.unwrap_or_default();
        Self {
            default_locale: body.default_locale.to_string(),
            variables: shown(serde_json::to_value(&body.variables)),
            locales: shown(serde_json::to_value(&body.locales)),
        }
    }
}

fn tags(body: &TemplateBody) -> Vec<String> {
    body.locales.keys().map(ToString::to_string).collect()
}

fn active(entry: &TemplateEntry) -> Result<&TemplateBody, Problem> {
    entry.body(entry.template.active).map(|body| &**body).ok_or_else(Problem::not_found)
}

/// Number of the newest version.
pub(super) fn newest(entry: &TemplateEntry) -> u32 {
    entry.template.versions.last().map_or(0, |version| version.number)
}

/// A template by the id in a path, if it is the caller's.
pub(super) fn find(api: &Api, caller: &Caller, id: &str) -> Result<TemplateEntry, Problem> {
    let id = id.parse().map_err(|_| Problem::not_found())?;
    api.directory().template(caller.scope(), id).ok_or_else(Problem::not_found)
}
