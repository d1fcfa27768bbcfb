//! What an adapter's author writes.

use crate::{
    contract::{
        Channel, Descriptor, HttpRequest, HttpResponse, LookupQuery, Outcome, ReceiveStep, Received, Refusal,
        SendCall, Webhook,
    },
    suppression_list::{Answer, Operation},
};

/// A submission, and what the adapter wants to remember when the response arrives.
#[derive(Debug)]
pub struct Submission {
    /// The request that submits.
    pub request: HttpRequest,
    /// Given back to [`Provider::outcome`] and [`Provider::again`]; may be empty.
    pub notes: Vec<u8>,
}

/// A provider as Hermes sees it. All functions are pure: settings come from `host::get_config`.
pub trait Provider {
    /// What the adapter is.
    fn descriptor() -> Descriptor;

    /// The request that submits `call`.
    ///
    /// # Errors
    /// The outcome of a submission that cannot be made, such as one without a sender.
    fn request(call: SendCall) -> Result<Submission, Outcome>;

    /// Reads the answer to [`Self::request`].
    fn outcome(response: &HttpResponse, notes: &[u8]) -> Outcome;

    /// A second submission after a 401 or 429 that is certain to have processed nothing.
    /// Asked once per attempt; `None` (the default) leaves the answer to [`Self::outcome`].
    fn again(_response: &HttpResponse, _notes: &[u8]) -> Option<HttpRequest> {
        None
    }

    /// Verifies a webhook, then reads it.
    ///
    /// # Errors
    /// Why it is refused.
    fn receipts(webhook: &Webhook) -> Result<Received, Refusal>;

    /// Like [`Self::receipts`], for providers that need a request of their own to verify.
    fn receive(webhook: &Webhook) -> ReceiveStep {
        ReceiveStep::Done(Self::receipts(webhook))
    }

    /// Goes on with the response to a request of [`Self::receive`].
    fn resume_receive(_webhook: &Webhook, _state: &[u8], _response: &HttpResponse) -> ReceiveStep {
        ReceiveStep::Done(Err(Refusal::Malformed))
    }

    /// A request that proves the credentials and delivers nothing.
    ///
    /// # Errors
    /// The outcome when the connection lacks what the request needs.
    fn check() -> Result<HttpRequest, Outcome>;

    /// Reads the answer to [`Self::check`].
    fn checked(response: &HttpResponse) -> Outcome;

    /// A request that finds out whether a submission was processed, with notes for [`Self::found`].
    fn lookup(_query: LookupQuery) -> Option<Submission> {
        None
    }

    /// Reads the answer to [`Self::lookup`].
    fn found(response: &HttpResponse, _notes: &[u8]) -> Outcome {
        crate::by_status(response)
    }

    /// The channel whose addresses the provider's own suppression list holds, if it has one.
    fn list_channel() -> Option<Channel> {
        None
    }

    /// The request of an operation on that list, with notes for [`Self::listed`]. Asked only with a list.
    ///
    /// # Errors
    /// The answer when the connection lacks what the request needs.
    fn list(_operation: Operation) -> Result<Submission, Answer> {
        Err(Answer::Refused(crate::refused("the provider has no list")))
    }

    /// Reads the answer to [`Self::list`].
    fn listed(response: &HttpResponse, _notes: &[u8]) -> Answer {
        crate::list_failure(crate::by_status(response))
    }
}
