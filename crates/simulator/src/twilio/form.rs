//! The form of a send request, checked as Twilio checks it.

use url::Url;

use super::fault::{self, Fault};
use crate::{TwilioAccount, inbound::query_parameter, reference::Reference};

const BODY_CHARS_MAX: usize = 1600;
const MEDIA_MAX: usize = 10;

/// What a request asked for. Unknown parameters are ignored, as Twilio ignores them; of a repeated one the
/// last counts, except `MediaUrl`, which is a list.
#[derive(Default)]
pub(super) struct Form {
    pub(super) to: String,
    pub(super) from: Option<String>,
    pub(super) messaging_service_sid: Option<String>,
    pub(super) body: Option<String>,
    pub(super) media_urls: Vec<String>,
    pub(super) status_callback: Option<String>,
    validity_period: Option<String>,
    has_content_sid: bool,
    has_schedule: bool,
}

impl Form {
    pub(super) fn parse(body: &[u8]) -> Self {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            let value = value.into_owned();
            match &*name {
                "To" => form.to = value,
                "From" => form.from = present(value),
                "MessagingServiceSid" => form.messaging_service_sid = present(value),
                "Body" => form.body = present(value),
                "MediaUrl" => form.media_urls.extend(present(value)),
                "StatusCallback" => form.status_callback = present(value),
                "ValidityPeriod" => form.validity_period = present(value),
                "ContentSid" => form.has_content_sid = !value.is_empty(),
                "ScheduleType" | "SendAt" => form.has_schedule |= !value.is_empty(),
                _ => {}
            }
        }
        form
    }

    /// Our reference: the `ref` parameter of the callback URL, the only place Twilio has for one.
    pub(super) fn reference(&self) -> Option<Reference> {
        let (_, query) = self.status_callback.as_deref()?.split_once('?')?;
        query_parameter(Some(query), "ref").as_deref().and_then(Reference::parse)
    }

    /// The first fault, in the order recipient, sender, content, the rest.
    ///
    /// The callback URL comes back parsed.
    pub(super) fn check(&self, account: &TwilioAccount) -> Result<Option<Url>, Fault> {
        self.check_recipient()?;
        self.check_sender(account)?;
        self.check_content()?;
        self.check_options()
    }

    fn check_recipient(&self) -> Result<(), Fault> {
        let to = self.to.as_str();
        match to {
            "" => Err(Fault::parameter(21604, "A 'To' phone number is required.")),
            "+15005550001" => Err(fault::invalid_to(to)),
            "+15005550002" => Err(Fault::parameter(
                21612,
                "Message cannot be sent with the current combination of 'To' and 'From'",
            )),
            "+15005550003" => Err(Fault::parameter(
                21408,
                "Permission to send an SMS has not been enabled for the region indicated by the 'To' number",
            )),
            "+15005550004" => Err(Fault::parameter(21610, "Attempt to send to unsubscribed recipient")),
            "+15005550009" => {
                Err(Fault::parameter(21614, format!("'To' number {to} is not a valid mobile number")))
            }
            _ if is_e164(to) => Ok(()),
            _ => Err(fault::invalid_to(to)),
        }
    }

    fn check_sender(&self, account: &TwilioAccount) -> Result<(), Fault> {
        if let Some(sid) = &self.messaging_service_sid
            && !is_sid(sid, "MG")
        {
            return Err(Fault::parameter(21705, format!("The Messaging Service Sid {sid} is invalid")));
        }
        let Some(from) = self.from.as_deref() else {
            return match self.messaging_service_sid {
                Some(_) => Ok(()),
                None => Err(Fault::parameter(21603, "A 'From' phone number is required.")),
            };
        };
        match from {
            "+15005550001" => Err(Fault::parameter(21212, format!("The 'From' number {from} is not valid"))),
            "+15005550007" => Err(not_ours(from)),
            "+15005550008" => Err(Fault::parameter(
                21611,
                format!("This 'From' number {from} has exceeded the maximum queue size"),
            )),
            _ if !is_sender(from) => {
                Err(Fault::parameter(21212, format!("The 'From' number {from} is not a valid phone number")))
            }
            _ if account.senders.is_empty() || account.senders.iter().any(|owned| owned == from) => Ok(()),
            _ => Err(not_ours(from)),
        }
    }

    fn check_content(&self) -> Result<(), Fault> {
        if self.has_content_sid {
            return Err(Fault::uncoded("Content templates are not available on this account"));
        }
        match &self.body {
            None if self.media_urls.is_empty() => Err(Fault::parameter(21602, "Message body is required.")),
            Some(body) if body.chars().count() > BODY_CHARS_MAX => {
                Err(Fault::parameter(21617, "The concatenated message body exceeds the 1600 character limit"))
            }
            Some(_) | None if self.media_urls.len() > MEDIA_MAX => {
                Err(Fault::parameter(21623, "Number of media files exceeds allowed limit"))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_options(&self) -> Result<Option<Url>, Fault> {
        if self.has_schedule {
            return Err(Fault::uncoded("Message scheduling is not available on this account"));
        }
        if let Some(period) = &self.validity_period
            && !period.parse::<u32>().is_ok_and(|seconds| (1..=36_000).contains(&seconds))
        {
            return Err(Fault::uncoded(format!(
                "ValidityPeriod {period} is not between 1 and 36000 seconds"
            )));
        }
        self.status_callback.as_deref().map(parse_callback).transpose()
    }
}

fn present(value: String) -> Option<String> {
    (!value.is_empty()).then_some(value)
}

fn not_ours(from: &str) -> Fault {
    Fault::parameter(
        21606,
        format!(
            "The 'From' phone number {from} is not a valid, SMS-capable inbound phone number for your account"
        ),
    )
}

/// An absolute http or https URL whose host has no underscore.
fn parse_callback(text: &str) -> Result<Url, Fault> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .filter(|url| url.host_str().is_some_and(|host| !host.contains('_')))
        .ok_or_else(|| Fault::parameter(21609, "The 'StatusCallback' URL is not a valid URL"))
}

fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// E.164, a short code of 3 to 8 digits, or an alphanumeric sender of up to 11 characters with a letter in
/// it.
fn is_sender(from: &str) -> bool {
    let is_short_code = (3..=8).contains(&from.len()) && from.bytes().all(|byte| byte.is_ascii_digit());
    let is_alphanumeric = (1..=11).contains(&from.len())
        && from.bytes().any(|byte| byte.is_ascii_alphabetic())
        && from.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" +-_&".contains(&byte));
    is_e164(from) || is_short_code || is_alphanumeric
}

