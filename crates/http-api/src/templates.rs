//! Message templates: content with gaps, per language, in numbered versions.

mod activate;
mod body;
mod content;
mod create;
mod create_version;
mod delete;
mod document;
mod list;
mod list_versions;
mod preview;
mod read;
mod read_version;
mod rendering;
mod replace;
mod view;

use crate::{
    operation::{Need, Operation},
    router::Routes,
};

pub(crate) use document::use_schema;
pub(crate) use rendering::{Rendering, locale_of};

use document::{body_schema, preview_schema};
use preview::Preview;
use view::{TemplateSummary, TemplateView, VersionSummary, VersionView};

pub(crate) fn routes(routes: &mut Routes) {
    let path = "/v1/templates";
    let create = Operation::post(
        Need::Manage,
        path,
        "createTemplate",
        "Store a template that messages may be made from",
    )
    .body("TemplateRequest", body_schema(&["name"]))
    .reply::<TemplateView>(201, "Stored as version 1, which is active.");
    routes.add(create, create::create);
    let list =
        Operation::get(Need::Read, path, "listTemplates", "Templates without their texts, newest first");
    routes.add(list.paged().list::<TemplateSummary>("A page."), list::list);
    let path = "/v1/templates/{id}";
    let read = Operation::get(Need::Read, path, "getTemplate", "A template with its active version");
    routes.add(read.reply::<TemplateView>(200, "The template."), read::read);
    let replace = Operation::put(
        Need::Manage,
        path,
        "replaceTemplate",
        "Store a new version of a template and activate it",
    )
    .body("TemplateRequest", body_schema(&["name"]))
    .versioned(true)
    .reply::<TemplateView>(200, "Replaced. Messages that were accepted keep their content.");
    routes.add(replace, replace::replace);
    let delete =
        Operation::delete(Need::Manage, path, "deleteTemplate", "Delete a template with all versions");
    let gone = "Deleted. Messages that were accepted keep their content.";
    routes.add(delete.versioned(false).plain(204, gone, None), delete::delete);
    let preview = Operation::post(
        Need::Manage,
        "/v1/templates/{id}/preview",
        "previewTemplate",
        "Render without sending",
    )
    .read_only()
    .body("TemplatePreviewRequest", preview_schema())
    .reply::<Preview>(200, "What each channel would get.");
    routes.add(preview, preview::preview);
    versions(routes);
}

fn versions(routes: &mut Routes) {
    let path = "/v1/templates/{id}/versions";
    let create =
        Operation::post(Need::Manage, path, "createTemplateVersion", "Store another version of a template")
            .body("TemplateVersionRequest", body_schema(&["activate"]))
            .versioned(false)
            .reply::<VersionView>(201, "Stored, or the newest version if it says the same.");
    routes.add(create, create_version::create);
    let list = Operation::get(
        Need::Read,
        path,
        "listTemplateVersions",
        "Versions without their texts, newest first",
    );
    routes.add(list.paged().list::<VersionSummary>("A page."), list_versions::list);
    let path = "/v1/templates/{id}/versions/{version}";
    let read = Operation::get(Need::Read, path, "getTemplateVersion", "A version of a template");
    routes.add(read.reply::<VersionView>(200, "The version."), read_version::read);
    let path = "/v1/templates/{id}/versions/{version}/activate";
    let activate =
        Operation::post(Need::Manage, path, "activateTemplateVersion", "Make messages from this version")
            .versioned(false)
            .reply::<TemplateView>(200, "Active. Messages that were accepted keep their content.");
    routes.add(activate, activate::activate);
}
