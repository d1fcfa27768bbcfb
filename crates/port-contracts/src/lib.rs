//! Contract suites that every backend of a port must pass.
//!
//! One module a port; every public function in it is one behaviour and panics when a backend lacks it.
//! A backend makes tests of a whole suite with its macro, for instance
//! `hermes_port_contracts::cascade_store_contract!(fresh)`, where `fresh` is an async function that
//! returns [`Ports`] over empty storage and a guard to keep while the test runs.

#![expect(clippy::unwrap_used, reason = "a panic is how a behaviour fails")]

pub mod audit;
pub mod batches;
pub mod cascade_store;
pub mod commit_parts;
pub mod erasure;
pub mod idempotency;
pub mod inbound_log;
pub mod message_log;
pub mod outbox;
pub mod receipt_inbox;
pub mod registry;
pub mod suppressions;
pub mod usage_log;

mod ports;

pub use ports::Ports;

/// Makes a test of each named behaviour.
#[macro_export]
macro_rules! behaviours {
    ($make:path, $suite:ident: $($behaviour:ident),+ $(,)?) => {
        mod $suite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $behaviour() {
                    let (ports, _guard) = $make().await;
                    $crate::$suite::$behaviour(&ports).await;
                }
            )+
        }
    };
}

/// Makes tests of every suite.
#[macro_export]
macro_rules! all_contracts {
    ($make:path) => {
        $crate::audit_contract!($make);
        $crate::batches_contract!($make);
        $crate::cascade_store_contract!($make);
        $crate::commit_parts_contract!($make);
        $crate::erasure_contract!($make);
        $crate::idempotency_contract!($make);
        $crate::inbound_log_contract!($make);
        $crate::message_log_contract!($make);
        $crate::outbox_contract!($make);
        $crate::receipt_inbox_contract!($make);
        $crate::registry_contract!($make);
        $crate::suppressions_contract!($make);
        $crate::usage_log_contract!($make);
    };
}

#[cfg(test)]
mod tests {
    /// A behaviour that no macro lists would be tested by nobody.
    #[test]
    fn every_behaviour_is_listed_in_the_macro_of_its_suite() {
        for source in [
            include_str!("audit.rs"),
            include_str!("batches.rs"),
            include_str!("cascade_store.rs"),
            include_str!("suppressions.rs"),
            include_str!("commit_parts.rs"),
            include_str!("erasure.rs"),
            include_str!("idempotency.rs"),
            include_str!("inbound_log.rs"),
            include_str!("message_log.rs"),
            include_str!("outbox.rs"),
            include_str!("receipt_inbox.rs"),
            include_str!("registry.rs"),
        ] {
            let (list, behaviours) = source.split_once("\n}\n").expect("a macro, then the behaviours");
            let names = behaviours.split("pub async fn ").skip(1);
            let names: Vec<_> = names.filter_map(|rest| rest.split('(').next()).collect();
            assert!(!names.is_empty());
            for name in names {
                assert!(list.contains(&format!("{name},")), "{name} is not listed");
            }
        }
    }
}
