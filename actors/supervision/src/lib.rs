//! Supervision for ractor: what the framework leaves to its users.
//!
//! ractor links actors and reports exits, but has no restart strategy, no restart intensity and
//! no back-off; its default reaction to *any* exit of a child, even a normal one, is to stop the
//! supervisor. This crate holds the missing decisions, pure wherever possible:
//!
//! - [`exit`] says how an actor ended, whatever shape ractor reported it in;
//! - [`backoff`] and [`restart_budget`] say when to start it again, and when to give up;
//! - [`children`] finds children by key or actor id and ignores incarnations long gone;
//! - [`poison`] parks a key whose actor fails again and again, so that nothing escalates;
//! - [`static_supervisor`] runs the few permanent actors of the tree (the only impure part,
//!   with [`address`], [`call`] and [`mailbox`], which talk to actors);
//! - [`inspect`] is the view every actor gives of itself.
//!
//! A supervisor of many dynamic children (tenants, cascades, connections) is its own actor,
//! built from the pure parts; the rules differ too much for one generic actor.

pub mod address;
pub mod backoff;
pub mod call;
pub mod children;
pub mod exit;
pub mod inspect;
pub mod mailbox;
pub mod poison;
pub mod restart_budget;
pub mod static_supervisor;

pub use address::Address;
pub use backoff::{Backoff, InvalidBackoff, Jitter};
pub use call::{AskError, answer, ask};
pub use children::{Child, ChildTable, Generation};
pub use exit::{Cause, Exit, reason};
pub use inspect::{ActorView, error_chain, unix_millis};
pub use mailbox::{Mailbox, MailboxKind};
pub use poison::{ParkedKey, PoisonLedger, PoisonPolicy};
pub use restart_budget::RestartBudget;
pub use static_supervisor::{ChildSpec, GaveUp, StaticSupervisor, SupervisorMsg};