pub(super) fn is_sid(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo;

    fn code(form: &str) -> Option<u32> {
        Form::parse(form.as_bytes()).check(&demo::twilio()).err().map(|fault| fault.code.unwrap_or_default())
    }

    #[test]
    fn every_fault_has_the_published_code() {
        let long = format!("To=%2B4520123456&From=ACME&Body={}", "x".repeat(1601));
        for (form, expected) in [
            ("From=ACME&Body=hi", 21604),
            ("To=4520123456&From=ACME&Body=hi", 21211),
            ("To=%2B15005550009&From=ACME&Body=hi", 21614),
            ("To=%2B4520123456&Body=hi", 21603),
            ("To=%2B4520123456&From=%2B15005550007&Body=hi", 21606),
            ("To=%2B4520123456&From=waytoolongsender&Body=hi", 21212),
            ("To=%2B4520123456&MessagingServiceSid=MG1&Body=hi", 21705),
            ("To=%2B4520123456&From=ACME", 21602),
            (&*long, 21617),
            ("To=%2B4520123456&From=ACME&Body=hi&StatusCallback=http%3A%2F%2Fa_b.example%2F", 21609),
            ("To=%2B4520123456&From=ACME&Body=hi&ValidityPeriod=soon", 0),
        ] {
            assert_eq!(code(form), Some(expected), "{form:.80}");
        }
        assert_eq!(code("To=%2B4520123456&From=ACME&Body=hi&Unknown=ignored&ValidityPeriod=3600"), None);
    }

    #[test]
    fn an_account_with_senders_owns_only_those() {
        let account = TwilioAccount { senders: vec!["ACME".into()], ..demo::twilio() };
        let form = |from: &str| Form::parse(format!("To=%2B4520123456&Body=hi&From={from}").as_bytes());
        assert!(form("ACME").check(&account).is_ok());
        assert_eq!(form("OTHER").check(&account).unwrap_err().code, Some(21606));
    }

    #[test]
    fn the_reference_is_in_the_callback() {
        let form = Form::parse(b"StatusCallback=http%3A%2F%2Fh%2Fr%3Fx%3D1%26ref%3Dmsg_1.2");
        assert_eq!(form.reference().unwrap().as_str(), "msg_1.2");
    }
}
