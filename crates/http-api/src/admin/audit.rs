//! Who did what.

mod entry;
mod list;
mod verify;

use serde_json::json;

use crate::{
    audit::described,
    operation::{Need, Operation},
    router::Routes,
};
use entry::EntryView;

pub(super) fn routes(routes: &mut Routes) {
    let list = Operation::get(
        Need::Viewer,
        "/admin/v1/audit",
        "listAudit",
        "What operators did and tenants changed, newest first",
    )
    .query("actor_kind", "By operators, or by tenants' keys.", json!({ "enum": ["operator", "tenant"] }))
    .query("tenant", "By keys of this tenant.", json!({ "type": "string" }));
    let list = described(list, "To this: an id, or a path such as `tenants/tnt_…`.");
    routes.add(list.list::<EntryView>("A page."), list::list);
    let verify = Operation::get(
        Need::Viewer,
        "/admin/v1/audit/verify",
        "verifyAudit",
        "Whether every entry is as it was written",
    );
    routes.add(verify.reply::<verify::VerdictView>(200, "What the chain of hashes shows."), verify::verify);
}
