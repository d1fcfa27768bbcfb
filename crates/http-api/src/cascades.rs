//! Stored cascades.

mod create;
mod delete;
mod list;
mod read;
mod replace;
mod stored;
mod versions;

use serde_json::json;

use crate::{
    messages::cascade_schema,
    operation::{Need, Operation},
    router::Routes,
};

use stored::CascadeView;

pub(crate) fn routes(routes: &mut Routes) {
    let mut body = cascade_schema();
    body["properties"]["name"] = json!({ "type": "string", "minLength": 1, "maxLength": 100 });
    body["required"] = json!(["name", "steps"]);
    let create = Operation::post(
        Need::Manage,
        "/v1/cascades",
        "createCascade",
        "Store a cascade that messages may name",
    )
    .body("StoredCascadeRequest", body.clone())
    .body_schema("Cascade", cascade_schema())
    .reply::<CascadeView>(201, "Stored.");
    routes.add(create, create::create);
    let list = Operation::get(Need::Read, "/v1/cascades", "listCascades", "Stored cascades, newest first");
    routes.add(list.paged().list::<CascadeView>("A page."), list::list);
    let read = Operation::get(Need::Read, "/v1/cascades/{id}", "getCascade", "A stored cascade");
    routes.add(read.reply::<CascadeView>(200, "The cascade."), read::read);
    let replace = Operation::put(
        Need::Manage,
        "/v1/cascades/{id}",
        "replaceCascade",
        "Store a new version of a cascade and activate it",
    )
    .body("StoredCascadeRequest", body)
    .versioned(true)
    .reply::<CascadeView>(200, "Replaced. Messages that run keep their plan.");
    routes.add(replace, replace::replace);
    let delete =
        Operation::delete(Need::Manage, "/v1/cascades/{id}", "deleteCascade", "Delete a stored cascade");
    routes.add(
        delete.versioned(false).plain(204, "Deleted. Messages that run keep their plan.", None),
        delete::delete,
    );
    versions::routes(routes);
}
