//! Once a second somebody looks at what lists are owed.

use std::{error::Error, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::JoinHandle;
use tracing::warn;

use super::Lists;

/// How often.
const EVERY: Duration = Duration::from_secs(1);

/// What the actor can be told.
#[derive(Debug)]
pub enum ListsMsg {
    /// A second has passed.
    Tick,
}

/// The actor: it starts rounds, which do the work.
#[derive(Debug)]
pub(super) struct ListsActor {
    pub(super) lists: Lists,
}

impl Actor for ListsActor {
    type Msg = ListsMsg;
    /// The round under way.
    type State = Option<JoinHandle<()>>;
    type Arguments = ();

    async fn pre_start(&self, me: ActorRef<ListsMsg>, (): ()) -> Result<Self::State, ActorProcessingErr> {
        me.send_interval(EVERY, || ListsMsg::Tick);
        Ok(None)
    }

    async fn handle(
        &self,
        _: ActorRef<ListsMsg>,
        ListsMsg::Tick: ListsMsg,
        round: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        if round.as_ref().is_some_and(|round| !round.is_finished()) {
            return Ok(());
        }
        let lists = self.lists.clone();
        *round = Some(tokio::spawn(async move {
            if let Err(cause) = lists.work().await {
                warn!(error = &cause as &dyn Error, "could not look at what the lists of providers are owed");
            }
        }));
        Ok(())
    }
}
