//! Operators' API keys.

mod create;
mod delete;
mod list;

use serde_json::json;

use super::keys::key::{KeyCreated, KeyView};
use crate::{
    operation::{Need, Operation},
    router::Routes,
};

pub(super) fn routes(routes: &mut Routes) {
    let body = json!({
        "type": "object", "additionalProperties": false, "required": ["name", "role"],
        "properties": {
            "name": { "type": "string", "minLength": 1, "maxLength": 200 },
            "role": { "enum": ["viewer", "operator", "admin"],
                "description": "viewer: every GET. operator: also holds, releases, kills, checks, suspends, resumes. admin: everything." },
            "expires_at": { "type": ["string", "null"], "format": "date-time" },
        },
    });
    let create = Operation::post(
        Need::Admin,
        "/admin/v1/keys",
        "createOperatorKey",
        "Make an operator's key; it is shown once",
    )
    .body("OperatorKeyRequest", body)
    .reply::<KeyCreated>(201, "Made.");
    routes.add(create, create::create);
    let list =
        Operation::get(Need::Viewer, "/admin/v1/keys", "listOperatorKeys", "Operators' keys, newest first");
    routes.add(list.paged().list::<KeyView>("A page."), list::list);
    let delete = Operation::delete(
        Need::Admin,
        "/admin/v1/keys/{key}",
        "deleteOperatorKey",
        "Revoke an operator's key at once",
    )
    .details(
        "The last key with the role admin that works stays (409 `conflict`): nobody could make another one.",
    );
    routes.add(delete.plain(204, "Revoked.", None), delete::delete);
}
