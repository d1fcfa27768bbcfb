//! A sender: how it is read from requests, found, and shown.

use std::collections::{BTreeMap, BTreeSet};

use hermes_directory::Versioned;
use hermes_domain::{
    address::{Channel, Email, Phone},
    policy::TenantPolicy,
    sender::{EmailIdentity, Identity, Sender, SmsSenderKind, Verification, records},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    api::Api,
    gate::Caller,
    problem::Problem,
    schema::{self, Faults, Object, choice, country, list, sms_sender, text, token},
};

/// Longest description, in characters.
pub(super) const DESCRIPTION_CHARS_MAX: usize = 500;
/// More than there are.
pub(crate) const COUNTRIES_MAX: usize = 250;
const CHANNELS: &[(&str, Channel)] =
    &[("sms", Channel::Sms), ("email", Channel::Email), ("whatsapp", Channel::Whatsapp)];

/// A sender.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sender)]
pub(crate) struct SenderView {
    /// Its id.
    id: String,
    /// `live` or `test`.
    mode: &'static str,
    /// `sms`, `email` or `whatsapp`.
    channel: &'static str,
    /// For people; may be empty.
    description: String,
    /// `pending`, `verified` or `rejected`; an SMS sender is pending while any country is.
    status: &'static str,
    /// Why it has this standing, in an operator's words.
    status_reason: Option<String>,
    /// SMS: as messages name it.
    sender: Option<String>,
    /// SMS: `alphanumeric`, `number` or `short_code`.
    kind: Option<&'static str>,
    /// SMS: the countries that it is registered in, each with its standing.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    countries: Option<BTreeMap<String, Verification>>,
    /// Email: a domain, or one address.
    identity: Option<String>,
    /// Email: what to publish in the DNS.
    dns_records: Option<Vec<DnsRecordView>>,
    /// Email: when these were last looked for.
    checked_at: Option<String>,
    /// WhatsApp: Meta's id of the number.
    phone_number_id: Option<String>,
    /// WhatsApp: the number that people see.
    display_number: Option<String>,
    /// When it was registered.
    created_at: String,
    /// Last change.
    updated_at: String,
}

/// A record of the DNS.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DnsRecord)]
struct DnsRecordView {
    /// `ownership`, `dkim_1` to `dkim_3`, `spf`, `return_path` or `dmarc`.
    purpose: &'static str,
    /// `TXT`, `CNAME` or `MX`.
    #[serde(rename = "type")]
    record_type: &'static str,
    /// Its name.
    name: String,
    /// Its value.
    value: String,
    /// Whether the identity is verified only with it.
    required: bool,
    /// Whether it was there when it was last looked for; null: nobody has looked.
    published: Option<bool>,
}

impl SenderView {
    pub(crate) fn of(api: &Api, sender: &Sender) -> Self {
        let mut view = Self {
            id: sender.id.to_string(),
            mode: sender.mode.as_str(),
            channel: sender.channel().as_str(),
            description: sender.description.clone(),
            status: sender.status().as_str(),
            status_reason: sender.status_reason.clone(),
            sender: None,
            kind: None,
            countries: None,
            identity: None,
            dns_records: None,
            checked_at: None,
            phone_number_id: None,
            display_number: None,
            created_at: sender.created_at.rfc3339(),
            updated_at: sender.updated_at.rfc3339(),
        };
        match &sender.identity {
            Identity::Sms { sender, countries } => {
                view.kind = SmsSenderKind::of(sender).map(SmsSenderKind::as_str);
                view.sender = Some(sender.clone());
                view.countries = Some(countries.clone());
            }
            Identity::Email(email) => {
                view.identity = Some(email.identity.clone());
                view.dns_records = Some(dns_records(api, sender, email));
                view.checked_at = email.checked_at.map(hermes_domain::UnixMillis::rfc3339);
            }
            Identity::Whatsapp { phone_number_id, display_number, .. } => {
                view.phone_number_id = Some(phone_number_id.clone());
                view.display_number = Some(display_number.clone());
            }
        }
        view
    }
}

fn dns_records(api: &Api, sender: &Sender, email: &EmailIdentity) -> Vec<DnsRecordView> {
    let view = |record: hermes_domain::sender::DnsRecord| DnsRecordView {
        purpose: record.purpose.as_str(),
        record_type: record.record_type.as_str(),
        required: record.purpose.is_required(),
        published: email.checked_at.map(|_| email.published.contains(record.purpose.as_str())),
        name: record.name,
        value: record.value,
    };
    records(sender.id, email, region(api, sender).as_deref()).into_iter().map(view).collect()
}

/// Region of the tenant's first connection to Amazon SES: mail that it sends returns there.
pub(super) fn region(api: &Api, sender: &Sender) -> Option<String> {
    api.directory().read(|snapshot| {
        let mut ses = snapshot.serving(sender.tenant, sender.mode).filter(|one| one.provider == "ses");
        ses.find_map(|connection| connection.setting("region").map(str::to_owned))
    })
}

