//! Operations on a provider's suppression list.

use hermes_domain::outcome::{ErrorClass, Failure};
use hermes_ports::{
    adapter::{AdapterFault, AdapterStep, ListAnswer, ListOperation},
    http::RequestEffect,
};

use super::{session::Session, submit};

/// More rounds than any host allows.
const ROUNDS_MAX: usize = 16;

/// Runs an operation. `None`: the provider has no list.
pub(crate) async fn list(session: &Session, operation: ListOperation) -> Option<ListAnswer> {
    let first = session.guest(move |host, access| host.suppression_list(access, &operation)).await;
    let mut step = first.transpose()?;
    for _ in 0..ROUNDS_MAX {
        let (request, pending) = match step {
            Ok(AdapterStep::Request(request, pending)) => (request, pending),
            Ok(AdapterStep::Done(answer)) => return Some(answer),
            Err(fault) => return Some(failed(&fault)),
        };
        if request.effect == RequestEffect::Submits {
            return Some(failed(&AdapterFault::Contract("a list may not submit anything".to_owned())));
        }
        let response = match session.perform(request).await {
            Ok(response) => response,
            Err(cause) => {
                let (class, words, ..) = submit::read(&cause);
                return Some(ListAnswer::Failed(Failure::new(class, words)));
            }
        };
        let resume =
            session.guest(move |host, access| host.resume_suppression_list(access, pending, &response));
        step = resume.await;
    }
    Some(failed(&AdapterFault::Contract("too many rounds".to_owned())))
}

fn failed(fault: &AdapterFault) -> ListAnswer {
    ListAnswer::Failed(Failure::new(ErrorClass::Unknown, &fault.to_string()))
}
