//! Tenants.

mod create;
mod delete;
mod list;
mod policy;
mod read;
mod suspend;
mod tenant;
mod update;

use serde_json::{Value, json};

use crate::{
    operation::{Need, Operation, reference},
    router::Routes,
};
use tenant::TenantView;

pub(super) use tenant::find;

fn body(required: &[&str]) -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": required,
        "properties": {
            "name": { "type": "string", "minLength": 1, "maxLength": 200 },
            "default_cascade": {
                "oneOf": [reference("Cascade"), { "type": "string", "pattern": "^csc_" }, { "type": "null" }],
                "description": "Used by messages that name no cascade. Null: they must name one.",
            },
            "policy": policy::policy_schema(),
        },
    })
}

pub(super) fn routes(routes: &mut Routes) {
    let create = Operation::post(Need::Admin, "/admin/v1/tenants", "createTenant", "Make a tenant")
        .body("TenantRequest", body(&["name"]))
        .reply::<TenantView>(201, "Made.");
    routes.add(create, create::create);
    let list = Operation::get(Need::Viewer, "/admin/v1/tenants", "listTenants", "Tenants, newest first");
    routes.add(list.paged().list::<TenantView>("A page."), list::list);
    let read = Operation::get(Need::Viewer, "/admin/v1/tenants/{id}", "getTenant", "A tenant");
    routes.add(read.reply::<TenantView>(200, "The tenant."), read::read);
    let update = Operation::patch(Need::Admin, "/admin/v1/tenants/{id}", "updateTenant", "Change a tenant")
        .body("TenantUpdate", body(&[]))
        .versioned(false)
        .reply::<TenantView>(200, "Changed.");
    routes.add(update, update::update);
    let delete = Operation::delete(
        Need::Admin,
        "/admin/v1/tenants/{id}",
        "deleteTenant",
        "Remove a tenant with its keys, endpoints, cascades and own connections; one with messages on their way must be suspended first, and they are cancelled",
    );
    routes.add(delete.versioned(false).plain(204, "Removed.", None), delete::delete);
    let suspend = Operation::post(
        Need::Operator,
        "/admin/v1/tenants/{id}/suspend",
        "suspendTenant",
        "Refuse a tenant's sends",
    );
    routes.add(suspend.reply::<TenantView>(200, "Suspended."), suspend::suspend);
    let resume = Operation::post(
        Need::Operator,
        "/admin/v1/tenants/{id}/resume",
        "resumeTenant",
        "Take a tenant's sends again",
    );
    routes.add(resume.reply::<TenantView>(200, "Resumed."), suspend::resume);
}
