//! Turns a [`Provider`] into the component's exports.

use std::marker::PhantomData;

use crate::{
    contract::{
        Channel, Descriptor, Guest, HttpResponse, LookupQuery, Outcome, Pending, ReceiveStep, SendCall,
        SendStep, Webhook,
    },
    provider::{Provider, Submission},
    refused,
    suppression_list::{self, Operation, Step},
};

/// What the first byte of a state says about the request that is under way.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Stage {
    /// The submission.
    Submitted = b's',
    /// The submission, for the second time.
    Repeated = b'r',
    /// The proof of the credentials.
    Check = b'c',
    /// The lookup.
    Lookup = b'l',
}

impl Stage {
    fn of(state: &[u8]) -> Option<(Self, &[u8])> {
        let (first, notes) = state.split_first()?;
        let all = [Self::Submitted, Self::Repeated, Self::Check, Self::Lookup];
        all.into_iter().find(|stage| *stage as u8 == *first).map(|stage| (stage, notes))
    }

    fn step(self, submission: Submission) -> SendStep {
        let mut state = Vec::with_capacity(submission.notes.len() + 1);
        state.push(self as u8);
        state.extend_from_slice(&submission.notes);
        SendStep::Request(Pending { request: submission.request, state })
    }
}

/// The exports of an adapter.
#[derive(Debug)]
pub struct Shell<P>(PhantomData<P>);

impl<P: Provider> Shell<P> {
    fn submitted(stage: Stage, notes: &[u8], response: &HttpResponse) -> SendStep {
        let again = match stage {
            Stage::Submitted => P::again(response, notes),
            Stage::Repeated | Stage::Check | Stage::Lookup => None,
        };
        match again {
            Some(request) => Stage::Repeated.step(Submission { request, notes: notes.to_vec() }),
            None => SendStep::Done(P::outcome(response, notes)),
        }
    }
}

impl<P: Provider> Guest for Shell<P> {
    fn describe() -> Descriptor {
        P::descriptor()
    }

    fn send(call: SendCall) -> SendStep {
        match P::request(call) {
            Ok(submission) => Stage::Submitted.step(submission),
            Err(outcome) => SendStep::Done(outcome),
        }
    }

    fn resume_send(state: Vec<u8>, response: HttpResponse) -> SendStep {
        match Stage::of(&state) {
            Some((stage @ (Stage::Submitted | Stage::Repeated), notes)) => {
                Self::submitted(stage, notes, &response)
            }
            Some((Stage::Check, _)) => SendStep::Done(P::checked(&response)),
            Some((Stage::Lookup, notes)) => SendStep::Done(P::found(&response, notes)),
            None => SendStep::Done(Outcome::Unknown(refused("the state of this call is not ours"))),
        }
    }

    fn receive(webhook: Webhook) -> ReceiveStep {
        P::receive(&webhook)
    }

    fn resume_receive(webhook: Webhook, state: Vec<u8>, response: HttpResponse) -> ReceiveStep {
        P::resume_receive(&webhook, &state, &response)
    }

    fn check() -> SendStep {
        match P::check() {
            Ok(request) => Stage::Check.step(Submission { request, notes: Vec::new() }),
            Err(outcome) => SendStep::Done(outcome),
        }
    }

    fn lookup(query: LookupQuery) -> Option<SendStep> {
        P::lookup(query).map(|submission| Stage::Lookup.step(submission))
    }
}

impl<P: Provider> suppression_list::Guest for Shell<P> {
    fn lists() -> Option<Channel> {
        P::list_channel()
    }

    fn begin(operation: Operation) -> Step {
        match P::list(operation) {
            Ok(Submission { request, notes }) => Step::Request(Pending { request, state: notes }),
            Err(answer) => Step::Done(answer),
        }
    }

    fn resume(state: Vec<u8>, response: HttpResponse) -> Step {
        Step::Done(P::listed(&response, &state))
    }
}
