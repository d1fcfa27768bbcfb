//! Of the schema layer: whether addresses can exist.

use hermes_domain::{
    address::{Email, InvalidAddress, Phone, Recipient},
    timezone,
};

use super::enrich::Countries;
use crate::{
    messages::request::RawRecipient,
    problem::{Code, Fault, Problem},
};

/// Turns texts into addresses; every bad one is reported.
pub(super) fn recipient(raw: RawRecipient) -> Result<(Recipient, Countries), Problem> {
    let mut faults = Vec::new();
    let RawRecipient { phone, email, whatsapp, push, locale, timezone } = raw;
    if phone.is_none() && email.is_none() && whatsapp.is_none() && push.is_empty() {
        faults.push(Fault::new("/to", "address_missing", "expected at least one address"));
    }
    if timezone.as_deref().is_some_and(|name| !timezone::is_known(name)) {
        let detail = "expected a zone of the IANA database, such as Europe/Copenhagen";
        faults.push(Fault::new("/to/timezone", "timezone", detail));
    }
    let (phone, sms_country) = number("/to/phone", phone, &mut faults);
    let email = checked("/to/email", email, Email::parse, &mut faults);
    let (whatsapp, whatsapp_country) = number("/to/whatsapp", whatsapp, &mut faults);
    if faults.is_empty() {
        let countries = Countries { sms: sms_country, whatsapp: whatsapp_country };
        return Ok((Recipient { phone, email, whatsapp, push, locale, timezone }, countries));
    }
    Err(Problem::new(Code::RecipientInvalid, "An address is not valid; see `errors`.").with_faults(faults))
}

fn number(
    pointer: &'static str,
    text: Option<String>,
    faults: &mut Vec<Fault>,
) -> (Option<Phone>, Option<String>) {
    checked(pointer, text, Phone::parse_with_country, faults)
        .map_or((None, None), |(phone, country)| (Some(phone), country))
}

fn checked<T>(
    pointer: &'static str,
    text: Option<String>,
    parse: impl FnOnce(&str) -> Result<T, InvalidAddress>,
    faults: &mut Vec<Fault>,
) -> Option<T> {
    match parse(&text?) {
        Ok(address) => Some(address),
        Err(error) => {
            let code = match error {
                InvalidAddress::Phone => "phone_invalid",
                InvalidAddress::Email => "email_invalid",
            };
            faults.push(Fault::new(pointer, code, error.to_string()));
            None
        }
    }
}
