//! Tenants' servers that answer as they are told.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hermes_domain::ConnectionId;
use hermes_ports::{
    Egress,
    egress::{Caller, EgressError},
    http::{HttpRequest, HttpResponse},
};
use parking_lot::Mutex;
use tokio::time::Instant;

/// A request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) at: Instant,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Post {
    pub(crate) fn header(&self, name: &str) -> &str {
        &self.headers.iter().find(|(key, _)| key == name).expect("the header is there").1
    }
}

type Answer = Result<HttpResponse, EgressError>;
type Script = Box<dyn FnMut(&Post) -> Answer + Send>;

pub(crate) struct FakeEgress {
    script: Mutex<Script>,
    pub(crate) posts: Mutex<Vec<Post>>,
    /// How long an answer takes.
    pub(crate) takes: Mutex<Duration>,
    /// (Requests under way, the most there ever were).
    pub(crate) under_way: Mutex<(usize, usize)>,
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)]) -> Answer {
    let headers = headers.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Ok(HttpResponse { status, headers, body: Bytes::new() })
}

impl FakeEgress {
    pub(crate) fn new() -> Self {
        Self {
            script: Mutex::new(Box::new(|_| answer(204, &[]))),
            posts: Mutex::default(),
            takes: Mutex::new(Duration::from_millis(10)),
            under_way: Mutex::default(),
        }
    }

    pub(crate) fn script(&self, script: impl FnMut(&Post) -> Answer + Send + 'static) {
        *self.script.lock() = Box::new(script);
    }

    pub(crate) fn always(&self, answer: Answer) {
        self.script(move |_| answer.clone());
    }

    /// Ids of the events that arrived, in order of arrival.
    pub(crate) fn events(&self) -> Vec<String> {
        self.posts.lock().iter().map(|post| post.header("webhook-id").to_owned()).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.posts.lock().len()
    }
}

#[async_trait]
impl Egress for FakeEgress {
    async fn perform(&self, caller: Caller<'_>, request: HttpRequest, limit: Duration) -> Answer {
        assert!(matches!(caller, Caller::TenantWebhook), "tenants' servers are called as such");
        let HttpRequest { url, headers, body, .. } = request;
        let post = Post { at: Instant::now(), url, headers, body };
        let answer = (self.script.lock())(&post);
        self.posts.lock().push(post);
        {
            let mut under_way = self.under_way.lock();
            under_way.0 += 1;
            under_way.1 = under_way.1.max(under_way.0);
        }
        let takes = *self.takes.lock();
        tokio::time::sleep(takes.min(limit)).await;
        self.under_way.lock().0 -= 1;
        if takes > limit { Err(EgressError::Timeout { limit_ms: limit.as_millis() as u64 }) } else { answer }
    }

    fn forget(&self, _: ConnectionId) {}
}

impl std::fmt::Debug for FakeEgress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FakeEgress")
    }
}
