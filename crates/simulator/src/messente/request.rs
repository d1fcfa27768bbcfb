//! The body of a send request, checked as Messente checks it.

use serde_json::{Map, Value};
use url::Url;

use super::{fault::Problem, fields::Fields};
use crate::{
    MessenteAccount,
    clock::{self, UnixMillis},
    inbound::query_parameter,
    reference::Reference,
};

/// A request without a fault.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) to: String,
    pub(super) sender: String,
    pub(super) text: String,
    pub(super) dlr_url: Option<Url>,
    pub(super) time_to_send: Option<UnixMillis>,
}

const FIELDS: [&str; 6] = ["to", "messages", "dlr_url", "text_store", "time_to_send", "priority"];
const SMS_FIELDS: [&str; 7] = ["channel", "text", "sender", "ttl", "validity", "autoconvert", "udh"];
/// Older and newer libraries spell two of the values differently, and nothing says which ones count.
const AUTOCONVERT: [&str; 5] = ["full", "on", "off", "true", "false"];

/// Our reference: the `ref` parameter of the report URL, the only place Messente has for one. It is found in
/// faulty requests, too.
pub(super) fn reference(body: &Map<String, Value>) -> Option<Reference> {
    let (_, query) = body.get("dlr_url")?.as_str()?.split_once('?')?;
    query_parameter(Some(query), "ref").as_deref().and_then(Reference::parse)
}

/// Checks a body, naming every problem it has.
pub(super) fn check(body: &Map<String, Value>, account: &MessenteAccount) -> Result<Request, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut fields = Fields::read(body, "", &FIELDS, &mut problems);
    let to = fields.required_text("to");
    if to.is_some_and(|to| !is_e164(to)) {
        fields.invalid("to", "Invalid phone number");
    }
    fields.one_of("text_store", &["nostore", "plaintext", "sha256"]);
    fields.one_of("priority", &["low", "regular", "high"]);
    let dlr_url = fields.text("dlr_url").map(http_url);
    if dlr_url == Some(None) {
        fields.invalid("dlr_url", "Not a valid URL");
    }
    let time_to_send = fields.text("time_to_send").map(clock::parse_iso8601);
    if time_to_send == Some(None) {
        fields.invalid("time_to_send", "Not a valid ISO-8601 datetime");
    }
    let sms = only_message(&mut fields).and_then(|message| check_sms(message, account, &mut problems));
    match (to, sms) {
        (Some(to), Some((sender, text))) if problems.is_empty() => Ok(Request {
            to: to.to_owned(),
            sender,
            text,
            dlr_url: dlr_url.flatten(),
            time_to_send: time_to_send.flatten(),
        }),
        _ => Err(problems),
    }
}

/// The one message of the list: fallback channels are not played, and each channel may be there once.
fn only_message<'a>(fields: &mut Fields<'a, '_>) -> Option<&'a Map<String, Value>> {
    let Some(value) = fields.value("messages") else {
        fields.missing("messages");
        return None;
    };
    let messages = value.as_array().map(Vec::as_slice);
    match messages {
        Some([message]) => {
            let message = message.as_object();
            if message.is_none() {
                fields.invalid("messages.0", "Must be an object");
            }
            message
        }
        Some([]) => {
            fields.invalid("messages", "At least one message must be provided");
            None
        }
        Some(_) => {
            fields
                .invalid("messages", "Only one message per channel, and no channel but sms on this account");
            None
        }
        None => {
            fields.invalid("messages", "Must be an array");
            None
        }
    }
}

/// Sender and text.
fn check_sms(
    message: &Map<String, Value>,
    account: &MessenteAccount,
    problems: &mut Vec<Problem>,
) -> Option<(String, String)> {
    let channel = message.get("channel").map_or(Some("sms"), Value::as_str);
    if channel != Some("sms") {
        problems
            .push(Problem::invalid("messages.0.channel", "This channel is not available on this account"));
        return None;
    }
    let mut fields = Fields::read(message, "messages.0.", &SMS_FIELDS, problems);
    let text = fields.required_text("text");
    let sender = fields.text("sender").unwrap_or(&account.default_sender);
    let is_ours = account.senders.is_empty() || account.senders.iter().any(|owned| owned == sender);
    if !is_sender(sender) {
        fields.invalid("sender", "Invalid sender");
    } else if !is_ours && sender != account.default_sender {
        fields.invalid("sender", "Sender is not allowed on this account");
    }
    let (ttl, validity) = (fields.has_positive("ttl"), fields.has_positive("validity"));
    if ttl && validity {
        fields.invalid("validity", "Only one of \"ttl\" and \"validity\" can be used");
    }
    fields.one_of("autoconvert", &AUTOCONVERT);
    if fields.text("udh").is_some_and(|udh| hex::decode(udh).is_err()) {
        fields.invalid("udh", "Must be hex-encoded");
    }
    Some((sender.to_owned(), text?.to_owned()))
}

