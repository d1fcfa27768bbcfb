//! What providers tell about messages.

mod account;
mod apply;
mod inbound;
mod parked;
mod receive;
mod refusal;

pub use parked::ParkedReceipts;

use crate::{
    operation::{Need, Operation},
    router::Routes,
};

pub(crate) fn routes(routes: &mut Routes) {
    let path = "/receipts/{provider}/{connection}";
    let post = Operation::post(
        Need::Open,
        path,
        "receiveReceipt",
        "A provider's callback; verified by its signature",
    );
    routes.add(
        post.plain(200, "What the provider expects.", Some("*/*")).plain(204, "Taken.", None),
        receive::receive,
    );
    let get = Operation::get(
        Need::Open,
        path,
        "verifyReceiptEndpoint",
        "A provider's handshake, or a callback by GET",
    );
    routes.add(
        get.plain(200, "What the provider expects.", Some("*/*")).plain(204, "Taken.", None),
        receive::receive,
    );
}
