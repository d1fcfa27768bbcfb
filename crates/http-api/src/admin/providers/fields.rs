//! Credentials and settings, held against what the adapter says it takes.

use std::collections::BTreeMap;

use hermes_domain::{
    address::Channel,
    connection::Connection,
    message::Mode,
    sender::{SmsSenderKind, is_mail_sender},
};
use hermes_ports::adapter::{Descriptor, FieldSpec, Secrets};
use serde_json::Value;
use url::Url;

use crate::{
    api::Api,
    problem::{Code, Fault, Problem},
};

/// Settings that every connection takes.
const COMMON_SETTINGS: [&str; 4] = ["base_url", "timeout_s", "callback_secret", SYNC];
/// Keeps the provider's own suppression list in step.
const SYNC: &str = "sync_suppressions";

/// Finishes and checks a connection: unknown and missing fields, the shape of `base_url`, and that a test
/// connection reaches nothing but the simulator.
pub(super) fn check(api: &Api, connection: &mut Connection, secrets: &Secrets) -> Result<(), Problem> {
    let mut faults = Vec::new();
    match api.ports.adapters.descriptor(&connection.provider) {
        Some(descriptor) => against(&descriptor, connection, secrets, &mut faults),
        None => {
            faults.push(Fault::new("/provider", "unknown_provider", "there is no adapter of this name"));
        }
    }
    common_settings(&connection.config, &mut faults);
    if connection.mode == Mode::Test {
        to_simulator(api, connection, &mut faults);
    }
    if faults.is_empty() {
        return Ok(());
    }
    let detail = "The connection does not fit its provider; see `errors`.";
    Err(Problem::new(Code::SchemaInvalid, detail).with_faults(faults))
}

fn against(descriptor: &Descriptor, connection: &Connection, secrets: &Secrets, faults: &mut Vec<Fault>) {
    if !descriptor.channels.contains(&connection.channel) {
        let detail = format!("{} does not carry {}", descriptor.name, connection.channel.as_str());
        faults.push(Fault::new("/channel", "choice", detail));
    } else {
        sender_settings(connection, faults);
    }
    let credentials = secrets.0.keys().map(String::as_str);
    names("/credentials", credentials, &descriptor.credentials, &[], faults);
    let settings = connection.config.keys().map(String::as_str);
    names("/config", settings, &descriptor.config, &COMMON_SETTINGS, faults);
    list(descriptor, connection, faults);
}

/// A list follows one tenant's rules: on an account that tenants share, each could silence the others.
fn list(descriptor: &Descriptor, connection: &Connection, faults: &mut Vec<Fault>) {
    let mut fault = |code, detail: &str| faults.push(Fault::new(format!("/config/{SYNC}"), code, detail));
    match connection.config.get(SYNC) {
        None | Some(Value::Bool(false)) => {}
        Some(Value::Bool(true)) if connection.tenant.is_none() => {
            fault("shared", "only a connection of one tenant may do this");
        }
        Some(Value::Bool(true)) if descriptor.suppression_list != Some(connection.channel) => {
            fault("no_list", "the provider has no list for this channel");
        }
        Some(Value::Bool(true)) => {}
        Some(_) => fault("type", "expected true or false"),
    }
}

fn names<'a>(
    pointer: &str,
    given: impl Iterator<Item = &'a str> + Clone,
    specs: &[FieldSpec],
    common: &[&str],
    faults: &mut Vec<Fault>,
) {
    let known = |name: &str| specs.iter().any(|spec| spec.name == name) || common.contains(&name);
    for name in given.clone().filter(|name| !known(name)) {
        faults.push(Fault::new(
            format!("{pointer}/{name}"),
            "unknown_field",
            "the provider takes no such field",
        ));
    }
    for spec in specs.iter().filter(|spec| spec.required) {
        if !given.clone().any(|name| name == spec.name) {
            let detail = format!("this field is required: {}", spec.description);
            faults.push(Fault::new(format!("{pointer}/{}", spec.name), "required", detail));
        }
    }
}

fn common_settings(config: &BTreeMap<String, Value>, faults: &mut Vec<Fault>) {
    if let Some(url) = config.get("base_url")
        && !url.as_str().is_some_and(is_base_url)
    {
        faults.push(Fault::new("/config/base_url", "url", "expected an absolute http or https URL"));
    }
    if let Some(limit) = config.get("timeout_s")
        && !limit.as_u64().is_some_and(|limit| (1..=120).contains(&limit))
    {
        faults.push(Fault::new("/config/timeout_s", "range", "expected a whole number from 1 to 120"));
    }
    if config.get("callback_secret").is_some_and(|secret| !secret.is_string()) {
        faults.push(Fault::new("/config/callback_secret", "type", "expected a text"));
    }
}

/// What messages come from that name no sender themselves.
fn sender_settings(connection: &Connection, faults: &mut Vec<Fault>) {
    for name in ["from", "sender"] {
        let Some(value) = connection.config.get(name) else { continue };
        let (possible, expected) = match connection.channel {
            // Some providers write numbers without their plus sign.
            Channel::Sms => (
                value.as_str().is_some_and(|text| [text, &format!("+{text}")].into_iter().any(is_sms_sender)),
                "expected a name of at most 11 characters, a number in E.164, or a short code",
            ),
            Channel::Email => {
                (value.as_str().is_some_and(is_mail_sender), "expected one address, such as Name <a@b.dk>")
            }
            Channel::Push | Channel::Whatsapp => (true, ""),
        };
        if !possible {
            faults.push(Fault::new(format!("/config/{name}"), "sender", expected));
        }
    }
}

fn is_sms_sender(text: &str) -> bool {
    SmsSenderKind::of(text).is_some()
}

/// Where it may lead is for egress to say; here it only has to be a URL.
fn is_base_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    })
}

/// A test key reaches nothing but the simulator, because its connections lead nowhere else.
fn to_simulator(api: &Api, connection: &mut Connection, faults: &mut Vec<Fault>) {
    let simulator = api.settings.simulator_url.trim_end_matches('/');
    let given = connection.setting("base_url").map(|url| url.trim_end_matches('/'));
    if given.is_some_and(|given| given != simulator) {
        let detail = "a test connection reaches only the simulator: leave it out";
        faults.push(Fault::new("/config/base_url", "simulator_only", detail));
        return;
    }
    connection.config.insert("base_url".to_owned(), Value::String(simulator.to_owned()));
}
