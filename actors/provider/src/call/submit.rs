//! Submissions: what is known about the message at every point at which a call can end.

use hermes_domain::outcome::{ErrorClass, Failure, Outcome};
use hermes_ports::{
    adapter::{AdapterFault, AdapterStep, LookupQuery, SendCall},
    egress::EgressError,
    http::RequestEffect,
    kill_point,
};

use super::session::{NoAnswer, Session};
use crate::admission::Verdict;

/// More rounds than any host allows; it only keeps a broken host from going on for ever.
const ROUNDS_MAX: usize = 16;
/// A time-out below this says more about our deadline than about the provider, in milliseconds.
const TELLING_LIMIT_MS: u64 = 1_000;
/// Refusals that say that the request was not processed: another one may be submitted.
const NOT_PROCESSED: [u16; 2] = [401, 429];

/// How a call ended, for the message and for the connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) outcome: Outcome,
    pub(crate) verdict: Verdict,
}

type Step = Result<AdapterStep<Outcome>, AdapterFault>;

/// Submits a message.
pub(crate) async fn submit(session: &Session, call: SendCall) -> Ended {
    kill_point::pass("dispatch.before");
    let first = session.guest(move |host, access| host.send(access, &call)).await;
    Rounds { session, may_submit: true, exposed: false }.run(first).await
}

/// Proves the credentials. Nothing may be submitted on the way.
pub(crate) async fn check(session: &Session) -> Ended {
    let first = session.guest(|host, access| host.check(access)).await;
    Rounds { session, may_submit: false, exposed: false }.run(first).await
}

/// Asks what became of a submission. `None` when the adapter cannot tell.
pub(crate) async fn lookup(session: &Session, query: LookupQuery) -> Option<Ended> {
    let first = session.guest(move |host, access| host.lookup(access, &query)).await.transpose()?;
    Some(Rounds { session, may_submit: false, exposed: false }.run(first).await)
}

struct Rounds<'a> {
    session: &'a Session,
    may_submit: bool,
    /// The provider may have processed a submission.
    exposed: bool,
}

impl Rounds<'_> {
    async fn run(mut self, first: Step) -> Ended {
        let mut step = first;
        for _ in 0..ROUNDS_MAX {
            let (request, pending) = match step {
                Ok(AdapterStep::Request(request, pending)) => (request, pending),
                Ok(AdapterStep::Done(outcome)) => return Ended { verdict: verdict(&outcome), outcome },
                Err(fault) => return self.fault(&fault),
            };
            let submits = request.effect == RequestEffect::Submits;
            if submits && (self.exposed || !self.may_submit) {
                return self.fault(&AdapterFault::Contract("a second submitting request".to_owned()));
            }
            let response = match self.session.perform(request).await {
                Ok(response) => response,
                Err(cause) => return self.broken(&cause, submits),
            };
            if submits {
                self.exposed = !NOT_PROCESSED.contains(&response.status);
                kill_point::pass("dispatch.after");
            }
            let resume = self.session.guest(move |host, access| host.resume_send(access, pending, &response));
            step = resume.await;
        }
        self.fault(&AdapterFault::Contract("too many rounds".to_owned()))
    }

    fn fault(&self, fault: &AdapterFault) -> Ended {
        tracing::warn!(error = %fault, "adapter fault");
        let failure = Failure::new(ErrorClass::Unknown, &fault.to_string());
        let outcome = if self.exposed { Outcome::Unknown(failure) } else { Outcome::AdapterFault(failure) };
        Ended { outcome, verdict: Verdict::Neutral }
    }

    fn broken(&self, cause: &NoAnswer, submits: bool) -> Ended {
        let (class, words, sent, verdict) = read(cause);
        let failure = Failure::new(class, words);
        let unknown = self.exposed || (submits && sent);
        let outcome = if unknown { Outcome::Unknown(failure) } else { Outcome::NotSent(failure) };
        Ended { outcome, verdict }
    }
}

/// What it means that there is no response: class, words, whether the request may have been sent, and
/// what it says about the provider. The words are ours: an error's own text may name an address.
pub(super) const fn read(cause: &NoAnswer) -> (ErrorClass, &'static str, bool, Verdict) {
    use ErrorClass::{Auth, Network, ProviderFault, Unknown};
    use Verdict::{Faulted, Neutral};
    match cause {
        NoAnswer::Late => (Unknown, "too late to start the call", false, Neutral),
        NoAnswer::Aborted => (Unknown, "the call was aborted", true, Neutral),
        NoAnswer::Egress(error) => match error {
            EgressError::Refused(_) => (Network, "the destination is not allowed", false, Neutral),
            EgressError::Connect(_) => (Network, "could not connect", false, Faulted),
            EgressError::Credentials(_) => (Auth, "the credentials cannot be used", false, Neutral),
            EgressError::Token(_) => (Auth, "no access token", false, Neutral),
            EgressError::Timeout { limit_ms } if *limit_ms < TELLING_LIMIT_MS => {
                (Network, "no answer in time", true, Neutral)
            }
            EgressError::Timeout { .. } => (Network, "no answer in time", true, Faulted),
            EgressError::Lost(_) => (Network, "connection lost", true, Faulted),
            EgressError::TooLarge { .. } => (ProviderFault, "the answer is too large", true, Neutral),
        },
    }
}

/// What an outcome that the adapter read from a response says about the provider.
fn verdict(outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::Accepted(_) | Outcome::Rejected(_) => Verdict::Worked,
        Outcome::Throttled { retry_after_ms, .. } => Verdict::Throttled(*retry_after_ms),
        Outcome::ServerError(_) | Outcome::Unknown(_) => Verdict::Faulted,
        Outcome::NotSent(failure) if failure.class == ErrorClass::ProviderFault => Verdict::Faulted,
        Outcome::NotSent(_) | Outcome::AdapterFault(_) => Verdict::Neutral,
    }
}
