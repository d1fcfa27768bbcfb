//! What an actor does once its decision is durable: permits and submissions.

use std::time::Duration;

use hermes_domain::{
    UnixMillis,
    cascade::{Effect, Event, Phase, resume},
    outcome::{ErrorClass, Failure, Outcome},
    plan::Candidate,
    standing::{Standing, affordable},
};
use hermes_ports::{
    adapter::SendCall,
    provider_gateway::{Dispatch, Permit, PermitAnswer, PermitRequest},
};
use ractor::{ActorProcessingErr, ActorRef};

use crate::{
    cascade_actor::{CascadeActor, Run, reference},
    consent::Wished,
    messages::CascadeMsg,
};

/// Asking again is never closer than this, in milliseconds.
const ASK_AGAIN_MIN_MS: u64 = 20;

impl CascadeActor {
    /// Performs effects in order.
    pub(crate) async fn perform(
        &self,
        me: &ActorRef<CascadeMsg>,
        run: &mut Run,
        effects: Vec<Effect>,
    ) -> Result<(), ActorProcessingErr> {
        for effect in effects {
            match effect {
                Effect::Acquire { candidates } => self.wish_or_end(me, run, &candidates).await?,
                Effect::RememberOptOut { attempt } => self.remember_opt_out(run, attempt),
                Effect::Dispatch { attempt } => self.dispatch(me, run, attempt),
                Effect::Reconcile { attempt } => {
                    let reference = reference(run.cascade.envelope.id, attempt);
                    if !self.shared.ports.gateway.in_flight(reference) {
                        let event = Event::Interrupted { attempt };
                        Box::pin(self.consider(me, run, event, None, None)).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// A permit that is free at this moment, with the event that uses it. None for a recipient who may be suppressed:
    /// that takes a question to the store.
    pub(crate) async fn permit_now(&self, run: &Run, candidates: &[u8]) -> Option<(Event, Permit)> {
        let candidates = affordable(&run.cascade.envelope, &run.cascade.state, candidates);
        let consent = self.consent(run, &candidates);
        if candidates.is_empty() || !consent.is_certain() || consent.standing() != Standing::Clear {
            return None;
        }
        let request = self.request(run, &candidates, UnixMillis(0));
        match self.shared.ports.gateway.acquire(request).await {
            PermitAnswer::Granted(permit) => Some((granted(&candidates, &permit), permit)),
            PermitAnswer::Busy { .. } | PermitAnswer::NoRoute => None,
        }
    }

    /// Wishes for a permit of the candidates that the message can pay for; without any its step ends.
    async fn wish_or_end(
        &self,
        me: &ActorRef<CascadeMsg>,
        run: &mut Run,
        candidates: &[u8],
    ) -> Result<(), ActorProcessingErr> {
        let candidates = affordable(&run.cascade.envelope, &run.cascade.state, candidates);
        if candidates.is_empty() {
            return Box::pin(self.apply(me, run, Event::NoRoute, None)).await.map(drop);
        }
        self.wish(me, run, &candidates);
        Ok(())
    }

    /// Waits for a permit in a task; the answer comes back as a message.
    fn wish(&self, me: &ActorRef<CascadeMsg>, run: &mut Run, candidates: &[u8]) {
        run.ticket = run.ticket.wrapping_add(1);
        if let Some(older) = run.wish.take() {
            older.abort();
        }
        let (ticket, me) = (run.ticket, me.clone());
        let until = run.cascade.state.step_deadline(&run.cascade.envelope);
        let request = self.request(run, candidates, until);
        let (gateway, consent) = (self.shared.ports.gateway.clone(), self.consent(run, candidates));
        run.wish = Some(tokio::spawn(async move {
            let wished = consent.wish(&*gateway, request).await;
            let _ = me.cast(CascadeMsg::Wished { ticket, wished }); // A permit that finds nobody is given back.
        }));
    }

    pub(crate) async fn permit_answered(
        &self,
        me: &ActorRef<CascadeMsg>,
        run: &mut Run,
        ticket: u32,
        wished: Wished,
    ) -> Result<(), ActorProcessingErr> {
        if ticket != run.ticket {
            return Ok(()); // Dropping a permit gives it back.
        }
        run.wish = None;
        let (answer, unsuspected) = match wished {
            Wished::Answered { answer, unsuspected } => (answer, unsuspected),
            Wished::Suppressed => {
                self.apply(me, run, Event::Suppressed, None).await?;
                return Ok(());
            }
        };
        match answer {
            PermitAnswer::Granted(permit) if unsuspected && !self.consent(run, &[]).is_certain() => {
                // A suppression came while the permit was on its way.
                drop(permit);
                let effects = resume(&run.cascade, self.shared.ports.clock.now()).effects;
                Box::pin(self.perform(me, run, effects)).await?;
            }
            PermitAnswer::Granted(permit) => {
                let event = self.granted_event(run, &permit);
                run.permit = Some(permit);
                self.apply(me, run, event, None).await?;
                run.permit = None; // Unless it was used it goes back now.
            }
            PermitAnswer::Busy { retry_at } => {
                let pause = retry_at.since(self.shared.ports.clock.now()).max(ASK_AGAIN_MIN_MS);
                me.send_after(Duration::from_millis(pause), move || CascadeMsg::AskAgain { ticket });
            }
            PermitAnswer::NoRoute => drop(self.apply(me, run, Event::NoRoute, None).await?),
        }
        Ok(())
    }

    fn request(&self, run: &Run, candidates: &[u8], until: UnixMillis) -> PermitRequest {
        let envelope = &run.cascade.envelope;
        let step = run.cascade.state.current_step(envelope);
        let connection =
            |index: &u8| step.candidates.get(usize::from(*index)).map(|candidate| candidate.connection);
        PermitRequest {
            candidates: candidates.iter().filter_map(connection).collect(),
            tenant: envelope.tenant,
            lane: envelope.lane,
            until,
        }
    }

    /// The event for a permit that was waited for: found by connection, since the wish's order is gone.
    fn granted_event(&self, run: &Run, permit: &Permit) -> Event {
        let step = run.cascade.state.current_step(&run.cascade.envelope);
        let index = step.candidates.iter().position(|candidate| candidate.connection == permit.connection);
        let candidate = index.and_then(|index| u8::try_from(index).ok()).unwrap_or(u8::MAX);
        Event::Permit { candidate, adapter_version: permit.adapter_version }
    }

    /// Hands the attempt to the gateway, which reports its outcome to this message's inbox.
    fn dispatch(&self, me: &ActorRef<CascadeMsg>, run: &mut Run, attempt: u16) {
        let Some(permit) = run.permit.take() else { return };
        let Phase::Submitting { not_after, .. } = run.cascade.state.phase else { return };
        let deadline = run.cascade.state.step_deadline(&run.cascade.envelope);
        match self.send_call(run, attempt) {
            Some(call) => self.shared.ports.gateway.dispatch(permit, Dispatch { call, not_after, deadline }),
            None => {
                // Acceptance takes such steps out of the plan, so only a changed format leads here.
                let failure = Failure::new(ErrorClass::ContentRejected, "nothing to send on this channel");
                let event = Event::Outcome { attempt, outcome: Outcome::Rejected(failure) };
                let (reply, _) = tokio::sync::oneshot::channel();
                let delivery = crate::Delivery { event, consumed: None, reply };
                let _ = me.cast(CascadeMsg::Deliver(delivery)); // To ourselves: we are alive.
            }
        }
    }

    pub(crate) fn send_call(&self, run: &Run, number: u16) -> Option<SendCall> {
        let (envelope, state) = (&run.cascade.envelope, &run.cascade.state);
        let attempt = state.attempt(number)?;
        let step = envelope.plan.steps.get(usize::from(attempt.step))?;
        let candidate = step.candidates.get(usize::from(attempt.candidate))?;
        let now = self.shared.ports.clock.now();
        let valid_for_s = u32::try_from(envelope.expires_at.since(now) / 1_000).unwrap_or(u32::MAX).max(1);
        Some(SendCall {
            reference: reference(envelope.id, number),
            to: envelope.destination(step.channel, state.refused_tokens(attempt.step))?,
            sender: envelope.sender.get(&step.channel).cloned(),
            content: envelope.content.for_channel(step.channel)?,
            callback_url: self.callback_url(candidate, envelope.id, number),
            valid_for_s,
            expires_at: envelope.expires_at,
            tags: envelope.tags.clone(),
            alternate: state.is_alternate(number),
            ack_url: (step.channel == hermes_domain::address::Channel::Push).then(|| {
                let token = self.shared.ports.directory.ack_tokens().token(envelope.id);
                format!("{}/v1/ack/{token}", self.shared.options.public_url)
            }),
        })
    }

    fn callback_url(&self, candidate: &Candidate, id: hermes_domain::MessageId, number: u16) -> String {
        let (base, provider, connection) =
            (&self.shared.options.public_url, &candidate.provider, candidate.connection);
        format!("{base}/receipts/{provider}/{connection}?ref={}", reference(id, number))
    }
}

fn granted(candidates: &[u8], permit: &Permit) -> Event {
    let candidate = candidates.get(permit.candidate).copied().unwrap_or(u8::MAX);
    Event::Permit { candidate, adapter_version: permit.adapter_version }
}
