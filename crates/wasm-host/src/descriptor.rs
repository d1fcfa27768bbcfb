//! Reads and checks what an adapter says about itself.

use hermes_domain::{address::Channel, outcome::Level};
use hermes_ports::adapter::{AdapterRejected, Descriptor, FieldSpec, Idempotency};

use crate::bindings::wit;

const NAME_CHARS_MAX: usize = 40;
const FIELDS_MAX: usize = 32;
const HOSTS_MAX: usize = 128;
const DESCRIPTION_CHARS_MAX: usize = 200;
const RATE_PER_S_MAX: u32 = 10_000;
/// Ends of names that belong to secrets, which no guest may read. AWS' `access_key_id` is an identifier.
const SECRET_ENDINGS: [&str; 5] = ["_key", "_token", "secret", "password", "_account"];

/// The descriptor of an adapter to be installed as `name`, and the channel of its provider's suppression list.
pub(crate) fn read(
    name: &str,
    (raw, list): (wit::Descriptor, Option<wit::Channel>),
) -> Result<Descriptor, AdapterRejected> {
    let descriptor = Descriptor {
        name: raw.name,
        version: raw.version,
        channels: raw.channels.into_iter().map(channel).collect(),
        credentials: raw.credentials.into_iter().map(field).collect(),
        config: raw.config.into_iter().map(field).collect(),
        hosts: raw.hosts,
        idempotency: match raw.idempotency {
            wit::Idempotency::Native => Idempotency::Native,
            wit::Idempotency::Lookup => Idempotency::Lookup,
            wit::Idempotency::None => Idempotency::None,
        },
        confirms: raw.confirms.into_iter().map(|(on, most)| (channel(on), level(most))).collect(),
        default_rate_per_s: raw.default_rate_per_s,
        has_lookup: raw.has_lookup,
        account_setting: raw.account_setting,
        suppression_list: list.map(channel),
    };
    check(name, &descriptor).map_err(AdapterRejected::BadDescriptor)?;
    Ok(descriptor)
}

fn check(name: &str, descriptor: &Descriptor) -> Result<(), String> {
    let demand = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
    demand(is_name(&descriptor.name), "its name is not a lower-case word")?;
    demand(descriptor.name == name, "it has another name than it is installed under")?;
    demand(is_version(&descriptor.version), "its version is not MAJOR.MINOR.PATCH")?;
    let channels = &descriptor.channels;
    demand((1..=Channel::ALL.len()).contains(&channels.len()), "it must carry one to four channels")?;
    let confirmed = |channel: &Channel| descriptor.confirms.contains_key(channel);
    demand(channels.iter().all(confirmed), "it does not say what it confirms")?;
    let listed = descriptor.suppression_list.iter().all(|channel| channels.contains(channel));
    demand(listed, "it has a suppression list for a channel that it does not carry")?;
    demand(descriptor.confirms.len() == channels.len(), "it confirms a channel that it does not carry")?;
    demand((1..=HOSTS_MAX).contains(&descriptor.hosts.len()), "it must call 1 to 128 hosts")?;
    demand(descriptor.hosts.iter().all(|host| is_host(host)), "a host is not a plain host name")?;
    demand((1..=RATE_PER_S_MAX).contains(&descriptor.default_rate_per_s), "its rate is not in 1 to 10000")?;
    fields(&descriptor.credentials)?;
    fields(&descriptor.config)?;
    let paired = descriptor.credentials.iter().any(|field| field.name == "api_secret");
    let exposed = |field: &FieldSpec| {
        // Beside an API secret an API key is the name of the account.
        let names_account = paired && field.name == "api_key";
        // `key` ends like `api_key`: the last word counts, and may be the only one.
        let name = format!("_{}", field.name);
        field.public && !names_account && SECRET_ENDINGS.iter().any(|end| name.ends_with(end))
    };
    demand(!descriptor.credentials.iter().any(exposed), "it marks a secret as public")?;
    let is_setting = |name: &String| descriptor.config.iter().any(|field| field.name == *name);
    demand(descriptor.account_setting.iter().all(is_setting), "its account setting is no setting")
}

