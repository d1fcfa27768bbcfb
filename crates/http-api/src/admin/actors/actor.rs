//! An actor as operators see it.

use hermes_domain::UnixMillis;
use hermes_ports::actor_tree::ActorView;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// An actor.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Actor)]
pub(super) struct ActorShown {
    /// Its path in the tree, such as `cascade/msg_01J…`.
    id: String,
    /// What it is.
    kind: String,
    /// The id of its supervisor.
    parent: Option<String>,
    /// Its state in a word or phrase.
    state: String,
    /// How many messages wait for it.
    mailbox: usize,
    /// How often it was restarted.
    restarts: u32,
    /// When this incarnation started.
    started_at: String,
    /// Why the one before ended, if it failed.
    last_error: Option<String>,
    /// The ids of its children; may be cut short.
    children: Vec<String>,
    /// Whatever else it says; null in lists.
    #[schema(value_type = Option<Value>)]
    detail: Value,
}

impl ActorShown {
    pub(super) fn of(view: ActorView) -> Self {
        Self {
            id: view.id,
            kind: view.kind,
            parent: view.parent,
            state: view.state,
            mailbox: view.mailbox,
            restarts: view.restarts,
            started_at: UnixMillis(view.started_at_ms).rfc3339(),
            last_error: view.last_error,
            children: view.children,
            detail: view.detail,
        }
    }
}
