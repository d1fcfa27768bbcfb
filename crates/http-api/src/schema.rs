//! Reading JSON against a schema: every fault at once, each with its JSON pointer.
//!
//! Readers are small functions from a value to `Option<T>`; `None` means that a fault was noted. They
//! take values apart instead of copying them, which keeps the way of a message to its `202` short.

mod codes;
mod faults;
mod object;
mod read;

pub(crate) use codes::{
    AMOUNT_PATTERN, COUNTRY_PATTERN, CURRENCY_PATTERN, LOCALE_PATTERN, SMS_SENDER_PATTERN, amount, country,
    currency, day, locale, mail_sender, money, sms_sender,
};
pub(crate) use faults::{Faults, pointer_step};
pub(crate) use object::{Object, object, root};
pub(crate) use read::{
    ahead, any_object, boolean, choice, id, instant, integer, line, list, map, text, token, web_url,
};
