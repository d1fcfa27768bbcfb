//! An HTTP client that answers from a script.

use std::{collections::VecDeque, fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use hermes_domain::ConnectionId;
use hermes_ports::{
    Egress,
    egress::{Caller, EgressError},
    http::{HttpRequest, HttpResponse},
};
use parking_lot::Mutex;

/// Answers requests in order from its script, then 200 without a body; remembers them.
#[derive(Default)]
pub struct ScriptedEgress {
    script: Mutex<VecDeque<Result<HttpResponse, EgressError>>>,
    requests: Mutex<Vec<HttpRequest>>,
    forgotten: Mutex<Vec<ConnectionId>>,
}

impl ScriptedEgress {
    /// A client with an empty script.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an answer.
    pub fn answer(&self, status: u16, body: &str) {
        let body = Bytes::copy_from_slice(body.as_bytes());
        self.script.lock().push_back(Ok(HttpResponse { status, headers: Vec::new(), body }));
    }

    /// Appends a failure.
    pub fn fail(&self, error: EgressError) {
        self.script.lock().push_back(Err(error));
    }

    /// Every request so far, in order.
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.requests.lock().clone()
    }

    /// Connections whose tokens were forgotten, in order.
    pub fn forgotten(&self) -> Vec<ConnectionId> {
        self.forgotten.lock().clone()
    }
}

impl fmt::Debug for ScriptedEgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedEgress")
            .field("requests", &self.requests.lock().len())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Egress for ScriptedEgress {
    async fn perform(
        &self,
        _caller: Caller<'_>,
        request: HttpRequest,
        _limit: Duration,
    ) -> Result<HttpResponse, EgressError> {
        self.requests.lock().push(request);
        let empty = || Ok(HttpResponse { status: 200, headers: Vec::new(), body: Bytes::new() });
        self.script.lock().pop_front().unwrap_or_else(empty)
    }

    fn forget(&self, connection: ConnectionId) {
        self.forgotten.lock().push(connection);
    }
}
