//! The form of a send request, checked as the SMS API checks it.

use std::collections::BTreeMap;

use url::Url;

use super::{fault, fault::Fault};
use crate::{
    VonageAccount,
    inbound::query_parameter,
    reference::Reference,
    segments::{self, Encoding},
    vonage::numbers::{is_number, is_sender},
};

const TEXT_CHARS_MAX: usize = 3200;
const CALLBACK_CHARS_MAX: usize = 100;
const CLIENT_REF_CHARS_MAX: usize = 100;
/// In one message, header included.
const BINARY_BYTES_MAX: usize = 140;

/// What a request says. Unknown parameters are ignored, but signed; of a repeated one the last counts.
#[derive(Default)]
pub(super) struct Parameters(BTreeMap<String, String>);

/// What a request asked for, once checked.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) to: String,
    pub(super) from: String,
    pub(super) text: String,
    pub(super) parts: usize,
    pub(super) client_ref: Option<String>,
    pub(super) account_ref: Option<String>,
    pub(super) callback: Option<Url>,
    pub(super) wants_reports: bool,
}

impl Parameters {
    pub(super) fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// An empty value is none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn required(&self, name: &str) -> Result<&str, Fault> {
        self.get(name).ok_or_else(|| fault::missing(name))
    }

    fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// Our reference: `client-ref`, else the `ref` parameter of the callback URL.
    pub(super) fn reference(&self) -> Option<Reference> {
        self.get("client-ref").and_then(Reference::parse).or_else(|| {
            let (_, query) = self.get("callback")?.split_once('?')?;
            query_parameter(Some(query), "ref").as_deref().and_then(Reference::parse)
        })
    }

    pub(super) fn check(&self, account: &VonageAccount) -> Result<Text, Fault> {
        let from = self.required("from")?;
        let to = self.required("to")?;
        if !is_number(to) {
            return Err(fault::invalid("to"));
        }
        if !is_sender(from) || !(account.senders.is_empty() || account.senders.iter().any(|own| own == from))
        {
            return Err(fault::BAD_SENDER);
        }
        let (text, parts) = self.content()?;
        self.check_options()?;
        Ok(Text {
            to: to.to_owned(),
            from: from.to_owned(),
            text,
            parts,
            client_ref: self.owned("client-ref"),
            account_ref: self.owned("account-ref"),
            callback: self.get("callback").map(parse_callback).transpose()?,
            wants_reports: self.flag("status-report-req")?.unwrap_or(true),
        })
    }

    /// The text, and in how many parts it goes. Binary content has one part and no text.
    fn content(&self) -> Result<(String, usize), Fault> {
        let encoding = match self.get("type") {
            None | Some("text") => Encoding::Gsm,
            Some("unicode") => Encoding::Ucs2,
            Some("binary") => return self.check_binary().map(|()| (String::new(), 1)),
            Some(_) => return Err(fault::invalid("type")),
        };
        let text = self.required("text")?;
        if text.chars().count() > TEXT_CHARS_MAX {
            return Err(fault::TOO_LONG);
        }
        Ok((text.to_owned(), segments::count(text, encoding)))
    }

    fn check_binary(&self) -> Result<(), Fault> {
        let body = hex::decode(self.required("body")?).map_err(|_| fault::invalid("body"))?;
        let header = hex::decode(self.required("udh")?).map_err(|_| fault::invalid("udh"))?;
        if body.len() + header.len() > BINARY_BYTES_MAX { Err(fault::TOO_LONG) } else { Ok(()) }
    }

    fn check_options(&self) -> Result<(), Fault> {
        let whole_numbers =
            [("ttl", 20_000..=604_800_000), ("message-class", 0..=3), ("protocol-id", 0..=255)];
        for (name, allowed) in whole_numbers {
            if let Some(value) = self.get(name)
                && !value.parse::<u32>().is_ok_and(|value| allowed.contains(&value))
            {
                return Err(fault::invalid(name));
            }
        }
        if self.get("client-ref").is_some_and(|text| text.chars().count() > CLIENT_REF_CHARS_MAX) {
            return Err(fault::invalid("client-ref"));
        }
        self.flag("trusted_sender").map(|_| ())
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, Fault> {
        match self.get(name) {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(fault::invalid(name)),
        }
    }
}

