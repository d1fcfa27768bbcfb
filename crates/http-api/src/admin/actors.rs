//! The live supervision tree. Ids hold slashes: they may come encoded or plain.

mod actor;
mod kill;
mod list;
mod read;

use crate::{
    operation::{Need, Operation},
    router::Routes,
};
use actor::ActorShown;

pub(super) fn routes(routes: &mut Routes) {
    let list =
        Operation::get(Need::Viewer, "/admin/v1/actors", "listActors", "The actors, parents before children");
    routes.add(list.list::<ActorShown>("The tree."), list::list);
    let read =
        Operation::get(Need::Viewer, "/admin/v1/actors/{*id}", "getActor", "An actor's view of itself");
    routes.add(read.reply::<ActorShown>(200, "The actor."), read::read);
    let kill = Operation::post(
        Need::Operator,
        "/admin/v1/actors/{*id}",
        "killActor",
        "`…/{id}/kill`: end an actor to prove that it recovers",
    );
    routes.add(kill.reply::<kill::Killed>(202, "It was told to end."), kill::kill);
}
