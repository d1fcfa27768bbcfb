//! Messages that have been given up until their expiry, because their actor failed again and again.

mod list;
mod retry;

use crate::{
    operation::{Need, Operation},
    router::Routes,
};

pub(super) fn routes(routes: &mut Routes) {
    let list = Operation::get(
        Need::Viewer,
        "/admin/v1/parked",
        "listParked",
        "Messages whose actor fails again and again, and which rest until their expiry; the newest message first",
    )
    .details("What this process knows since it started; at most 10,000 for each tenant.")
    .reply::<list::ParkedList>(200, "How many there are, and the first 1,000 of them.");
    routes.add(list, list::list);
    let retry = Operation::post(
        Need::Operator,
        "/admin/v1/parked/{message_id}/retry",
        "retryParked",
        "Let a parked message run again; its failures are counted anew",
    );
    routes.add(retry.reply::<retry::Retried>(202, "It runs again."), retry::retry);
}
