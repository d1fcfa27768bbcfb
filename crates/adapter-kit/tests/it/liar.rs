//! A host whose adapter does one thing wrong, and nothing else.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use hermes_domain::{
    address::Channel,
    cascade::AdapterVersion,
    outcome::{Acceptance, ErrorClass, Failure, Level, Outcome, Receipt, ReceiptStatus},
};
use hermes_ports::{
    adapter::{
        AdapterFault, AdapterHost, AdapterInfo, AdapterRejected, AdapterStep, ConnectionAccess, Descriptor,
        FieldSpec, Idempotency, Pending, ReceiveResult, Received, ReceivedEntry, SendCall, WebhookRefusal,
    },
    http::{AuthScheme, HttpRequest, HttpResponse, Method, RequestEffect, Webhook},
};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Nothing.
    None,
    /// A request goes to a host that was not declared.
    ForeignHost,
    /// A request goes to a declared host without TLS.
    PlainHttp,
    /// The URL holds a secret.
    SecretInUrl,
    /// A header holds a secret, in base64.
    SecretInHeader,
    /// The notes hold a secret.
    SecretInNotes,
    /// An outcome holds a secret.
    SecretInOutcome,
    /// A log line holds a secret.
    SecretInLog,
    /// A metric is named by a secret.
    SecretInMetric,
    /// A reply to a webhook holds a secret.
    SecretInReply,
    /// Any webhook is taken.
    TakesAnything,
    /// Only the length of a signature counts.
    TakesAnySignature,
    /// Whoever signs with no key at all is believed.
    TakesNoKey,
    /// It traps on status 418.
    TrapsOnTeapot,
    /// It traps on an answer with a zero byte.
    TrapsOnZero,
    /// It traps on a webhook with a zero byte.
    TrapsOnZeroWebhook,
    /// Any answer counts as accepted.
    Guesses,
    /// It asks without end.
    Endless,
}

/// The host.
pub(crate) struct Liar(pub(crate) Lie);

/// Signs as the made-up provider does: the sum of all bytes.
pub(crate) fn signature(key: &str, body: &[u8]) -> String {
    let sum = key.bytes().chain(body.iter().copied()).enumerate();
    let sum = sum.fold(7_u64, |sum, (at, byte)| sum.rotate_left(5) ^ (u64::from(byte) * (at as u64 + 3)));
    format!("{sum:016x}")
}

impl Liar {
    fn is(&self, lie: Lie) -> bool {
        self.0 == lie
    }

    fn asked(&self, access: &ConnectionAccess, effect: RequestEffect) -> AdapterStep<Outcome> {
        let secret = access.secrets.get("token").unwrap_or_default();
        let url = match self.0 {
            Lie::ForeignHost => "https://api.evil.example/v1".to_owned(),
            Lie::PlainHttp => "http://api.liar.example/v1".to_owned(),
            Lie::SecretInUrl => format!("https://api.liar.example/v1?token={secret}"),
            _ => "https://api.liar.example/v1".to_owned(),
        };
        let mut headers = Vec::new();
        if self.is(Lie::SecretInHeader) {
            use base64::Engine as _;
            headers.push(("x-key".to_owned(), base64::prelude::BASE64_STANDARD.encode(secret)));
        }
        if self.is(Lie::SecretInLog) {
            tracing::info!(adapter.line = secret, "adapter says");
        }
        if self.is(Lie::SecretInMetric) {
            metrics::counter!("hermes_adapter_events_total", "event" => secret.to_owned()).increment(1);
        }
        let state = if self.is(Lie::SecretInNotes) { secret.as_bytes().to_vec() } else { Vec::new() };
        let auth = AuthScheme::Bearer { token: "token".to_owned() };
        let request = HttpRequest { method: Method::Post, url, headers, body: Bytes::new(), auth, effect };
        let version = AdapterVersion(1);
        AdapterStep::Request(
            request,
            Pending { version, state: state.into(), round: 1, submitted: true, pin: Arc::new(()) },
        )
    }
}

impl AdapterHost for Liar {
    fn descriptor(&self, adapter: &str) -> Option<Arc<Descriptor>> {
        let field =
            FieldSpec { name: "token".to_owned(), required: true, public: false, description: String::new() };
        (adapter == "liar").then(|| {
            Arc::new(Descriptor {
                name: "liar".to_owned(),
                version: "1.0.0".to_owned(),
                channels: vec![Channel::Sms],
                credentials: vec![field],
                config: Vec::new(),
                hosts: vec!["api.liar.example".to_owned(), "backup.liar.example".to_owned()],
                idempotency: Idempotency::None,
                confirms: BTreeMap::from([(Channel::Sms, Level::Delivered)]),
                default_rate_per_s: 1,
                has_lookup: false,
                account_setting: None,
                suppression_list: None,
            })
        })
    }

