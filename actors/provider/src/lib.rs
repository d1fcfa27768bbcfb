//! One actor a provider connection: rate windows, breaker, permits, calls.
//!
//! # What lives where
//!
//! A connection's *line* holds what every grant needs: hold, breaker, rate window, running calls. It is
//! behind a mutex that the gateway takes directly, so that a permit that is free costs a lock and no
//! message. The *actor* owns what takes longer: the waiting lists, the timer that wakes them, and the
//! view for operators. Neither waits for the other, and no handler does I/O:
//!
//! - a wish that cannot be granted at once is entered into the lists of all its candidates; the first
//!   connection with a free permit answers it, the others skip it;
//! - whoever gives a permit back wakes the actor if somebody waits;
//! - an actor that dies drops its lists, and each dropped entry tells its wish to ask again: nobody
//!   hangs. The line outlives the actor, because the calls that it counts do.
//!
//! Calls run in tasks of their own and report to the message's inbox, whatever became of the actors.

mod admission;
mod call;
mod certificates;
mod gateway;
mod guests;
mod health;
mod herald;
mod line;
mod lists;
mod meters;
mod options;
mod orphans;
mod outage;
mod provider_actor;
mod report;
mod shared;
mod source;
mod supervisor;
mod waiting;
mod wish;

#[cfg(test)]
mod fakes;

pub use gateway::{Gateway, Ports};
pub use lists::{ListPorts, Lists, ListsMsg};
pub use options::Options;
pub use source::ConnectionSource;
pub use supervisor::ProvidersMsg;