/// An absolute http or https URL that is not too long.
fn parse_callback(text: &str) -> Result<Url, Fault> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && text.chars().count() <= CALLBACK_CHARS_MAX)
        .ok_or(fault::BAD_CALLBACK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo;

    const GOOD: [(&str, &str); 3] = [("from", "AcmeInc"), ("to", "4520123456"), ("text", "hi")];

    /// The form above with some values replaced or added.
    fn form(changes: &[(&str, &str)]) -> Parameters {
        let pairs = GOOD.iter().chain(changes).map(|(name, value)| ((*name).into(), (*value).into()));
        Parameters(pairs.collect())
    }

    fn check(changes: &[(&str, &str)]) -> Result<Text, Fault> {
        form(changes).check(&demo::vonage())
    }

    #[test]
    fn every_fault_has_the_published_status() {
        let long_text = "x".repeat(3201);
        let long_ref = "r".repeat(101);
        let long_url = format!("http://h/{}", "x".repeat(92));
        let long_body = "00".repeat(139);
        for (changes, expected) in [
            (&[("from", "")][..], fault::missing("from")),
            (&[("to", "")], fault::missing("to")),
            (&[("text", "")], fault::missing("text")),
            (&[("to", "+4520123456")], fault::invalid("to")),
            (&[("to", "004520123456")], fault::invalid("to")),
            (&[("to", "452012")], fault::invalid("to")),
            (&[("to", "ACME")], fault::invalid("to")),
            (&[("from", "twelve letters")], fault::BAD_SENDER),
            (&[("from", "+4520123456")], fault::BAD_SENDER),
            (&[("text", &long_text)], fault::TOO_LONG),
            (&[("type", "wappush")], fault::invalid("type")),
            (&[("type", "binary")], fault::missing("body")),
            (&[("type", "binary"), ("body", "00")], fault::missing("udh")),
            (&[("type", "binary"), ("body", "0"), ("udh", "00")], fault::invalid("body")),
            (&[("type", "binary"), ("body", "00"), ("udh", "xx")], fault::invalid("udh")),
            (&[("type", "binary"), ("body", &long_body), ("udh", "0000")], fault::TOO_LONG),
            (&[("ttl", "3600")], fault::invalid("ttl")),
            (&[("ttl", "604800001")], fault::invalid("ttl")),
            (&[("ttl", "1h")], fault::invalid("ttl")),
            (&[("message-class", "4")], fault::invalid("message-class")),
            (&[("protocol-id", "-1")], fault::invalid("protocol-id")),
            (&[("status-report-req", "yes")], fault::invalid("status-report-req")),
            (&[("trusted_sender", "yes")], fault::invalid("trusted_sender")),
            (&[("client-ref", &long_ref)], fault::invalid("client-ref")),
            (&[("callback", "h/r")], fault::BAD_CALLBACK),
            (&[("callback", "ftp://h/r")], fault::BAD_CALLBACK),
            (&[("callback", &long_url)], fault::BAD_CALLBACK),
        ] {
            assert_eq!(check(changes).unwrap_err(), expected, "{changes:.80?}");
        }
    }

    #[test]
    fn what_is_at_the_limits_is_accepted() {
        let (text, reference) = ("x".repeat(3200), "r".repeat(100));
        let url = format!("http://h/{}", "x".repeat(91));
        let changes = [
            ("text", &*text),
            ("client-ref", &reference),
            ("callback", &url),
            ("ttl", "20000"),
            ("message-class", "0"),
            ("status-report-req", "false"),
            ("unknown", "ignored"),
        ];
        let checked = check(&changes).unwrap();
        assert_eq!((checked.parts, checked.wants_reports), (21, false));
        assert_eq!(checked.callback.map(String::from), Some(url));
        let binary = [("type", "binary"), ("body", "0011"), ("udh", "06050415811581"), ("text", "")];
        assert_eq!(check(&binary).unwrap().parts, 1);
    }

    #[test]
    fn parts_follow_the_type_that_was_asked_for() {
        let wide = "ш".repeat(71);
        assert_eq!(check(&[("text", &wide), ("type", "unicode")]).unwrap().parts, 2);
        assert_eq!(check(&[("text", &wide)]).unwrap().parts, 1, "sent as question marks");
    }

    #[test]
    fn an_account_with_senders_owns_only_those() {
        let account = VonageAccount { senders: vec!["AcmeInc".into()], ..demo::vonage() };
        assert!(form(&[]).check(&account).is_ok());
        assert_eq!(form(&[("from", "Other")]).check(&account).unwrap_err(), fault::BAD_SENDER);
    }

    #[test]
    fn the_reference_is_the_clients_or_in_the_callback() {
        let callback = ("callback", "http://h/r?x=1&ref=msg_1.2");
        assert_eq!(form(&[callback]).reference().unwrap().as_str(), "msg_1.2");
        assert_eq!(form(&[callback, ("client-ref", "msg_1.3")]).reference().unwrap().as_str(), "msg_1.3");
        assert!(form(&[]).reference().is_none());
    }
}
