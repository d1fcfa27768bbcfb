//! The schema layer: a request as it is written becomes a message with addresses and a cascade.

use std::collections::BTreeMap;

use hermes_domain::{
    UnixMillis,
    address::{Channel, Phone, Recipient},
    content::{ChannelContent, Content},
    message::{CascadeUse, Lane, Warning},
    money::Money,
    segments::segments,
    template::TemplateUse,
};
use serde_json::Value;

use super::{enrich::Countries, recipient};
use crate::{
    api::Api,
    gate::Caller,
    messages::{
        cascade::{self, CascadeSpec},
        request::{self, CascadeChoice, Category, Consent, Dedupe, SendRequest},
        template::{self, Made},
    },
    problem::{Code, Fault, Problem},
    schema::{self, Faults},
};

/// A message that is well formed.
pub(crate) struct Submission {
    pub(crate) to: Recipient,
    pub(crate) countries: Countries,
    pub(crate) content: Content,
    /// What the content was made from.
    pub(crate) template: Option<TemplateUse>,
    /// What the template tells about its data.
    pub(crate) told: Vec<Warning>,
    pub(crate) cascade: CascadeSpec,
    /// What the cascade was read from.
    pub(crate) cascade_use: Option<CascadeUse>,
    pub(crate) sender: BTreeMap<Channel, String>,
    pub(crate) lane: Lane,
    pub(crate) category: Option<Category>,
    pub(crate) consent: Option<Consent>,
    pub(crate) send_at: Option<UnixMillis>,
    pub(crate) expires_at: Option<UnixMillis>,
    pub(crate) dedupe: Option<Dedupe>,
    pub(crate) max_cost: Option<Money>,
    pub(crate) tags: Vec<String>,
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Submission {
    /// The recipient's number on `channel`, if it has one.
    pub(crate) fn number(&self, channel: Channel) -> Option<&str> {
        match channel {
            Channel::Sms => self.to.phone.as_ref().map(Phone::as_str),
            Channel::Whatsapp => self.to.whatsapp.as_ref().map(Phone::as_str),
            Channel::Email | Channel::Push => None,
        }
    }

    /// What providers charge for on `channel`: segments of an SMS, else one message.
    pub(crate) fn parts(&self, channel: Channel) -> u16 {
        match self.content.for_channel(channel) {
            Some(ChannelContent::Sms(sms)) => {
                segments(sms.text.as_deref().unwrap_or_default()).count().max(1)
            }
            Some(_) | None => 1,
        }
    }

    /// Whether an SMS would be made of the content.
    pub(crate) fn uses_sms(&self) -> bool {
        self.cascade.steps.iter().any(|step| step.channel == Channel::Sms)
    }

    /// Channels of the cascade that the recipient has an address for and that have something to say, each once.
    pub(crate) fn channels(&self) -> Vec<Channel> {
        let mut channels: Vec<Channel> = Vec::new();
        for step in &self.cascade.steps {
            let usable = self.to.has(step.channel) && self.content.serves(step.channel);
            if usable && !channels.contains(&step.channel) {
                channels.push(step.channel);
            }
        }
        channels
    }
}

/// Content of a request whose rest is not well formed.
pub(crate) struct LoneContent {
    /// An SMS would be made of it.
    pub(crate) uses_sms: bool,
    pub(crate) content: Content,
    pub(crate) template: Option<TemplateUse>,
}

/// What is well formed of a request, and every refusal of the rest.
pub(crate) struct Read {
    pub(crate) submission: Option<Submission>,
    /// Content is worth a look even where the rest is wrong.
    pub(crate) content: Option<LoneContent>,
    pub(crate) refusals: Vec<Problem>,
}

/// Reads a request that arrived at `now`.
pub(crate) fn read(api: &Api, caller: &Caller, body: Value, now: UnixMillis) -> Read {
    let request = match schema::root(body, request::send_request(now)) {
        Ok(request) => request,
        Err(refusal) => return Read { submission: None, content: None, refusals: vec![refusal] },
    };
    let SendRequest { to, content, cascade, .. } = request;
    let Made { content, template, warnings } =
        match template::made(api, caller, content, to.locale.as_deref()) {
            Ok(made) => made,
            Err(refusal) => return Read { submission: None, content: None, refusals: vec![refusal] },
        };
    let (to, cascade) = (recipient::recipient(to), spec(api, caller, cascade));
    match (to, cascade) {
        (Ok((to, countries)), Ok((cascade, cascade_use))) => {
            let submission = Submission {
                to,
                countries,
                content,
                template,
                told: warnings,
                cascade,
                cascade_use,
                sender: request.sender,
                lane: request.lane,
                category: request.category,
                consent: request.consent,
                send_at: request.send_at,
                expires_at: request.expires_at,
                dedupe: request.dedupe,
                max_cost: request.max_cost,
                tags: request.tags,
                metadata: request.metadata,
            };
            Read { submission: Some(submission), content: None, refusals: Vec::new() }
        }
        (to, cascade) => {
            let sms = |spec: &CascadeSpec| spec.steps.iter().any(|step| step.channel == Channel::Sms);
            let uses_sms = cascade.as_ref().is_ok_and(|(spec, _)| sms(spec));
            let refusals = [to.err(), cascade.err()].into_iter().flatten().collect();
            let content = LoneContent { uses_sms, content, template };
            Read { submission: None, content: Some(content), refusals }
        }
    }
}

/// The cascade that a message names, and which version of which stored one it is.
fn spec(
    api: &Api,
    caller: &Caller,
    choice: CascadeChoice,
) -> Result<(CascadeSpec, Option<CascadeUse>), Problem> {
    match choice {
        CascadeChoice::Inline(spec) => Ok((spec, None)),
        CascadeChoice::Stored(id, version) => {
            let own = api.directory().cascade(caller.scope(), id).map(|stored| stored.value);
            let own = own.ok_or_else(|| {
                refuse("/cascade", "unknown_cascade", "there is no stored cascade with this id")
            })?;
            let version = own.version(version.unwrap_or(own.active)).ok_or_else(|| {
                refuse("/cascade/version", "unknown_version", "the stored cascade has no such version")
            })?;
            let spec = stored_spec(version.cascade.clone())?;
            Ok((spec, Some(CascadeUse { id, version: version.number })))
        }
        CascadeChoice::Default => match &caller.tenant.default_cascade {
            Some(Value::String(id)) => match id.parse() {
                Ok(id) => spec(api, caller, CascadeChoice::Stored(id, None)),
                Err(_) => {
                    Err(refuse("/cascade", "unknown_cascade", "the tenant's default cascade does not exist"))
                }
            },
            Some(default) => Ok((stored_spec(default.clone())?, None)),
            None => Err(refuse("/cascade", "required", "the tenant has no default cascade: name one")),
        },
    }
}

/// Reads a cascade that was valid when it was stored.
fn stored_spec(stored: Value) -> Result<CascadeSpec, Problem> {
    let mut faults = Faults::below("cascade");
    let spec = cascade::cascade(stored, &mut faults);
    faults.finish(spec, Code::SchemaInvalid)
}

fn refuse(pointer: &str, code: &'static str, detail: &str) -> Problem {
    let fault = Fault::new(pointer, code, detail);
    Problem::new(Code::SchemaInvalid, "The cascade cannot be used; see `errors`.").with_faults(vec![fault])
}
