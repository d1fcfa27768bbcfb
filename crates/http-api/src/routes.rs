//! Tenants' rules for routing.

mod create;
mod delete;
mod list;
mod read;
mod replace;
mod route;

use crate::{operation::Need, operation::Operation, router::Routes};

use route::{RouteView, route_schema};

pub(crate) fn routes(routes: &mut Routes) {
    let create = Operation::post(
        Need::Manage, "/v1/routes",
        "createRoute",
        "Add a rule: which connections carry which messages. The first that fits counts; steps that name their providers ask none",
    )
    .body("RouteRequest", route_schema())
    .reply::<RouteView>(201, "Added.");
    routes.add(create, create::create);
    let list = Operation::get(Need::Read, "/v1/routes", "listRoutes", "Rules for routing, newest first");
    routes.add(list.paged().list::<RouteView>("A page."), list::list);
    let read = Operation::get(Need::Read, "/v1/routes/{id}", "getRoute", "A rule");
    routes.add(read.reply::<RouteView>(200, "The rule."), read::read);
    let replace = Operation::put(Need::Manage, "/v1/routes/{id}", "replaceRoute", "Replace a rule")
        .body("RouteRequest", route_schema())
        .versioned(true)
        .reply::<RouteView>(200, "Replaced. Messages that run keep their plan.");
    routes.add(replace, replace::replace);
    let delete = Operation::delete(Need::Manage, "/v1/routes/{id}", "deleteRoute", "Delete a rule");
    routes.add(
        delete.versioned(false).plain(204, "Deleted. Messages that run keep their plan.", None),
        delete::delete,
    );
}
