//! One actor a running message: decide, persist, act.
//!
//! The actor matches a message, asks the domain what follows, saves that, and only then performs the
//! effects. It awaits nothing but its own save. Its supervisor restarts it from what was saved, parks it
//! when it fails again and again, and lets it go when it only waits: a waiting cascade is a deadline.

mod admission;
mod cascade_actor;
mod consent;
mod deadlines;
mod effects;
mod lookup;
mod messages;
mod restarts;
mod running;
mod shared;
mod supervisor;

pub use admission::{Admission, LaneLimits, Slot};
pub use consent::Wished;
pub use deadlines::Deadlines;
pub use messages::{CascadeMsg, Delivery, NewCascade, Start};
pub use running::Running;
pub use shared::{CascadeOptions, CascadePorts, Shared};
pub use supervisor::{Awaken, CascadesMsg, CascadesSupervisor};
