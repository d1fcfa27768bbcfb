//! The requests of a run: written once, then only their digits change.

use std::ops::Range;

use hermes_domain::message::Lane;
use serde_json::{Value, json};

use super::options::Scenario;

/// Stands for a digit that changes with every message.
const DIGIT: u8 = b'#';

/// A whole HTTP request with runs of digits that tell messages apart.
#[derive(Clone, Debug)]
pub(super) struct Template {
    bytes: Vec<u8>,
    runs: Vec<Range<usize>>,
}

/// Where requests go and what they carry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Envelope<'a> {
    /// `host:port`.
    pub(super) host: &'a str,
    /// Key of a tenant.
    pub(super) key: &'a str,
    /// Start of idempotency keys; `None` sends none.
    pub(super) idempotency: Option<&'a str>,
    /// Lane that messages name.
    pub(super) lane: Option<Lane>,
    /// Connection that the first step names.
    pub(super) connection: Option<&'a str>,
}

impl Template {
    /// A request that sends a message of `scenario`.
    pub(super) fn new(scenario: Scenario, envelope: Envelope<'_>) -> Self {
        let Envelope { host, key, idempotency, lane, connection } = envelope;
        let mut body = body(scenario);
        if let Some(lane) = lane {
            body["lane"] = lane.as_str().into();
        }
        if let Some(connection) = connection {
            body["cascade"]["steps"][0]["providers"] = json!([connection]);
        }
        let body = body.to_string();
        let once = idempotency.map(|start| format!("idempotency-key: {start}-##########\r\n"));
        let head = format!(
            "POST /v1/messages HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n{}content-length: {}\r\n",
            once.unwrap_or_default(),
            body.len()
        );
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(format!("authorization: Bearer {key}\r\n\r\n").as_bytes());
        bytes.extend_from_slice(body.as_bytes());
        Self { runs: runs(&bytes), bytes }
    }

    /// The request of message number `number`.
    pub(super) fn render(&mut self, number: u64) -> &[u8] {
        for run in &self.runs {
            let mut rest = digits(number, run.len());
            for byte in self.bytes[run.clone()].iter_mut().rev() {
                *byte = b'0' + u8::try_from(rest % 10).unwrap_or_default();
                rest /= 10;
            }
        }
        &self.bytes
    }
}

/// What a message of `scenario` says; `#` stands for digits that change.
///
/// Phones are Norwegian mobile numbers: any six digits after `+4790` and any seven after `+479` are valid, which
/// few numbering plans allow.
fn body(scenario: Scenario) -> Value {
    let sms = |timeout_s: u32| json!({ "channel": "sms", "success_on": "delivered", "timeout_s": timeout_s });
    let content = json!({ "text": "Order 1042 has shipped", "subject": "Your order" });
    match scenario {
        Scenario::Sms => json!({
            "to": { "phone": "+4790######" },
            "content": content,
            "cascade": { "steps": [sms(90)] },
        }),
        Scenario::Cascade => json!({
            "to": {
                "phone": "+479###9902",
                "email": "bench######@example.com",
                "push": [{ "token": "bench-######", "platform": "android" }],
            },
            "content": content,
            "cascade": { "steps": [
                sms(1),
                { "channel": "email", "success_on": "delivered", "timeout_s": 900 },
                { "channel": "push", "timeout_s": 900 },
            ] },
        }),
        // The longest time-out that the API takes: three days.
        Scenario::Waiting => json!({
            "to": { "phone": "+479###9902" },
            "content": content,
            "cascade": { "steps": [sms(259_200)] },
        }),
    }
}

/// A number of at most `width` digits. Recipients (six digits) never end in 9900 to 9999: those have a
/// behaviour of their own at the simulator.
fn digits(number: u64, width: usize) -> u64 {
    match width {
        6 => (number / 9_900 % 100) * 10_000 + number % 9_900,
        _ => number % 10_u64.pow(u32::try_from(width).unwrap_or(19).min(19)),
    }
}

fn runs(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == DIGIT) {
        match runs.last_mut() {
            Some(run) if run.end == at => run.end += 1,
            Some(_) | None => runs.push(at..at + 1),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use hermes_domain::address::Phone;

    use super::*;

    fn template(scenario: Scenario, idempotency: Option<&str>) -> Template {
        let (host, key) = ("127.0.0.1:1", "hk_test_1");
        Template::new(scenario, Envelope { host, key, idempotency, lane: None, connection: None })
    }

    fn json_of(request: &[u8]) -> Value {
        let text = std::str::from_utf8(request).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
        serde_json::from_str(body).unwrap()
    }

    #[test]
    fn every_message_has_its_own_recipient_without_a_scripted_ending() {
        let mut template = template(Scenario::Sms, None);
        for (number, phone) in
            [(0, "+4790000000"), (9_899, "+4790009899"), (9_900, "+4790010000"), (989_999, "+4790999899")]
        {
            assert_eq!(json_of(template.render(number))["to"]["phone"], phone);
        }
    }

    #[test]
    fn every_recipient_is_a_valid_number() {
        for scenario in [Scenario::Sms, Scenario::Cascade, Scenario::Waiting] {
            let mut template = template(scenario, None);
            for number in (0..990_000).step_by(9_973) {
                let request = json_of(template.render(number));
                let phone = request["to"]["phone"].as_str().unwrap();
                assert!(Phone::parse(phone).is_ok(), "{phone}");
            }
        }
    }

    #[test]
    fn a_cascade_starts_with_a_silent_number_and_ends_with_an_email() {
        let mut template = template(Scenario::Cascade, None);
        let to = &json_of(template.render(1_234))["to"];
        assert_eq!(
            (to["phone"].as_str(), to["email"].as_str()),
            (Some("+4792349902"), Some("bench001234@example.com"))
        );
        assert_eq!(to["push"][0]["token"], "bench-001234");
    }

    #[test]
    fn lane_and_connection_are_named_where_they_are_given() {
        let (host, key, lane) = ("127.0.0.1:1", "hk_test_1", Some(Lane::Otp));
        let envelope = Envelope { host, key, idempotency: None, lane, connection: Some("shared") };
        let request = json_of(Template::new(Scenario::Sms, envelope).render(1));
        assert_eq!(
            (&request["lane"], &request["cascade"]["steps"][0]["providers"]),
            (&json!("otp"), &json!(["shared"]))
        );
        let plain = json_of(template(Scenario::Sms, None).render(1));
        assert_eq!((plain.get("lane"), plain["cascade"]["steps"][0].get("providers")), (None, None));
    }

    #[test]
    fn idempotency_keys_differ_and_carry_the_run() {
        let mut template = template(Scenario::Sms, Some("bench-7"));
        let text = String::from_utf8(template.render(12).to_vec()).unwrap();
        assert!(text.contains("idempotency-key: bench-7-0000000012\r\n"), "{text}");
        json_of(template.render(13));
    }
}
