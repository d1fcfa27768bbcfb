//! Asks an actor with a deadline, and answers without dying of a caller that left.
//!
//! ractor's `call` without a timeout waits for ever, and `reply.send(x)?` in a handler ends the
//! actor when its caller has given up. These two helpers are the only way the project asks.

use std::time::Duration;

use ractor::rpc::CallResult;
use ractor::{ActorRef, Message, RpcReplyPort};

/// Why there is no answer. Both are transient: the actor may answer later or have a successor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The actor did not answer in time. **It may still do the work**, unless it looks at
    /// `reply.is_closed()` first.
    #[error("the actor did not answer within {} ms", waited.as_millis())]
    Timeout {
        /// The deadline that passed.
        waited: Duration,
    },
    /// The actor has ended, or dropped the question unanswered.
    #[error("the actor is gone")]
    Gone,
}

/// Sends the message that `question` builds and waits for its answer, at most `limit`.
///
/// Cancel-safe: dropping the future closes the reply port, which the actor can see.
///
/// # Errors
/// [`AskError`] says which of the two happened.
pub async fn ask<M, R>(
    actor: &ActorRef<M>,
    question: impl FnOnce(RpcReplyPort<R>) -> M,
    limit: Duration,
) -> Result<R, AskError>
where
    M: Message,
    R: Send + 'static,
{
    match actor.call(question, Some(limit)).await {
        Ok(CallResult::Success(answer)) => Ok(answer),
        Ok(CallResult::Timeout) => Err(AskError::Timeout { waited: limit }),
        // The address is typed, so a message of the wrong type cannot be what failed here.
        Ok(CallResult::SenderError) | Err(_) => Err(AskError::Gone),
    }
}

/// Answers a question.
pub fn answer<R: Send + 'static>(reply: RpcReplyPort<R>, value: R) {
    let _ = reply.send(value); // The caller may have timed out.
}
