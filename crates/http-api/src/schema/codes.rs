//! Readers for texts that mean something: countries, currencies, days and amounts.

use hermes_domain::{
    calendar::parse_date,
    locale::Locale,
    money::{Currency, Money},
    sender::{SmsSenderKind, is_mail_sender},
    timezone,
};
use serde_json::Value;

use super::{Faults, Object, text, token};

/// Largest price, fee or minimum that is taken, in millionths of its currency: a million.
const MICROS_MAX: i64 = 1_000_000_000_000;
/// The same as a regular expression, for the document.
pub(crate) const AMOUNT_PATTERN: &str = r"^[0-9]{1,7}(\.[0-9]{1,6})?$";
/// A currency as a regular expression.
pub(crate) const CURRENCY_PATTERN: &str = "^[A-Z]{3}$";
/// A country as a regular expression.
pub(crate) const COUNTRY_PATTERN: &str = "^[A-Z]{2}$";

/// A country that has telephones.
pub(crate) fn country(value: Value, faults: &mut Faults) -> Option<String> {
    let code = token(2..=2)(value, faults)?;
    if timezone::of_country(&code).is_empty() {
        return faults.note("country", "expected an ISO 3166-1 alpha-2 code such as DK");
    }
    Some(code)
}

/// A language as a regular expression; it takes a little more than [`locale`] does.
pub(crate) const LOCALE_PATTERN: &str = "^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$";

/// A language tag in its canonical form (BCP 47): platforms write `da_DK` for `da-DK`.
pub(crate) fn locale(value: Value, faults: &mut Faults) -> Option<String> {
    let tag = token(2..=35)(value, faults)?;
    match tag.replace('_', "-").parse::<Locale>() {
        Ok(locale) => Some(locale.to_string()),
        Err(error) => faults.note("locale", error.to_string()),
    }
}

/// What an SMS may come from, as a regular expression; it takes a little more than [`sms_sender`] does.
pub(crate) const SMS_SENDER_PATTERN: &str = r"^(\+[0-9]{7,15}|[0-9]{3,8}|[A-Za-z0-9 &_.+!'-]{1,11})$";

/// What an SMS may come from.
pub(crate) fn sms_sender(value: Value, faults: &mut Faults) -> Option<String> {
    let sender = text(1..=16)(value, faults)?;
    if SmsSenderKind::of(&sender).is_some() {
        return Some(sender);
    }
    faults.note("sender", "expected a name of at most 11 characters, a number in E.164, or a short code")
}

/// What mail may come from.
pub(crate) fn mail_sender(value: Value, faults: &mut Faults) -> Option<String> {
    let sender = text(3..=320)(value, faults)?;
    if is_mail_sender(&sender) {
        return Some(sender);
    }
    faults.note("sender", "expected one address, such as a@b.dk or Name <a@b.dk>")
}

/// A currency.
pub(crate) fn currency(value: Value, faults: &mut Faults) -> Option<Currency> {
    let code = text(3..=3)(value, faults)?;
    code.parse().map_or_else(|_| faults.note("currency", "expected an ISO 4217 code such as EUR"), Some)
}

/// An amount in a currency that another field names, in millionths.
pub(crate) fn amount(value: Value, faults: &mut Faults) -> Option<i64> {
    let text = text(1..=14)(value, faults)?;
    // The currency does not matter for how an amount is written.
    match Money::parse(&text, "EUR") {
        Ok(money) if money.micros <= MICROS_MAX => Some(money.micros),
        Ok(_) => faults.note("range", "expected at most 1000000"),
        Err(error) => faults.note("money", error.to_string()),
    }
}

/// Money of an object that names its amount as `key` and its currency beside it.
pub(crate) fn money(key: &'static str, fields: &mut Object, faults: &mut Faults) -> Option<Money> {
    let amount = fields.required(key, faults, text(1..=32));
    // Each is read on its own, so that a fault is noted where it is.
    let amount = amount.and_then(|amount| {
        let read = Money::parse(&amount, "EUR").map(|money| money.micros);
        read.map_or_else(|error| faults.at_key(key, |faults| faults.note("money", error.to_string())), Some)
    });
    let currency = fields.required("currency", faults, currency);
    Some(Money { micros: amount?, currency: currency? })
}

/// A day, as days since 1970-01-01 UTC.
pub(crate) fn day(value: Value, faults: &mut Faults) -> Option<u32> {
    let text = text(1..=10)(value, faults)?;
    parse_date(&text).or_else(|| faults.note("day", "expected a date such as 2026-01-31"))
}
