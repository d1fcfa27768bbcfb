//! Plays calls of one adapter: hands it answers until it has finished, with everything watched.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hermes_domain::{
    ConnectionId, UnixMillis, address::Channel, connection::Connection, message::Mode, outcome::Outcome,
};
use hermes_ports::{
    adapter::{
        AdapterFault, AdapterHost, AdapterStep, ConnectionAccess, Descriptor, LookupQuery, Pending,
        ReceiveResult, Secrets, SendCall,
    },
    http::{HttpRequest, HttpResponse, Webhook},
};
use serde_json::Value;

use crate::{
    capture::Capture,
    render,
    watch::{Seat, Watch},
};

/// Rounds after which a call is given up: more than any host allows.
const ROUNDS_MAX: usize = 16;

/// An adapter under test.
pub(crate) struct Bench<'a> {
    host: &'a dyn AdapterHost,
    adapter: &'a str,
    pub(crate) descriptor: Arc<Descriptor>,
    capture: Capture,
    watch: Mutex<Watch>,
}

/// What an adapter is asked.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    Send(SendCall),
    Check,
    Lookup(LookupQuery),
    Webhook(Webhook),
}

impl Call {
    /// What is being done, for reports.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Send(_) => "send",
            Self::Check => "check",
            Self::Lookup(_) => "lookup",
            Self::Webhook(_) => "webhook",
        }
    }
}

/// What a call ended in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    Outcome(Outcome),
    /// A lookup that the adapter does not make.
    CannotTell,
    Webhook(ReceiveResult),
}

/// What an adapter wants next.
#[derive(Debug)]
pub(crate) enum Step {
    Asked(HttpRequest, Pending),
    Ended(End),
}

/// Why a call has no end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    Fault(AdapterFault),
    /// The player had no answer to a request.
    NoAnswer,
}

impl<'a> Bench<'a> {
    /// `None` where the host has no such adapter.
    pub(crate) fn new(host: &'a dyn AdapterHost, adapter: &'a str, capture: Capture) -> Option<Self> {
        let descriptor = host.descriptor(adapter)?;
        Some(Self { host, adapter, descriptor, capture, watch: Mutex::default() })
    }

    /// A connection with these settings and credentials.
    pub(crate) fn seat(&self, config: &BTreeMap<String, Value>, secrets: &BTreeMap<String, String>) -> Seat {
        let connection = Connection {
            id: ConnectionId::new(UnixMillis(0), 1),
            tenant: None,
            mode: Mode::Test,
            provider: self.adapter.to_owned(),
            name: "kit".to_owned(),
            channel: self.descriptor.channels.first().copied().unwrap_or(Channel::Sms),
            config: config.clone(),
            rate_per_s: None,
            held: false,
            created_at: UnixMillis(0),
        };
        let secrets = Arc::new(Secrets(secrets.clone()));
        Seat::new(ConnectionAccess { connection: Arc::new(connection), secrets }, &self.descriptor)
    }

    /// Begins a call.
    ///
    /// # Errors
    /// The adapter's fault.
    pub(crate) fn begin(&self, seat: &Seat, call: &Call) -> Result<Step, AdapterFault> {
        let access = &seat.access;
        let step = match call {
            Call::Send(message) => self.host.send(access, message).map(outcome_step),
            Call::Check => self.host.check(access).map(outcome_step),
            Call::Lookup(query) => self
                .host
                .lookup(access, query)
                .map(|step| step.map_or(Step::Ended(End::CannotTell), outcome_step)),
            Call::Webhook(webhook) => self.host.receive(access, webhook).map(webhook_step),
        };
        self.watched(seat, call, step)
    }

    /// Goes on with an answer.
    ///
    /// # Errors
    /// The adapter's fault.
    pub(crate) fn resume(
        &self,
        seat: &Seat,
        call: &Call,
        pending: Pending,
        response: &HttpResponse,
    ) -> Result<Step, AdapterFault> {
        let step = match call {
            Call::Send(_) | Call::Check | Call::Lookup(_) => {
                self.host.resume_send(&seat.access, pending, response).map(outcome_step)
            }
            Call::Webhook(webhook) => {
                self.host.resume_receive(&seat.access, webhook, pending, response).map(webhook_step)
            }
        };
        self.watched(seat, call, step)
    }

    /// Runs a call to its end, with `answer` in the provider's place.
    ///
    /// # Errors
    /// A fault, or a request without an answer.
    pub(crate) fn play(
        &self,
        seat: &Seat,
        call: &Call,
        answer: &mut dyn FnMut(&HttpRequest) -> Option<HttpResponse>,
    ) -> Result<End, Stop> {
        let begun = self.begin(seat, call).map_err(Stop::Fault)?;
        self.finish(seat, call, begun, answer)
    }

    /// Runs a call on from `step`.
    ///
    /// # Errors
    /// As [`Self::play`].
    pub(crate) fn finish(
        &self,
        seat: &Seat,
        call: &Call,
        mut step: Step,
        answer: &mut dyn FnMut(&HttpRequest) -> Option<HttpResponse>,
    ) -> Result<End, Stop> {
        for _ in 0..ROUNDS_MAX {
            step = match step {
                Step::Ended(end) => return Ok(end),
                Step::Asked(request, pending) => {
                    let response = answer(&request).ok_or(Stop::NoAnswer)?;
                    self.resume(seat, call, pending, &response).map_err(Stop::Fault)?
                }
            };
        }
        Err(Stop::Fault(AdapterFault::Contract(format!("it has not ended after {ROUNDS_MAX} requests"))))
    }

    /// What was seen so far.
    pub(crate) fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watched(
        &self,
        seat: &Seat,
        call: &Call,
        step: Result<Step, AdapterFault>,
    ) -> Result<Step, AdapterFault> {
        let (mut watch, doing) = (self.watch(), call.word());
        match &step {
            Ok(Step::Asked(request, pending)) => {
                watch.request(seat, &self.descriptor, doing, request);
                watch.text(seat, doing, "the adapter's notes", &String::from_utf8_lossy(&pending.state));
            }
            Ok(Step::Ended(end)) => watch.text(seat, doing, "the outcome", &render::end(end).to_string()),
            Err(fault) => watch.text(seat, doing, "a fault", &fault.to_string()),
        }
        for line in self.capture.take() {
            watch.text(seat, doing, "a log line or a metric", &line);
        }
        step
    }
}

fn outcome_step(step: AdapterStep<Outcome>) -> Step {
    match step {
        AdapterStep::Request(request, pending) => Step::Asked(request, pending),
        AdapterStep::Done(outcome) => Step::Ended(End::Outcome(outcome)),
    }
}

fn webhook_step(step: AdapterStep<ReceiveResult>) -> Step {
    match step {
        AdapterStep::Request(request, pending) => Step::Asked(request, pending),
        AdapterStep::Done(result) => Step::Ended(End::Webhook(result)),
    }
}
