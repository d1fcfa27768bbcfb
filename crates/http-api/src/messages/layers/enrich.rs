//! The last layer refuses nothing: it fills in what is known of the recipient, and defaults.

use hermes_domain::{
    UnixMillis,
    address::{Channel, Phone, Recipient},
    timezone,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;

/// Countries of a recipient's numbers, as ISO 3166-1 alpha-2 codes; found when the numbers are parsed.
#[derive(Debug, Default)]
pub(crate) struct Countries {
    pub(crate) sms: Option<String>,
    pub(crate) whatsapp: Option<String>,
}

impl Countries {
    /// That of the number on `channel`; `None` on channels without numbers.
    pub(crate) fn of(&self, channel: Channel) -> Option<&str> {
        match channel {
            Channel::Sms => self.sms.as_deref(),
            Channel::Whatsapp => self.whatsapp.as_deref(),
            Channel::Email | Channel::Push => None,
        }
    }

    /// Where the recipient lives, as far as a number tells.
    pub(crate) fn any(&self) -> Option<&String> {
        self.sms.as_ref().or(self.whatsapp.as_ref())
    }
}

/// What is known of a recipient without asking anybody.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Enrichment {
    /// ISO 3166-1 alpha-2 code of the phone number's country.
    country: Option<String>,
    /// What its numbering plan gives the number to: `mobile`, `fixed_line`, `fixed_line_or_mobile`, `toll_free` …
    number_type: Option<String>,
    /// IANA zones that the recipient may live by: the one that is named, or those of the country.
    timezones: Vec<String>,
    /// As a language tag (BCP 47), whichever way it was written.
    locale: Option<String>,
}

/// Looks at a recipient.
pub(crate) fn enrich(to: &Recipient, countries: &Countries) -> Enrichment {
    let phone = to.phone.as_ref().or(to.whatsapp.as_ref());
    let country = countries.any().cloned();
    let timezones = match (&to.timezone, &country) {
        (Some(zone), _) => vec![zone.clone()],
        (None, Some(country)) => {
            timezone::of_country(country).iter().map(|zone| (*zone).to_owned()).collect()
        }
        (None, None) => Vec::new(),
    };
    Enrichment {
        country,
        number_type: phone.and_then(Phone::line_type),
        timezones,
        locale: to.locale.clone(),
    }
}

/// When a message ends that names no expiry.
pub(crate) fn default_expiry(api: &Api, start: UnixMillis) -> UnixMillis {
    start.plus_ms(u64::try_from(api.settings.default_expiry.as_millis()).unwrap_or(u64::MAX))
}