/// What a request to register a sender says.
pub(super) struct Wanted {
    pub(super) description: String,
    pub(super) identity: Identity,
}

/// Reads the body of such a request.
pub(super) fn wanted(policy: &TenantPolicy, body: Value) -> Result<Wanted, Problem> {
    schema::root(body, |fields, faults| {
        let description = description(fields, faults);
        let identity = match fields.required("channel", faults, choice(CHANNELS))? {
            Channel::Sms => sms(policy, fields, faults)?,
            Channel::Email => {
                Identity::Email(EmailIdentity::new(fields.required("identity", faults, mail_identity)?))
            }
            Channel::Whatsapp | Channel::Push => {
                let phone_number_id = fields.required("phone_number_id", faults, number_id);
                let display_number = fields.required("display_number", faults, |value, faults| {
                    let text = text(1..=16)(value, faults)?;
                    Phone::parse(&text).map_or_else(
                        |error| faults.note("phone", error.to_string()),
                        |phone| Some(phone.as_str().to_owned()),
                    )
                });
                let (phone_number_id, display_number) = (phone_number_id?, display_number?);
                Identity::Whatsapp { phone_number_id, display_number, status: Verification::Pending }
            }
        };
        Some(Wanted { description: description.unwrap_or_default(), identity })
    })
}

fn sms(policy: &TenantPolicy, fields: &mut Object, faults: &mut Faults) -> Option<Identity> {
    let sender = fields.required("sender", faults, sms_sender);
    let countries = fields.required("countries", faults, list(1..=COUNTRIES_MAX, country));
    Some(Identity::Sms { sender: sender?, countries: standings(policy, countries?, &BTreeMap::new()) })
}

/// Reads `description`.
pub(super) fn description(fields: &mut Object, faults: &mut Faults) -> Option<String> {
    fields.optional("description", faults, text(1..=DESCRIPTION_CHARS_MAX))
}

/// Reads `countries` of a change.
pub(super) fn countries(fields: &mut Object, faults: &mut Faults) -> Option<Vec<String>> {
    fields.optional("countries", faults, list(1..=COUNTRIES_MAX, country))
}

/// Countries with their standing: what they had, or what they begin with.
pub(super) fn standings(
    policy: &TenantPolicy,
    countries: Vec<String>,
    before: &BTreeMap<String, Verification>,
) -> BTreeMap<String, Verification> {
    let begins = |country: &String| match policy.unregistered_sender_countries.contains(country) {
        true => Verification::Verified,
        false => Verification::Pending,
    };
    let countries: BTreeSet<String> = countries.into_iter().collect();
    let standing = |country: String| {
        let standing = before.get(&country).copied().unwrap_or_else(|| begins(&country));
        (country, standing)
    };
    countries.into_iter().map(standing).collect()
}

fn number_id(value: Value, faults: &mut Faults) -> Option<String> {
    let id = token(1..=32)(value, faults)?;
    if id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(id);
    }
    faults.note("phone_number_id", "expected the digits of Meta's id of the number")
}

/// A domain, or an address; in lower case.
fn mail_identity(value: Value, faults: &mut Faults) -> Option<String> {
    let text = token(3..=320)(value, faults)?.to_ascii_lowercase();
    let fits = match text.contains('@') {
        true => Email::parse(&text).is_ok(),
        false => is_domain(&text),
    };
    if fits {
        Some(text)
    } else {
        faults.note("identity", "expected a domain such as acme.example, or an address")
    }
}

/// Source: RFC 1035, section 2.3.1, with digits first as RFC 1123 allows.
fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        let allowed = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (1..=63).contains(&label.len()) && allowed && !label.starts_with('-') && !label.ends_with('-')
    };
    let last_is_a_number =
        text.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    text.len() <= 253 && text.contains('.') && !last_is_a_number && text.split('.').all(label)
}

/// A sender by the id in a path, if it is the caller's.
pub(super) fn find(api: &Api, caller: &Caller, id: &str) -> Result<Versioned<Sender>, Problem> {
    let id = id.parse().map_err(|_| Problem::not_found())?;
    api.directory().sender(caller.scope(), id).ok_or_else(Problem::not_found)
}

#[cfg(test)]
mod tests {
    use super::is_domain;

    #[test]
    fn domains_are_told_from_everything_else() {
        for domain in ["acme.example", "a-b.3m.example", "xn--bcher-kva.example"] {
            assert!(is_domain(domain), "{domain}");
        }
        for other in ["acme", "acme..example", "-a.example", "a_b.example", "192.0.2.1", "acme.example."] {
            assert!(!is_domain(other), "{other}");
        }
    }
}