fn fields(fields: &[FieldSpec]) -> Result<(), String> {
    let mut names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    // Descriptions are printed to terminals, so they hold no escape sequences.
    let is_line =
        |text: &str| text.chars().count() <= DESCRIPTION_CHARS_MAX && !text.chars().any(char::is_control);
    if names.len() == fields.len()
        && names.len() <= FIELDS_MAX
        && fields.iter().all(|field| is_line(&field.description))
        && names.iter().all(|name| is_name(name))
    {
        return Ok(());
    }
    Err("a credential or setting is malformed or repeated".to_owned())
}

/// `[a-z][a-z0-9_]*`, at most 40 characters.
pub(crate) fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.len() <= NAME_CHARS_MAX
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(plain)
}

fn is_version(version: &str) -> bool {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let number =
        |part: &str| !part.is_empty() && part.len() <= 9 && part.bytes().all(|byte| byte.is_ascii_digit());
    version.len() <= NAME_CHARS_MAX
        && version.bytes().all(|byte| byte.is_ascii_graphic())
        && core.split('.').count() == 3
        && core.split('.').all(number)
}

/// A DNS name of at least two labels, optionally with `*.` in front; no address.
fn is_host(host: &str) -> bool {
    let name = host.strip_prefix("*.").unwrap_or(host);
    let label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top = name.rsplit('.').next().unwrap_or_default();
    name.contains('.')
        && name.len() <= 253
        && name.split('.').all(label)
        && top.bytes().any(|b| b.is_ascii_lowercase())
}

fn field(raw: wit::Field) -> FieldSpec {
    FieldSpec { name: raw.name, required: raw.required, public: raw.public, description: raw.description }
}

/// A channel of the contract.
pub(crate) fn channel(raw: wit::Channel) -> Channel {
    match raw {
        wit::Channel::Sms => Channel::Sms,
        wit::Channel::Email => Channel::Email,
        wit::Channel::Push => Channel::Push,
        wit::Channel::Whatsapp => Channel::Whatsapp,
    }
}

/// A level of the contract.
pub(crate) fn level(raw: wit::Level) -> Level {
    match raw {
        wit::Level::Accepted => Level::Accepted,
        wit::Level::Sent => Level::Sent,
        wit::Level::Delivered => Level::Delivered,
        wit::Level::Read => Level::Read,
        wit::Level::Acknowledged => Level::Acknowledged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> wit::Descriptor {
        let field = |name: &str, public| wit::Field {
            name: name.to_owned(),
            required: true,
            public,
            description: String::new(),
        };
        wit::Descriptor {
            name: "acme".to_owned(),
            version: "1.2.3".to_owned(),
            channels: vec![wit::Channel::Sms],
            credentials: vec![field("account_sid", true), field("auth_token", false)],
            config: Vec::new(),
            hosts: vec!["api.acme.example".to_owned(), "*.acme.example".to_owned()],
            idempotency: wit::Idempotency::None,
            confirms: vec![(wit::Channel::Sms, wit::Level::Delivered)],
            default_rate_per_s: 10,
            has_lookup: false,
            account_setting: None,
        }
    }

    #[test]
    fn a_descriptor_is_taken_only_if_every_rule_holds() {
        assert!(read("acme", (good(), None)).is_ok());
        assert!(read("acme", (good(), Some(wit::Channel::Sms))).is_ok());
        type Spoil = fn(&mut wit::Descriptor);
        let spoilt: [(&str, Spoil); 10] = [
            ("name", |it| it.name = "other".to_owned()),
            ("version", |it| it.version = "1.2".to_owned()),
            ("channels", |it| it.channels.clear()),
            ("confirms", |it| it.confirms = vec![(wit::Channel::Email, wit::Level::Sent)]),
            ("no host", |it| it.hosts.clear()),
            ("address", |it| it.hosts = vec!["169.254.169.254".to_owned()]),
            ("wildcard", |it| it.hosts = vec!["*".to_owned()]),
            ("rate", |it| it.default_rate_per_s = 0),
            ("repeated", |it| it.credentials.extend(it.credentials.clone())),
            ("secret", |it| it.credentials.iter_mut().for_each(|field| field.public = true)),
        ];
        for (what, spoil) in spoilt {
            let mut descriptor = good();
            spoil(&mut descriptor);
            assert!(
                matches!(read("acme", (descriptor, None)), Err(AdapterRejected::BadDescriptor(_))),
                "{what}"
            );
        }
    }
}
