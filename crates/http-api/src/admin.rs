//! The operator API.

pub(crate) mod actors;
pub(crate) mod adapters;
mod audit;
mod cascades;
mod keys;
mod operator_keys;
mod parked;
mod providers;
mod quotes;
mod rate_cards;
mod redrive;
mod senders;
mod tenants;
mod usage;

use crate::router::Routes;

pub(crate) fn routes(routes: &mut Routes) {
    tenants::routes(routes);
    keys::routes(routes);
    operator_keys::routes(routes);
    providers::routes(routes);
    senders::routes(routes);
    adapters::routes(routes);
    actors::routes(routes);
    cascades::routes(routes);
    parked::routes(routes);
    redrive::routes(routes);
    audit::routes(routes);
    rate_cards::routes(routes);
    quotes::routes(routes);
    usage::routes(routes);
}
