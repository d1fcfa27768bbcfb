//! What a target found wrong.

use hermes_ports::adapter::AdapterFault;

/// Something that must not happen whatever the input is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// An adapter trapped, exceeded a limit or broke the contract.
    #[error("{adapter}: {call} ended in a fault")]
    Fault {
        /// Name of the adapter.
        adapter: String,
        /// What it was asked.
        call: &'static str,
        /// The fault.
        #[source]
        fault: AdapterFault,
    },
    /// A webhook was taken that nobody signed.
    #[error("{adapter} took a webhook that nobody signed")]
    Forged {
        /// Name of the adapter.
        adapter: String,
    },
    /// A webhook was refused for its signature, and its signature is right.
    #[error("{adapter} refused a webhook that its provider signed")]
    Refused {
        /// Name of the adapter.
        adapter: String,
    },
    /// A message counts as taken, and nothing in the answer says so.
    #[error("{adapter} takes an empty answer with status {status} for an acceptance")]
    Guessed {
        /// Name of the adapter.
        adapter: String,
        /// The answer's status.
        status: u16,
    },
}

/// Runs a call, and runs it again where its time was up: an interrupt counts as the guest's time, and only what is
/// slow each time is slow.
///
/// # Errors
/// The fault, but for those that are the provider's mistake: then `None`.
pub(crate) fn faultless<T>(
    adapter: &str,
    call: &'static str,
    run: impl Fn() -> Result<T, AdapterFault>,
) -> Result<Option<T>, Finding> {
    let mut result = run();
    for _ in 0..RETRIES {
        if !matches!(result, Err(AdapterFault::TimeLimit { .. })) {
            break;
        }
        result = run();
    }
    match result {
        Ok(done) => Ok(Some(done)),
        Err(fault) if is_providers_mistake(&fault) => Ok(None),
        Err(fault) => Err(Finding::Fault { adapter: adapter.to_owned(), call, fault }),
    }
}

const RETRIES: usize = 3;

/// Values that are longer than our state holds, in an answer or a webhook that the provider vouches for. The host
/// ends such a call rather than cut an id or an address, as something else would then be meant.
fn is_providers_mistake(fault: &AdapterFault) -> bool {
    const MISTAKES: [&str; 4] = [
        "a provider id ",
        "an address is too long",
        "a webhook has too many entries",
        "the answer to a webhook is malformed or too large",
    ];
    matches!(fault, AdapterFault::Contract(what) if MISTAKES.iter().any(|mistake| what.starts_with(mistake)))
}
