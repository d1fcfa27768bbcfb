//! Which refusals prove that the recipient opted out, or is on a list that the provider keeps.
//!
//! Providers have codes for "blocked" that leave open by whom: the carrier, a regulator, a contract without short
//! messages. Such an attempt reads `opted_out` and the next step starts, but a rule that lasts would silence somebody
//! who never asked for it. So each code that makes one is listed here.

use crate::outcome::{ErrorClass, Failure};

/// Whether an attempt that failed so at `provider` (the name of its adapter) makes a rule that lasts. Of adapters that
/// are not listed, none does: the provider goes on refusing by itself.
pub fn proves_opt_out(provider: &str, failure: &Failure) -> bool {
    let code = failure.code.as_deref();
    failure.class == ErrorClass::OptedOut
        && match provider {
            // STOP to this number. Not 30004, "message blocked". Source: twilio.com/docs/api/errors/21610.
            "twilio" => code == Some("21610"),
            // Every such reading is a bounce off one of its suppression lists, or an unsubscription there.
            "ses" => true,
            // The recipient refused this service, as the SMS and the Messages API number it. Not 7, 1050 and 4, "barred";
            // not 53 and 1483, a consent that a regulator misses.
            "vonage" => matches!(code, Some("9" | "1240")),
            // The recipient stopped marketing messages from this number.
            "whatsapp" => code == Some("131050"),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_recipients_own_opt_out_and_the_providers_list_last() {
        let refused =
            |class, code: Option<&str>| Failure { code: code.map(str::to_owned), ..Failure::new(class, "") };
        for (provider, code, lasts) in [
            ("twilio", Some("21610"), true),
            ("twilio", Some("30004"), false),
            ("twilio", None, false),
            ("ses", Some("Permanent/OnAccountSuppressionList"), true),
            ("ses", None, true),
            ("vonage", Some("9"), true),
            ("vonage", Some("1240"), true),
            ("vonage", Some("7"), false),
            ("vonage", Some("4"), false),
            ("vonage", Some("1050"), false),
            ("vonage", Some("53"), false),
            ("vonage", Some("1483"), false),
            ("whatsapp", Some("131050"), true),
            ("messente", Some("8"), false),
            ("somebodys-own", Some("21610"), false),
        ] {
            let failure = refused(ErrorClass::OptedOut, code);
            assert_eq!(proves_opt_out(provider, &failure), lasts, "{provider} {code:?}");
            let other = refused(ErrorClass::RecipientPermanent, code);
            assert!(!proves_opt_out(provider, &other), "{provider} {code:?}");
        }
    }
}
