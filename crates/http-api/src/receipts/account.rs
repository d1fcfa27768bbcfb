//! Callback addresses that serve several accounts: Meta has one for all phone numbers of an app.

use hermes_domain::{ConnectionId, connection::Connection};
use serde_json::Value;

use crate::api::Api;

/// The connection that an entry belongs to which came to `called` and names `account`.
///
/// `None` when no connection has that account which the owner of `called` could have meant: same provider,
/// tenant and mode.
pub(super) fn connection_of(api: &Api, called: ConnectionId, account: Option<&str>) -> Option<ConnectionId> {
    let Some(account) = account else { return Some(called) };
    let called = api.directory().access(called)?.connection;
    let descriptor = api.ports.adapters.descriptor(&called.provider)?;
    let setting = descriptor.account_setting.as_deref()?;
    // An adapter sees a number as its digits, so it may be written as either.
    let is_it = |connection: &Connection| {
        let text = connection.config.get(setting).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        text.as_deref() == Some(account)
    };
    if is_it(&called) {
        return Some(called.id);
    }
    let related = |other: &Connection| {
        (&other.provider, other.tenant, other.mode) == (&called.provider, called.tenant, called.mode)
    };
    api.directory().read(|snapshot| {
        let mut all = snapshot.connections().map(|entry| &*entry.access.connection);
        all.find(|other| related(other) && is_it(other)).map(|other| other.id)
    })
}
