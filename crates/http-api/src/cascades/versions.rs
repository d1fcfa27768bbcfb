//! Versions of stored cascades: numbered from 1, never changed, one of them active.

mod activate;
mod create;
mod list;
mod read;

use hermes_directory::{CascadeTemplate, CascadeVersion};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::stored::CascadeView;
use crate::{
    messages::cascade_schema,
    operation::{Need, Operation},
    router::Routes,
};

pub(super) fn routes(routes: &mut Routes) {
    let mut body = cascade_schema();
    body["properties"]["activate"] =
        json!({ "type": ["boolean", "null"], "default": false, "description": "Make it the active one." });
    let path = "/v1/cascades/{id}/versions";
    let create =
        Operation::post(Need::Manage, path, "createCascadeVersion", "Store another version of a cascade")
            .body("CascadeVersionRequest", body)
            .versioned(false)
            .reply::<VersionView>(201, "Stored, or the newest version if it says the same.");
    routes.add(create, create::create);
    let list = Operation::get(Need::Read, path, "listCascadeVersions", "Versions of a cascade, newest first");
    routes.add(list.paged().list::<VersionView>("A page."), list::list);
    let path = "/v1/cascades/{id}/versions/{version}";
    let read = Operation::get(Need::Read, path, "getCascadeVersion", "A version of a cascade");
    routes.add(read.reply::<VersionView>(200, "The version."), read::read);
    let path = "/v1/cascades/{id}/versions/{version}/activate";
    let activate =
        Operation::post(Need::Manage, path, "activateCascadeVersion", "Let messages run under this version")
            .versioned(false)
            .reply::<CascadeView>(200, "Active. Messages that run keep their plan.");
    routes.add(activate, activate::activate);
}

/// A version of a stored cascade.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CascadeVersion)]
struct VersionView {
    /// From 1.
    version: u32,
    /// Whether messages run under it that name no version.
    active: bool,
    /// Steps and policies, as stored.
    #[schema(value_type = Object)]
    cascade: Value,
    /// When it was made.
    created_at: String,
}

impl VersionView {
    fn of(stored: &CascadeTemplate, version: &CascadeVersion) -> Self {
        Self {
            version: version.number,
            active: version.number == stored.active,
            cascade: version.cascade.clone(),
            created_at: version.created_at.rfc3339(),
        }
    }
}
