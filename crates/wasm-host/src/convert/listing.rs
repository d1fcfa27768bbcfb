//! Operations on a provider's suppression list.

use hermes_domain::suppression::SuppressionReason;
use hermes_ports::adapter::{AdapterFault, ListAnswer, ListEntry, ListOperation, ListPage};

use super::from_guest::{ADDRESS_BYTES_MAX, failure, retry_after_ms};
use crate::{bindings::wit_list, contract::broken};

/// Addresses of one page.
const ENTRIES_MAX: usize = 10_000;
/// Longest cursor, in bytes.
const CURSOR_BYTES_MAX: usize = 4 << 10;

/// What a guest is told.
pub(crate) fn operation(operation: &ListOperation) -> wit_list::Operation {
    match operation {
        ListOperation::Add { address, reason } => {
            wit_list::Operation::Add(wit_list::Addition { address: address.clone(), reason: told(*reason) })
        }
        ListOperation::Remove { address } => wit_list::Operation::Remove(address.clone()),
        ListOperation::Page { cursor } => wit_list::Operation::Page(cursor.clone()),
    }
}

const fn told(reason: SuppressionReason) -> wit_list::Reason {
    match reason {
        SuppressionReason::OptOut => wit_list::Reason::OptOut,
        SuppressionReason::Complaint => wit_list::Reason::Complaint,
        SuppressionReason::HardBounce => wit_list::Reason::HardBounce,
        SuppressionReason::Manual => wit_list::Reason::Manual,
    }
}

/// What a guest answered. Addresses beyond the limits are left out.
///
/// # Errors
/// `Contract` for a page that is too long, or a cursor that is or could go on for ever.
pub(crate) fn answer(raw: wit_list::Answer) -> Result<ListAnswer, AdapterFault> {
    Ok(match raw {
        wit_list::Answer::Done => ListAnswer::Done,
        wit_list::Answer::Page(told) => ListAnswer::Page(page(told)?),
        wit_list::Answer::Refused(told) => ListAnswer::Refused(failure(told)),
        wit_list::Answer::Throttled(told) => ListAnswer::Throttled {
            retry_after_ms: retry_after_ms(told.retry_after_ms),
            failure: failure(told.failure),
        },
        wit_list::Answer::Failed(told) => ListAnswer::Failed(failure(told)),
    })
}

fn page(raw: wit_list::Page) -> Result<ListPage, AdapterFault> {
    if raw.entries.len() > ENTRIES_MAX {
        return broken("a page of the list is too long");
    }
    if raw.cursor.as_ref().is_some_and(|cursor| cursor.len() > CURSOR_BYTES_MAX) {
        return broken("a cursor is too long");
    }
    if raw.more && raw.cursor.is_none() {
        return broken("there is another page and no cursor to it");
    }
    let fits = |entry: &wit_list::Entry| (1..=ADDRESS_BYTES_MAX).contains(&entry.address.len());
    let entries = raw.entries.into_iter().filter(fits).map(entry).collect();
    Ok(ListPage { entries, cursor: raw.cursor, more: raw.more })
}

fn entry(raw: wit_list::Entry) -> ListEntry {
    let reason = raw.reason.map(|reason| match reason {
        wit_list::Reason::OptOut => SuppressionReason::OptOut,
        wit_list::Reason::Complaint => SuppressionReason::Complaint,
        wit_list::Reason::HardBounce => SuppressionReason::HardBounce,
        wit_list::Reason::Manual => SuppressionReason::Manual,
    });
    ListEntry { address: raw.address, reason }
}
