//! Asks a provider what became of a submission, before anything follows from not knowing.

use hermes_domain::{
    ConnectionId,
    cascade::{Event, lookup_before, receipt_of_lookup},
    outcome::Outcome,
};
use hermes_ports::{adapter::LookupQuery, cascade_inbox::Delivered, receipt_inbox::ParkedId};
use ractor::{ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;

use crate::{
    cascade_actor::{CascadeActor, Run},
    messages::CascadeMsg,
};

/// An event that waits for what the provider knows.
#[derive(Debug)]
pub(crate) struct PutOff {
    attempt: u16,
    connection: ConnectionId,
    event: Event,
    consumed: Option<ParkedId>,
    reply: Option<oneshot::Sender<Delivered>>,
}

impl CascadeActor {
    /// Applies an event; first asks the provider, where that may spare a second submission or a needless step.
    pub(crate) async fn consider(
        &self,
        me: &ActorRef<CascadeMsg>,
        run: &mut Run,
        event: Event,
        consumed: Option<ParkedId>,
        reply: Option<oneshot::Sender<Delivered>>,
    ) -> Result<(), ActorProcessingErr> {
        let wanted = lookup_before(&run.cascade, &event, self.shared.ports.clock.now());
        if wanted.is_some() && run.put_off.is_some() {
            return Ok(()); // It is being asked. Whoever offers the event hears nothing and offers it again.
        }
        let put_off = match wanted.and_then(|attempt| self.ask(me, run, attempt)) {
            Some((attempt, connection)) => PutOff { attempt, connection, event, consumed, reply },
            None => return self.settle(me, run, event, consumed, reply).await,
        };
        run.put_off = Some(put_off);
        Ok(())
    }

    /// Begins to ask about an attempt. `None` when its provider cannot be asked now.
    fn ask(&self, me: &ActorRef<CascadeMsg>, run: &Run, number: u16) -> Option<(u16, ConnectionId)> {
        let attempt = run.cascade.state.attempt(number)?;
        let connection = attempt.connection(&run.cascade.envelope)?;
        let gateway = self.shared.ports.gateway.clone();
        if !gateway.may_look_up(connection) {
            return None;
        }
        let query = LookupQuery {
            call: self.send_call(run, number)?,
            provider_message_id: attempt.provider_message_id.clone(),
            submitted_at: attempt.submitted_at,
        };
        let me = me.clone();
        tokio::spawn(async move {
            let found = gateway.lookup(connection, query).await;
            let _ = me.cast(CascadeMsg::LookedUp { attempt: number, found }); // Gone: the event is offered again.
        });
        Some((number, connection))
    }

    /// The provider has answered: what it knows comes first, then what was put off.
    pub(crate) async fn looked_up(
        &self,
        me: &ActorRef<CascadeMsg>,
        run: &mut Run,
        attempt: u16,
        found: Option<Outcome>,
    ) -> Result<(), ActorProcessingErr> {
        let Some(put_off) = run.put_off.take_if(|put_off| put_off.attempt == attempt) else { return Ok(()) };
        let PutOff { connection, event, consumed, reply, .. } = put_off;
        if let Some(receipt) = found.and_then(receipt_of_lookup) {
            self.apply(me, run, Event::Receipt { attempt, connection, receipt }, None).await?;
        }
        self.settle(me, run, event, consumed, reply).await
    }

    async fn settle(
        &self,
        me: &ActorRef<CascadeMsg>,
        run: &mut Run,
        event: Event,
        consumed: Option<ParkedId>,
        reply: Option<oneshot::Sender<Delivered>>,
    ) -> Result<(), ActorProcessingErr> {
        let delivered = self.apply(me, run, event, consumed).await?;
        if let (Some(delivered), Some(reply)) = (delivered, reply) {
            let _ = reply.send(delivered); // Whoever asked may have given up.
        }
        Ok(())
    }
}
