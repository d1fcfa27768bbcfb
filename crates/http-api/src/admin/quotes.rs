//! Offers of carriers and aggregators, to be held against what was paid.

mod create;
mod delete;
mod list;
mod quote;
mod read;
mod replace;

use crate::{
    operation::{Need, Operation},
    router::Routes,
};
use quote::{QuoteView, quote_schema};

pub(super) fn routes(routes: &mut Routes) {
    let create = Operation::post(
        Need::Admin,
        "/admin/v1/quotes",
        "createQuote",
        "Record an offer of a carrier or an aggregator; the report of savings holds it against what was paid",
    )
    .body("QuoteRequest", quote_schema())
    .reply::<QuoteView>(201, "Recorded.");
    routes.add(create, create::create);
    let list = Operation::get(Need::Viewer, "/admin/v1/quotes", "listQuotes", "Offers, newest first");
    routes.add(list.paged().list::<QuoteView>("A page."), list::list);
    let read = Operation::get(Need::Viewer, "/admin/v1/quotes/{id}", "getQuote", "An offer");
    routes.add(read.reply::<QuoteView>(200, "The offer."), read::read);
    let replace = Operation::put(Need::Admin, "/admin/v1/quotes/{id}", "replaceQuote", "Replace an offer")
        .body("QuoteRequest", quote_schema())
        .versioned(true)
        .reply::<QuoteView>(200, "Replaced.");
    routes.add(replace, replace::replace);
    let delete = Operation::delete(Need::Admin, "/admin/v1/quotes/{id}", "deleteQuote", "Delete an offer");
    routes.add(delete.versioned(false).plain(204, "Deleted.", None), delete::delete);
}
