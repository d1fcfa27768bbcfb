//! A network that answers as it is told.

use std::time::Duration;

use async_trait::async_trait;
use hermes_domain::ConnectionId;
use hermes_ports::{
    Egress,
    egress::{Caller, EgressError},
    http::{HttpRequest, HttpResponse},
};
use parking_lot::Mutex;

/// What becomes of a request.
#[derive(Clone)]
pub(crate) enum Reply {
    Answer(HttpResponse),
    Fails(EgressError),
    Hangs,
}

type Script = Box<dyn FnMut(ConnectionId, &HttpRequest) -> Reply + Send>;

pub(crate) struct FakeEgress {
    script: Mutex<Script>,
    pub(crate) requests: Mutex<Vec<(ConnectionId, String)>>,
    pub(crate) forgotten: Mutex<Vec<ConnectionId>>,
}

/// A response.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
    let headers = headers.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Reply::Answer(HttpResponse { status, headers, body: body.to_owned().into() })
}

impl FakeEgress {
    pub(crate) fn new() -> Self {
        Self {
            script: Mutex::new(Box::new(|_, _| answer(202, &[], "SM1"))),
            requests: Mutex::default(),
            forgotten: Mutex::default(),
        }
    }

    pub(crate) fn script(&self, script: impl FnMut(ConnectionId, &HttpRequest) -> Reply + Send + 'static) {
        *self.script.lock() = Box::new(script);
    }

    pub(crate) fn always(&self, reply: Reply) {
        self.script(move |_, _| reply.clone());
    }

    pub(crate) fn sent(&self) -> usize {
        self.requests.lock().len()
    }
}

#[async_trait]
impl Egress for FakeEgress {
    async fn perform(
        &self,
        caller: Caller<'_>,
        request: HttpRequest,
        limit: Duration,
    ) -> Result<HttpResponse, EgressError> {
        let Caller::Adapter { access, .. } = caller else { panic!("providers call as adapters") };
        let id = access.connection.id;
        self.requests.lock().push((id, request.url.clone()));
        let reply = (self.script.lock())(id, &request);
        tokio::task::yield_now().await;
        match reply {
            Reply::Answer(response) => Ok(response),
            Reply::Fails(error) => Err(error),
            Reply::Hangs => {
                tokio::time::sleep(limit).await;
                Err(EgressError::Timeout { limit_ms: limit.as_millis() as u64 })
            }
        }
    }

    fn forget(&self, connection: ConnectionId) {
        self.forgotten.lock().push(connection);
    }
}

impl std::fmt::Debug for FakeEgress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FakeEgress")
    }
}
