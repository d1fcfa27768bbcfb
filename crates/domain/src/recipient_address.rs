//! An address by itself, in the form in which two that reach the same person are equal.

use std::fmt;

use crate::address::{Channel, Email, Phone, Recipient};

/// What kind of address it is. SMS and WhatsApp share one: a number is a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum AddressKind {
    /// A phone number.
    Phone,
    /// A mail address.
    Email,
    /// A push token.
    Push,
}

impl AddressKind {
    /// The addresses of a channel.
    pub const fn of(channel: Channel) -> Self {
        match channel {
            Channel::Sms | Channel::Whatsapp => Self::Phone,
            Channel::Email => Self::Email,
            Channel::Push => Self::Push,
        }
    }
}

/// A normalised address: mail in lower case, everything else as it is.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecipientAddress {
    kind: AddressKind,
    normal: String,
}

impl RecipientAddress {
    /// A phone number, for SMS and WhatsApp.
    pub fn phone(phone: &Phone) -> Self {
        Self { kind: AddressKind::Phone, normal: phone.as_str().to_owned() }
    }

    /// A mail address.
    pub fn email(email: &Email) -> Self {
        Self { kind: AddressKind::Email, normal: email.as_str().to_ascii_lowercase() }
    }

    /// A push token.
    pub fn push(token: &str) -> Self {
        Self { kind: AddressKind::Push, normal: token.to_owned() }
    }

    /// Whatever a list of messages is asked for: a text with an `@` is a mail address, any other a number.
    pub fn wanted(text: &str) -> Self {
        if text.contains('@') {
            Self { kind: AddressKind::Email, normal: text.to_ascii_lowercase() }
        } else {
            Self { kind: AddressKind::Phone, normal: text.to_owned() }
        }
    }

    /// An address on a channel, as a provider told it.
    pub fn on(channel: Channel, text: &str) -> Self {
        let kind = AddressKind::of(channel);
        let normal = if kind == AddressKind::Email { text.to_ascii_lowercase() } else { text.to_owned() };
        Self { kind, normal }
    }

    /// Every different address of a recipient, in order of kind and text.
    pub fn all_of(to: &Recipient) -> Vec<Self> {
        let phones = [&to.phone, &to.whatsapp].into_iter().flatten().map(Self::phone);
        let emails = to.email.iter().map(Self::email);
        let tokens = to.push.iter().map(|push| Self::push(&push.token));
        let mut all: Vec<Self> = phones.chain(emails).chain(tokens).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Its kind.
    pub const fn kind(&self) -> AddressKind {
        self.kind
    }

    /// Its normal form.
    pub fn normal(&self) -> &str {
        &self.normal
    }
}

impl fmt::Debug for RecipientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecipientAddress::{:?}(redacted)", self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::PushToken;

    #[test]
    fn one_number_on_two_channels_is_one_address() {
        let phone = Phone::parse("+4520123456").ok();
        let to = Recipient {
            phone: phone.clone(),
            whatsapp: phone,
            email: Email::parse("A@Example.dk").ok(),
            push: vec![PushToken { token: "AbC".into(), platform: None }],
            ..Recipient::default()
        };
        let all = RecipientAddress::all_of(&to);
        let texts: Vec<&str> = all.iter().map(RecipientAddress::normal).collect();
        assert_eq!(texts, ["+4520123456", "a@example.dk", "AbC"]);
        assert!(!format!("{all:?}").contains("2012"));
        assert_eq!(all[0], RecipientAddress::wanted("+4520123456"));
        assert_eq!(all[1], RecipientAddress::on(Channel::Email, "a@EXAMPLE.dk"));
    }
}
