//! One token and its renewal, which happens once at a time.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use hermes_ports::egress::EgressError;
use parking_lot::RwLock;
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::Instant,
};

use super::token::{Freshness, Token};
use crate::options::Clock;

/// How long a failure of the endpoint answers everybody who asks.
const FAILURE_HOLDS: Duration = Duration::from_secs(1);
/// The same when the endpoint refused the account: nothing changes until somebody changes it.
const REFUSAL_HOLDS: Duration = Duration::from_secs(10);

/// A token shared by all calls of a connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct TokenCell {
    current: Arc<RwLock<Option<Arc<Token>>>>,
    /// Held while a token is asked for; holds how the last attempt failed.
    renewal: Arc<Mutex<Option<Failure>>>,
}

#[derive(Debug)]
struct Failure {
    error: EgressError,
    holds_until: Instant,
}

impl TokenCell {
    /// A usable token; `renew` makes the request for a new one.
    ///
    /// Near its end a token is renewed by a task of its own while it is still handed out. Without a token
    /// all callers wait for one request, and share its failure instead of repeating it one after another.
    ///
    /// # Errors
    /// That of the renewal.
    pub(crate) async fn get<F, R>(&self, now: &Clock, renew: F) -> Result<Arc<Token>, EgressError>
    where
        F: FnOnce() -> R,
        R: Future<Output = Result<Token, EgressError>> + Send + 'static,
    {
        match self.usable(now()) {
            Some((token, Freshness::Fresh)) => return Ok(token),
            Some((token, _)) => {
                if let Ok(turn) = Arc::clone(&self.renewal).try_lock_owned() {
                    self.renew_behind(turn, now, renew());
                }
                return Ok(token);
            }
            None => {}
        }
        let turn = Arc::clone(&self.renewal).lock_owned().await;
        match self.usable(now()) {
            // Somebody else's renewal ended while this call waited for its turn.
            Some((token, _)) => Ok(token),
            None => self.renew_within(turn, renew()).await,
        }
    }

    /// Drops `token` after a refusal, unless it is no longer the current one or too young for a new one
    /// to fare better.
    pub(crate) fn refused(&self, token: &Arc<Token>, now: SystemTime) {
        let mut current = self.current.write();
        let is_current = current.as_ref().is_some_and(|held| Arc::ptr_eq(held, token));
        if is_current && token.is_worth_replacing(now) {
            *current = None;
        }
    }

    fn usable(&self, now: SystemTime) -> Option<(Arc<Token>, Freshness)> {
        let token = self.current.read().clone()?;
        let freshness = token.freshness(now);
        (freshness != Freshness::Expired).then_some((token, freshness))
    }

    fn renew_behind<R>(&self, turn: OwnedMutexGuard<Option<Failure>>, now: &Clock, renewal: R)
    where
        R: Future<Output = Result<Token, EgressError>> + Send + 'static,
    {
        // Between the look at the token and the turn, another task may have finished.
        if matches!(self.usable(now()), Some((_, Freshness::Fresh))) {
            return;
        }
        let cell = self.clone();
        tokio::spawn(async move {
            if let Err(error) = cell.renew_within(turn, renewal).await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "early renewal of an access token failed"
                );
            }
        });
    }

    async fn renew_within<R>(
        &self,
        mut turn: OwnedMutexGuard<Option<Failure>>,
        renewal: R,
    ) -> Result<Arc<Token>, EgressError>
    where
        R: Future<Output = Result<Token, EgressError>>,
    {
        if let Some(failure) = turn.as_ref().filter(|failure| Instant::now() < failure.holds_until) {
            return Err(failure.error.clone());
        }
        match renewal.await {
            Ok(token) => {
                let token = Arc::new(token);
                *self.current.write() = Some(Arc::clone(&token));
                *turn = None;
                Ok(token)
            }
            Err(error) => {
                let refused = matches!(error, EgressError::Credentials(_));
                let holds = if refused { REFUSAL_HOLDS } else { FAILURE_HOLDS };
                *turn = Some(Failure { error: error.clone(), holds_until: Instant::now() + holds });
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests;
