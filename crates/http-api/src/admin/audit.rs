//! Who did what.

mod entry;
mod list;
mod verify;

use serde_json::json;

use crate::{
    operation::{Need, Operation},
    router::Routes,
};
use entry::EntryView;

pub(super) fn routes(routes: &mut Routes) {
    let text = || json!({ "type": "string" });
    let list =
        Operation::get(Need::Viewer, "/admin/v1/audit", "listAudit", "What operators did, newest first")
            .query("actor", "By this key.", text())
            .query("action", "Only this operation.", text())
            .query("target", "To this: an id, or a path such as `tenants/tnt_…`.", text())
            .query("since", "At or after.", json!({ "type": "string", "format": "date-time" }))
            .paged()
            .list::<EntryView>("A page.");
    routes.add(list, list::list);
    let verify = Operation::get(
        Need::Viewer,
        "/admin/v1/audit/verify",
        "verifyAudit",
        "Whether every entry is as it was written",
    );
    routes.add(verify.reply::<verify::VerdictView>(200, "What the chain of hashes shows."), verify::verify);
}
