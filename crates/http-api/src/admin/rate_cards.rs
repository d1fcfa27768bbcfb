//! What tenants pay.

mod card;
mod create;
mod delete;
mod list;
mod read;
mod replace;

use crate::{
    operation::{Need, Operation},
    router::Routes,
};
use card::{RateCardView, card_schema};

pub(super) fn routes(routes: &mut Routes) {
    let create = Operation::post(
        Need::Admin,
        "/admin/v1/tenants/{id}/rate_cards",
        "createRateCard",
        "Add a rate card: what a tenant pays from a day on, until a later card begins. It begins today or later, or \
         on a day for which there was none",
    )
    .body("RateCardRequest", card_schema())
    .reply::<RateCardView>(201, "Added.");
    routes.add(create, create::create);
    let list = Operation::get(
        Need::Viewer,
        "/admin/v1/tenants/{id}/rate_cards",
        "listRateCards",
        "Rate cards of a tenant, newest first",
    );
    routes.add(list.paged().list::<RateCardView>("A page."), list::list);
    let path = "/admin/v1/tenants/{id}/rate_cards/{card}";
    let read = Operation::get(Need::Viewer, path, "getRateCard", "A rate card");
    routes.add(read.reply::<RateCardView>(200, "The rate card."), read::read);
    let replace = Operation::put(
        Need::Admin,
        path,
        "replaceRateCard",
        "Replace a rate card that has not counted for a day that is over",
    )
    .body("RateCardRequest", card_schema())
    .versioned(true)
    .reply::<RateCardView>(200, "Replaced.");
    routes.add(replace, replace::replace);
    let delete = Operation::delete(
        Need::Admin,
        path,
        "deleteRateCard",
        "Delete a rate card that has not counted for a day that is over",
    );
    routes.add(delete.versioned(false).plain(204, "Deleted.", None), delete::delete);
}
