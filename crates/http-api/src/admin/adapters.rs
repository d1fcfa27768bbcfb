//! Adapters: versions, upload, activation.

mod activate;
mod adapter;
mod canary;
mod list;
pub(crate) mod restore;
mod upload;

use serde_json::json;

use crate::{
    operation::{Need, Operation},
    router::Routes,
};
use adapter::AdapterView;

pub(super) fn routes(routes: &mut Routes) {
    let list =
        Operation::get(Need::Viewer, "/admin/v1/adapters", "listAdapters", "Every version of every adapter");
    routes.add(list.list::<AdapterView>("By name, then newest first."), list::list);
    let upload = Operation::post(
        Need::Admin,
        "/admin/v1/adapters/{name}",
        "uploadAdapter",
        "Add a version; it is validated and not yet used",
    )
    .bytes("application/wasm")
    .bytes("application/octet-stream")
    .reply::<AdapterView>(201, "Kept, inactive.");
    routes.add(upload, upload::upload);
    let body = json!({
        "type": "object", "additionalProperties": false, "required": ["version"],
        "properties": { "version": { "type": "string", "pattern": "^[0-9a-f]{16}$" } },
    });
    let activate = Operation::post(
        Need::Admin,
        "/admin/v1/adapters/{name}/activate",
        "activateAdapter",
        "Use a version for new calls",
    )
    .body("AdapterActivation", body)
    .reply::<AdapterView>(200, "Active. Running calls finish on theirs.");
    routes.add(activate, activate::activate);
    let body = json!({
        "type": "object", "additionalProperties": false, "required": ["version", "share_percent"],
        "properties": {
            "version": { "type": "string", "pattern": "^[0-9a-f]{16}$" },
            "share_percent": { "type": "integer", "minimum": 0, "maximum": 100 },
        },
    });
    let canary = Operation::post(
        Need::Admin,
        "/admin/v1/adapters/{name}/canary",
        "observeAdapter",
        "Let a version build a share of the submissions too, without sending them; 0 ends it",
    )
    .body("AdapterCanary", body)
    .reply::<AdapterView>(200, "Observed on this node until a version is activated or the node restarts.");
    routes.add(canary, canary::canary);
}