fn http_url(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// A number, or a name of at most eleven characters.
fn is_sender(sender: &str) -> bool {
    let digits = sender.strip_prefix('+').unwrap_or(sender);
    let is_number = (3..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = (1..=11).contains(&sender.chars().count()) && !sender.chars().any(char::is_control);
    is_number || is_name
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::demo;

    fn changed(change: impl FnOnce(&mut Value)) -> Result<Request, Vec<Problem>> {
        let mut body = json!({
            "to": "+37251000000",
            "dlr_url": "https://hermes.example.com/r?ref=msg_1.1",
            "text_store": "nostore",
            "priority": "high",
            "messages": [{ "channel": "sms", "sender": "AcmeInc", "text": "Hi", "ttl": 3600 }],
        });
        change(&mut body);
        let account = MessenteAccount { senders: vec!["AcmeInc".into()], ..demo::messente() };
        check(body.as_object().unwrap(), &account)
    }

    #[test]
    fn the_published_request_has_no_fault() {
        let request = changed(|_| {}).unwrap();
        assert_eq!((&*request.to, &*request.sender, &*request.text), ("+37251000000", "AcmeInc", "Hi"));
        let request = changed(|body| body["messages"] = json!([{ "text": "Hi" }])).unwrap();
        assert_eq!(request.sender, demo::messente().default_sender);
        let request = changed(|body| body["time_to_send"] = json!("2018-06-22T09:05")).unwrap();
        assert_eq!(request.time_to_send, clock::parse_rfc3339("2018-06-22T09:05:00Z"));
    }

    #[test]
    fn every_fault_names_its_code_and_field() {
        let set = |path: &'static str, value: Value| {
            changed(move |body| *body.pointer_mut(path).unwrap() = value).unwrap_err()
        };
        let add = |name: &'static str, value: Value| changed(move |body| body[name] = value).unwrap_err();
        let sms = |name: &'static str, value: Value| {
            changed(move |body| body["messages"][0][name] = value).unwrap_err()
        };
        let without = |name: &'static str| {
            changed(move |body| drop(body.as_object_mut().unwrap().remove(name))).unwrap_err()
        };
        for (problems, code, source) in [
            (without("to"), "106", "to"),
            (set("/to", json!("37251000000")), "105", "to"),
            (set("/to", json!("+0000000000")), "105", "to"),
            (set("/to", json!(37_251_000_000_u64)), "105", "to"),
            (without("messages"), "106", "messages"),
            (set("/messages", json!([])), "105", "messages"),
            (set("/messages", json!({})), "105", "messages"),
            (set("/messages", json!(["x"])), "105", "messages.0"),
            (set("/messages", json!([{ "text": "a" }, { "text": "b" }])), "105", "messages"),
            (set("/messages/0", json!({ "sender": "AcmeInc" })), "106", "messages.0.text"),
            (set("/messages/0/text", json!("")), "105", "messages.0.text"),
            (set("/messages/0/text", json!(1)), "105", "messages.0.text"),
            (set("/messages/0/channel", json!("viber")), "105", "messages.0.channel"),
            (set("/messages/0/sender", json!("waytoolongsender")), "105", "messages.0.sender"),
            (set("/messages/0/sender", json!("Other")), "105", "messages.0.sender"),
            (set("/messages/0/ttl", json!(0)), "105", "messages.0.ttl"),
            (set("/messages/0/ttl", json!("3600")), "105", "messages.0.ttl"),
            (sms("validity", json!(60)), "105", "messages.0.validity"),
            (sms("autoconvert", json!("maybe")), "105", "messages.0.autoconvert"),
            (sms("udh", json!("xyz")), "105", "messages.0.udh"),
            (sms("reference", json!("x")), "105", "messages.0.reference"),
            (add("dlr_url", json!("hermes/r")), "105", "dlr_url"),
            (add("text_store", json!("memory")), "105", "text_store"),
            (add("priority", json!(null)), "105", "priority"),
            (add("time_to_send", json!("tomorrow")), "105", "time_to_send"),
            (add("client_ref", json!("x")), "105", "client_ref"),
        ] {
            let found: Vec<_> = problems.iter().map(Problem::code_and_source).collect();
            assert_eq!(found, [(code, source)]);
        }
    }

    #[test]
    fn one_answer_names_every_problem() {
        let problems = changed(|body| {
            body["to"] = json!("1");
            body["messages"][0]["text"] = json!("");
        });
        assert_eq!(problems.unwrap_err().len(), 2);
    }
}
