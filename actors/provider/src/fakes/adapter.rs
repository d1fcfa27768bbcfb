//! An adapter that reads status codes.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use bytes::Bytes;
use hermes_domain::{
    cascade::AdapterVersion,
    outcome::{Acceptance, ErrorClass, Failure, Outcome},
};
use hermes_ports::{
    adapter::{
        AdapterFault, AdapterHost, AdapterInfo, AdapterRejected, AdapterStep, ConnectionAccess, Descriptor,
        Idempotency, Pending, ReceiveResult, Received, SendCall, WebhookRefusal,
    },
    http::{AuthScheme, HttpRequest, HttpResponse, Method, RequestEffect, Webhook},
};
use parking_lot::Mutex;

pub(crate) const VERSION: AdapterVersion = AdapterVersion(0xA1);

/// Hosts one adapter, `fake`.
#[derive(Default)]
pub(crate) struct FakeHost {
    /// Faults of the next calls of `send` and `resume_send`.
    pub(crate) send_fault: Mutex<Option<AdapterFault>>,
    pub(crate) resume_fault: Mutex<Option<AdapterFault>>,
    /// Whether a safe request comes before the submitting one.
    pub(crate) logs_in: AtomicBool,
    /// Whether it tries to submit again after a success.
    pub(crate) submits_again: AtomicBool,
    pub(crate) unloaded: AtomicBool,
    pub(crate) guests: AtomicU32,
}

pub(crate) fn request(effect: RequestEffect, method: Method, url: &str) -> HttpRequest {
    HttpRequest {
        method,
        url: url.to_owned(),
        headers: Vec::new(),
        body: Bytes::new(),
        auth: AuthScheme::None,
        effect,
    }
}

fn step<T>(request: HttpRequest, round: u8) -> AdapterStep<T> {
    let submitted = request.effect == RequestEffect::Submits;
    let pending = Pending { version: VERSION, state: Bytes::new(), round, submitted, pin: Arc::new(()) };
    AdapterStep::Request(request, pending)
}

fn submission<T>(round: u8) -> AdapterStep<T> {
    step(request(RequestEffect::Submits, Method::Post, "https://api.fake.test/messages"), round)
}

fn failure(class: ErrorClass) -> Failure {
    Failure::new(class, "scripted")
}

fn outcome(response: &HttpResponse) -> Outcome {
    match response.status {
        200..=299 => Outcome::Accepted(Acceptance {
            provider_message_id: Some(String::from_utf8_lossy(&response.body).into_owned()),
            ..Acceptance::default()
        }),
        429 => Outcome::Throttled {
            retry_after_ms: response.header("retry-after").map(|s| s.parse::<u64>().unwrap() * 1_000),
            failure: failure(ErrorClass::ProviderThrottled),
        },
        500.. => Outcome::ServerError(failure(ErrorClass::ProviderFault)),
        _ => Outcome::Rejected(failure(ErrorClass::RecipientPermanent)),
    }
}

impl AdapterHost for FakeHost {
    fn descriptor(&self, adapter: &str) -> Option<Arc<Descriptor>> {
        (adapter == "fake" && !self.unloaded.load(Ordering::SeqCst)).then(|| {
            Arc::new(Descriptor {
                name: "fake".to_owned(),
                version: "1.0.0".to_owned(),
                channels: Vec::new(),
                credentials: Vec::new(),
                config: Vec::new(),
                hosts: vec!["api.fake.test".to_owned()],
                idempotency: Idempotency::None,
                confirms: Default::default(),
                default_rate_per_s: 10,
                has_lookup: false,
                account_setting: None,
                suppression_list: None,
            })
        })
    }

    fn active_version(&self, adapter: &str) -> Option<AdapterVersion> {
        self.descriptor(adapter).map(|_| VERSION)
    }

    fn send(&self, _: &ConnectionAccess, _: &SendCall) -> Result<AdapterStep<Outcome>, AdapterFault> {
        self.guests.fetch_add(1, Ordering::SeqCst);
        if let Some(fault) = self.send_fault.lock().take() {
            return Err(fault);
        }
        if self.logs_in.load(Ordering::SeqCst) {
            return Ok(step(request(RequestEffect::Safe, Method::Post, "https://api.fake.test/login"), 1));
        }
        Ok(submission(1))
    }

    fn resume_send(
        &self,
        _: &ConnectionAccess,
        pending: Pending,
        response: &HttpResponse,
    ) -> Result<AdapterStep<Outcome>, AdapterFault> {
        if let Some(fault) = self.resume_fault.lock().take() {
            return Err(fault);
        }
        if !pending.submitted && pending.round < 9 {
            return Ok(submission(2));
        }
        if response.status == 401 && pending.round < 3 || self.submits_again.load(Ordering::SeqCst) {
            return Ok(submission(3));
        }
        Ok(AdapterStep::Done(outcome(response)))
    }

    fn receive(
        &self,
        _: &ConnectionAccess,
        webhook: &Webhook,
    ) -> Result<AdapterStep<ReceiveResult>, AdapterFault> {
        match &*webhook.body {
            b"signed" => {
                let url = "https://api.fake.test/cert.pem";
                Ok(step(request(RequestEffect::Safe, Method::Get, url), 1))
            }
            b"submits" => Ok(submission(1)),
            _ => Ok(AdapterStep::Done(Err(WebhookRefusal::Malformed))),
        }
    }

    fn resume_receive(
        &self,
        _: &ConnectionAccess,
        _: &Webhook,
        _: Pending,
        _: &HttpResponse,
    ) -> Result<AdapterStep<ReceiveResult>, AdapterFault> {
        Ok(AdapterStep::Done(Ok(Received { entries: Vec::new(), unreadable: 0, reply: None })))
    }

    fn check(&self, _: &ConnectionAccess) -> Result<AdapterStep<Outcome>, AdapterFault> {
        Ok(step(request(RequestEffect::Safe, Method::Get, "https://api.fake.test/account"), 9))
    }

    fn install(&self, _: &str, _: &[u8]) -> Result<AdapterInfo, AdapterRejected> {
        Err(AdapterRejected::NotAComponent("fake".to_owned()))
    }

    fn activate(&self, _: &str, version: AdapterVersion) -> Result<AdapterInfo, AdapterRejected> {
        Err(AdapterRejected::UnknownVersion(version.to_string()))
    }

    fn canary(&self, _: &str, version: AdapterVersion, _: u8) -> Result<AdapterInfo, AdapterRejected> {
        Err(AdapterRejected::UnknownVersion(version.to_string()))
    }

    fn list(&self) -> Vec<AdapterInfo> {
        Vec::new()
    }
}
