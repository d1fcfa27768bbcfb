//! Tenants' API keys.

mod create;
mod delete;
pub(in crate::admin) mod key;
mod list;

use serde_json::json;

use crate::{
    operation::{Need, Operation},
    router::Routes,
};
pub(super) use create::MODES;
use key::{KeyCreated, KeyView};

pub(super) fn routes(routes: &mut Routes) {
    let body = json!({
        "type": "object", "additionalProperties": false, "required": ["name", "mode"],
        "properties": {
            "name": { "type": "string", "minLength": 1, "maxLength": 200 },
            "mode": { "enum": ["live", "test"] },
            "scopes": { "type": ["array", "null"], "minItems": 1, "maxItems": 3, "items": { "enum": ["send", "read", "manage"] },
                "description": "send: messages, batches, validation, cancel, ack. read: every GET. manage: change webhooks, cascades and the like. Absent: everything." },
            "expires_at": { "type": ["string", "null"], "format": "date-time" },
        },
    });
    let create = Operation::post(
        Need::Admin,
        "/admin/v1/tenants/{id}/keys",
        "createKey",
        "Make a key; it is shown once",
    )
    .body("KeyRequest", body)
    .reply::<KeyCreated>(201, "Made.");
    routes.add(create, create::create);
    let list = Operation::get(Need::Viewer, "/admin/v1/tenants/{id}/keys", "listKeys", "Keys, newest first");
    routes.add(list.paged().list::<KeyView>("A page."), list::list);
    let delete = Operation::delete(
        Need::Admin,
        "/admin/v1/tenants/{id}/keys/{key}",
        "deleteKey",
        "Revoke a key at once",
    );
    routes.add(delete.plain(204, "Revoked.", None), delete::delete);
}
