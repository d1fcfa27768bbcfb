//! What a guest's answer becomes: the end of a call, or a request with what is needed to go on.

use std::sync::Arc;

use bytes::Bytes;
use hermes_domain::outcome::Outcome;
use hermes_ports::{
    adapter::{
        AdapterFault, AdapterStep, ConnectionAccess, ListAnswer, Pending, ReceiveResult, WebhookRefusal,
    },
    http::{HttpRequest, HttpResponse},
};

use super::WasmHost;
use crate::{
    bindings::{wit, wit_list},
    contract::{self, Progress, broken},
    convert,
    revision::Revision,
};

/// Largest notes of a guest between two rounds, in bytes; an attachment may be part of a message's body.
const STATE_BYTES_MAX: usize = 1 << 20;

type Asked = (HttpRequest, Pending);

impl WasmHost {
    fn pending(
        &self,
        revision: &Arc<Revision>,
        progress: Progress,
        raw: wit::Pending,
    ) -> Result<Asked, AdapterFault> {
        if raw.state.len() > STATE_BYTES_MAX.max(raw.request.body.len()) {
            return broken("its notes are too large");
        }
        let request = convert::request(raw.request);
        if request.body.len() > self.options.output_max_bytes {
            return broken("a body is too large");
        }
        contract::check_request(&request, &revision.descriptor)?;
        let progress = progress.after(request.effect, self.options.rounds_max)?;
        let mut state = Vec::with_capacity(raw.state.len() + 1);
        state.push(u8::from(progress.may_submit));
        state.extend_from_slice(&raw.state);
        let pending = Pending {
            version: revision.version,
            state: Bytes::from(state),
            round: progress.round,
            submitted: progress.submitted,
            pin: Arc::clone(revision) as _,
        };
        Ok((request, pending))
    }

    pub(super) fn send_step(
        &self,
        revision: &Arc<Revision>,
        access: &ConnectionAccess,
        progress: Progress,
        raw: wit::SendStep,
    ) -> Result<AdapterStep<Outcome>, AdapterFault> {
        match raw {
            wit::SendStep::Done(outcome) => Ok(AdapterStep::Done(convert::outcome(outcome)?)),
            wit::SendStep::Request(raw) => {
                let (request, pending) = self.pending(revision, progress, raw)?;
                contract::check_reach(&request, &revision.descriptor, &access.connection)?;
                Ok(AdapterStep::Request(request, pending))
            }
        }
    }

    pub(super) fn list_step(
        &self,
        revision: &Arc<Revision>,
        access: &ConnectionAccess,
        progress: Progress,
        raw: wit_list::Step,
    ) -> Result<AdapterStep<ListAnswer>, AdapterFault> {
        match raw {
            wit_list::Step::Done(answer) => Ok(AdapterStep::Done(convert::list_answer(answer)?)),
            wit_list::Step::Request(raw) => {
                let (request, pending) = self.pending(revision, progress, raw)?;
                contract::check_reach(&request, &revision.descriptor, &access.connection)?;
                Ok(AdapterStep::Request(request, pending))
            }
        }
    }

    pub(super) fn receive_step(
        &self,
        revision: &Arc<Revision>,
        progress: Progress,
        raw: wit::ReceiveStep,
    ) -> Result<AdapterStep<ReceiveResult>, AdapterFault> {
        match raw {
            wit::ReceiveStep::Done(result) => Ok(AdapterStep::Done(convert::received(result)?)),
            // A webhook names it, and anybody can write one: it is no fault of the adapter's.
            wit::ReceiveStep::Request(raw) if !contract::is_url(&raw.request.url) => {
                Ok(AdapterStep::Done(Err(WebhookRefusal::Malformed)))
            }
            wit::ReceiveStep::Request(raw) => self
                .pending(revision, progress, raw)
                .map(|(request, pending)| AdapterStep::Request(request, pending)),
        }
    }
}

/// What a pending call was made of.
pub(super) fn resumed(
    pending: Pending,
    response: &HttpResponse,
) -> Result<(Arc<Revision>, Progress, Vec<u8>), AdapterFault> {
    let Ok(revision) = pending.pin.downcast::<Revision>() else {
        return broken("the call began at another host");
    };
    let Some((may_submit, state)) = pending.state.split_first() else {
        return broken("the call has no state");
    };
    let progress = Progress {
        round: pending.round,
        submitted: pending.submitted,
        may_submit: *may_submit == 1,
        status: Some(response.status),
    };
    Ok((revision, progress, state.to_vec()))
}
