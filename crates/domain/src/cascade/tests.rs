//! Behaviour of the cascade, by example, by exhaustive walk and by random order.

mod fixture;
mod outcomes;
mod persisted;
mod random_orders;
mod receipts;
mod redrive;
mod resends;
mod walk;
