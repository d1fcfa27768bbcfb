//! What the service can do for a tenant now.

mod read;

use crate::{
    operation::{Need, Operation},
    router::Routes,
};

pub(crate) fn routes(routes: &mut Routes) {
    let operation =
        Operation::get(Need::Read, "/v1/status", "getStatus", "Channels, providers' state and limits")
            .reply::<read::Status>(200, "The present state.");
    routes.add(operation, read::read);
}
