//! Tenants' rules for routing.

mod create;
mod delete;
mod list;
mod read;
mod replace;
mod route;

use crate::{operation::Need, operation::Operation, router::Routes};

use route::{RouteView, route_schema};

const RULES: &str = "\
A rule has a condition (`when`), or connections that go first or are not used, or both. The first that fits decides alone, so \
one without a condition silences those behind it, and one without connections is an exception from them. Names are those of \
connections or of their providers. A connection may be made later: a name that nobody has is told in `warnings` and not refused.";

pub(crate) fn routes(routes: &mut Routes) {
    let create = Operation::post(
        Need::Manage, "/v1/routes",
        "createRoute",
        "Add a rule: which connections carry which messages. The first that fits counts; steps that name their providers ask none",
    )
    .details(RULES)
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