    fn active_version(&self, _adapter: &str) -> Option<AdapterVersion> {
        Some(AdapterVersion(1))
    }

    fn send(
        &self,
        access: &ConnectionAccess,
        _call: &SendCall,
    ) -> Result<AdapterStep<Outcome>, AdapterFault> {
        Ok(self.asked(access, RequestEffect::Submits))
    }

    fn resume_send(
        &self,
        access: &ConnectionAccess,
        _pending: Pending,
        response: &HttpResponse,
    ) -> Result<AdapterStep<Outcome>, AdapterFault> {
        let trapped = || Err(AdapterFault::Trap("unreachable".to_owned()));
        match self.0 {
            Lie::TrapsOnTeapot if response.status == 418 => return trapped(),
            Lie::TrapsOnZero if response.body.contains(&0) => return trapped(),
            Lie::Endless => return Ok(self.asked(access, RequestEffect::Safe)),
            _ => {}
        }
        let accepted = self.is(Lie::Guesses) || (response.status == 201 && !response.body.is_empty());
        if accepted {
            return Ok(AdapterStep::Done(Outcome::Accepted(Acceptance::default())));
        }
        let secret = access.secrets.get("token").filter(|_| self.is(Lie::SecretInOutcome));
        let failure = Failure::new(ErrorClass::Unknown, secret.unwrap_or("refused"));
        Ok(AdapterStep::Done(Outcome::Rejected(failure)))
    }

    fn receive(
        &self,
        access: &ConnectionAccess,
        webhook: &Webhook,
    ) -> Result<AdapterStep<ReceiveResult>, AdapterFault> {
        if self.is(Lie::TrapsOnZeroWebhook) && webhook.body.contains(&0) {
            return Err(AdapterFault::Trap("unreachable".to_owned()));
        }
        let key = access.secrets.get("token");
        let given = webhook.headers.iter().find(|(name, _)| name == "x-signature");
        let given = given.map(|(_, value)| value.as_str()).unwrap_or_default();
        let right = match self.0 {
            Lie::TakesAnything => true,
            Lie::TakesAnySignature => given.len() == 16,
            Lie::TakesNoKey => key.is_none_or(|key| signature(key, &webhook.body) == given),
            _ => key.is_some_and(|key| signature(key, &webhook.body) == given),
        };
        if !right {
            return Ok(AdapterStep::Done(Err(WebhookRefusal::BadSignature)));
        }
        let receipt = Receipt::of(ReceiptStatus::Reached(Level::Delivered));
        let entries = vec![ReceivedEntry::Receipt { reference: None, account: None, receipt }];
        let reply =
            key.filter(|_| self.is(Lie::SecretInReply)).map(|key| ("text/plain".to_owned(), key.to_owned()));
        Ok(AdapterStep::Done(Ok(Received { entries, unreadable: 0, reply })))
    }

    fn resume_receive(
        &self,
        _access: &ConnectionAccess,
        _webhook: &Webhook,
        _pending: Pending,
        _response: &HttpResponse,
    ) -> Result<AdapterStep<ReceiveResult>, AdapterFault> {
        Ok(AdapterStep::Done(Err(WebhookRefusal::Malformed)))
    }

    fn check(&self, access: &ConnectionAccess) -> Result<AdapterStep<Outcome>, AdapterFault> {
        Ok(self.asked(access, RequestEffect::Safe))
    }

    fn install(&self, _name: &str, _component: &[u8]) -> Result<AdapterInfo, AdapterRejected> {
        Err(AdapterRejected::NotAComponent("it is none".to_owned()))
    }

    fn activate(&self, _name: &str, version: AdapterVersion) -> Result<AdapterInfo, AdapterRejected> {
        Err(AdapterRejected::UnknownVersion(version.to_string()))
    }

    fn canary(&self, _: &str, version: AdapterVersion, _: u8) -> Result<AdapterInfo, AdapterRejected> {
        Err(AdapterRejected::UnknownVersion(version.to_string()))
    }

    fn list(&self) -> Vec<AdapterInfo> {
        Vec::new()
    }
}
