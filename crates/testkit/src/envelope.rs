//! Builds envelopes. Every one has an id of its own.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use hermes_domain::{
    ConnectionId, MessageId, TenantId, UnixMillis,
    address::{Channel, Email, Phone, PushToken, Recipient},
    content::Content,
    message::{Envelope, Lane, Mode},
    outcome::Level,
    plan::{Candidate, OnLateReceipt, OnServerError, OnUnknownOutcome, Plan, Step},
};

/// When tests begin: 2026-01-02T03:04:05Z.
pub const START: UnixMillis = UnixMillis(1_767_323_045_000);

/// Sequence numbers fill 14 bits of a message id.
const PER_MS: u64 = 1 << 14;

/// The connection that tests call by this number.
pub const fn connection(number: u64) -> ConnectionId {
    ConnectionId::new(START, number as u128)
}

/// The tenant that tests call by this number.
pub const fn tenant(number: u64) -> TenantId {
    TenantId::new(START, number as u128)
}

/// A message id that this process has not used yet; later ones are greater within a partition.
pub fn message_id(partition: u8) -> MessageId {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let sequence = (number % PER_MS) as u16; // Below 2^14 by the line above.
    MessageId::mint(START.plus_ms(number / PER_MS), partition, sequence, number)
}

/// A message of tenant 1 to a recipient with every address, without steps yet.
pub fn envelope() -> EnvelopeBuilder {
    EnvelopeBuilder {
        envelope: Envelope {
            v: Envelope::VERSION,
            id: message_id(3),
            tenant: tenant(1),
            mode: Mode::Live,
            to: everywhere(),
            content: Content { text: Some("Order 1042 has shipped".into()), ..Content::default() },
            template: None,
            cascade: None,
            plan: Plan {
                steps: Vec::new(),
                on_late_receipt: OnLateReceipt::default(),
                on_unknown_outcome: OnUnknownOutcome::default(),
                on_server_error: OnServerError::default(),
                attempts_per_step: 5,
            },
            sender: BTreeMap::new(),
            lane: Lane::Transactional,
            send_at: None,
            held_for: None,
            max_cost: None,
            country: None,
            expires_at: START.plus_s(72 * 3_600),
            created_at: START,
            tags: Vec::new(),
            metadata: BTreeMap::new(),
            warnings: Vec::new(),
            traceparent: None,
            redrive_of: None,
            erased_at: None,
        },
    }
}

fn everywhere() -> Recipient {
    Recipient {
        phone: Phone::parse("+4520123456").ok(),
        email: Email::parse("a@example.dk").ok(),
        whatsapp: Phone::parse("+4520123456").ok(),
        push: vec![PushToken { token: "a-token".into(), platform: None }],
        ..Recipient::default()
    }
}

/// See [`envelope`]. Steps run in the order they are added.
#[derive(Clone, Debug)]
pub struct EnvelopeBuilder {
    envelope: Envelope,
}

impl EnvelopeBuilder {
    /// Adds an SMS step through connection 1: delivered within 90 s.
    pub fn sms(self) -> Self {
        self.step(Channel::Sms, &[1], Level::Delivered, 90)
    }

    /// Adds an email step through connection 2: delivered within 900 s.
    pub fn email(self) -> Self {
        self.step(Channel::Email, &[2], Level::Delivered, 900)
    }

    /// Adds a push step through connection 3: accepted within 60 s.
    pub fn push(self) -> Self {
        self.step(Channel::Push, &[3], Level::Accepted, 60)
    }

    /// Adds a WhatsApp step through connection 4: delivered within 120 s.
    pub fn whatsapp(self) -> Self {
        self.step(Channel::Whatsapp, &[4], Level::Delivered, 120)
    }

    /// Adds a step through numbered connections, in order.
    pub fn step(mut self, channel: Channel, connections: &[u64], success_on: Level, timeout_s: u32) -> Self {
        let candidate = |number: &u64| Candidate {
            connection: connection(*number),
            name: format!("connection-{number}"),
            provider: "fake".into(),
            price: None,
        };
        let candidates = connections.iter().map(candidate).collect();
        self.envelope.plan.steps.push(Step {
            channel,
            candidates,
            success_on,
            timeout_s,
            parts: 1,
            considered: Vec::new(),
        });
        self
    }

    /// Puts the message into a partition (3 otherwise).
    pub fn partition(mut self, partition: u8) -> Self {
        self.envelope.id = message_id(partition);
        self
    }

    /// Gives it this id.
    pub fn id(mut self, id: MessageId) -> Self {
        self.envelope.id = id;
        self
    }

    /// Makes it a message of another tenant.
    pub fn tenant(mut self, tenant: TenantId) -> Self {
        self.envelope.tenant = tenant;
        self
    }

    /// Makes it a test message.
    pub fn test_mode(mut self) -> Self {
        self.envelope.mode = Mode::Test;
        self
    }

    /// Sets its lane.
    pub fn lane(mut self, lane: Lane) -> Self {
        self.envelope.lane = lane;
        self
    }

    /// Adds a tag.
    pub fn tag(mut self, tag: &str) -> Self {
        self.envelope.tags.push(tag.into());
        self
    }

    /// Sends it to another phone.
    ///
    /// # Panics
    /// When that is no phone number.
    pub fn to_phone(mut self, phone: &str) -> Self {
        self.envelope.to.phone = Some(Phone::parse(phone).expect("a valid phone number"));
        self.envelope.to.whatsapp = self.envelope.to.phone.clone();
        self
    }

    /// Sends it to another mailbox.
    ///
    /// # Panics
    /// When that is no email address.
    pub fn to_email(mut self, email: &str) -> Self {
        self.envelope.to.email = Some(Email::parse(email).expect("a valid email address"));
        self
    }

    /// Holds it back.
    pub fn send_at(mut self, at: UnixMillis) -> Self {
        self.envelope.send_at = Some(at);
        self
    }

    /// Lets it be accepted at another time than [`START`]; it expires 72 hours later.
    pub fn created_at(mut self, at: UnixMillis) -> Self {
        self.envelope.created_at = at;
        self.envelope.expires_at = at.plus_s(72 * 3_600);
        self
    }

    /// Lets it expire at another time.
    pub fn expires_at(mut self, at: UnixMillis) -> Self {
        self.envelope.expires_at = at;
        self
    }

    /// Changes anything else.
    pub fn with(mut self, change: impl FnOnce(&mut Envelope)) -> Self {
        change(&mut self.envelope);
        self
    }

    /// The envelope, with one SMS step if none was added.
    pub fn build(self) -> Arc<Envelope> {
        let complete = if self.envelope.plan.steps.is_empty() { self.sms() } else { self };
        Arc::new(complete.envelope)
    }
}
