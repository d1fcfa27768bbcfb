//! The accounts that exist at the simulated providers.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;
use url::Url;

/// The accounts of every provider. The same key twice: the later one counts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Accounts {
    /// Twilio accounts.
    pub twilio: Vec<TwilioAccount>,
    /// AWS access keys with the SES set-up behind them.
    pub ses: Vec<SesAccount>,
    /// Google service accounts.
    pub fcm: Vec<FcmAccount>,
    /// Messente API keys.
    pub messente: Vec<MessenteAccount>,
}

/// A Twilio account.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwilioAccount {
    /// `AC` and 32 hex digits.
    pub account_sid: String,
    /// Logs in, and keys the signature of callbacks.
    pub auth_token: String,
    /// An API key (`SK` and 32 hex digits) that may log in instead.
    #[serde(default)]
    pub api_key_sid: Option<String>,
    /// The secret of that key.
    #[serde(default)]
    pub api_key_secret: Option<String>,
    /// Senders that the account owns. Empty: every well-formed sender is accepted.
    #[serde(default)]
    pub senders: Vec<String>,
    /// Where messages from handsets go. `None`: the status callback of the message answered, without its
    /// query.
    #[serde(default)]
    pub inbound_url: Option<String>,
}

/// An AWS access key and the SES account behind it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SesAccount {
    /// `AKIA…`.
    pub access_key_id: String,
    /// Keys the request signature.
    pub secret_access_key: String,
    /// Required with every request if set, refused if not.
    #[serde(default)]
    pub session_token: Option<String>,
    /// The only region where this account is set up.
    pub region: String,
    /// Verified domains and addresses. Empty: every sender is verified.
    #[serde(default)]
    pub identities: Vec<String>,
    /// Configuration set name → ARN of the SNS topic its events go to.
    #[serde(default)]
    pub configuration_sets: BTreeMap<String, String>,
    /// The set used by messages that name none.
    #[serde(default)]
    pub default_configuration_set: Option<String>,
    /// Names of stored templates.
    #[serde(default)]
    pub templates: Vec<String>,
}

/// A Google service account allowed to send for its project.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FcmAccount {
    /// The JSON key as Google hands it out.
    pub service_account: serde_json::Value,
}

/// A Messente API key, with one inbound number.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessenteAccount {
    /// The API user name, 32 hex digits in practice.
    pub username: String,
    /// Logs in, and keys the signature of delivery reports.
    pub password: String,
    /// The sender of messages that name none.
    pub default_sender: String,
    /// Senders that the account may use besides. Empty: every well-formed sender is accepted.
    #[serde(default)]
    pub senders: Vec<String>,
    /// Where reports of messages without a `dlr_url` go. `None`: nowhere.
    #[serde(default)]
    pub dlr_url: Option<Url>,
    /// The number that people write to.
    pub inbound_number: String,
    /// Shown with that number; keys the signature of messages from handsets.
    pub inbound_secret: String,
    /// Where messages from handsets go. `None`: where the report of the message answered went, without its
    /// query.
    #[serde(default)]
    pub inbound_url: Option<Url>,
}

impl fmt::Debug for MessenteAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessenteAccount")
            .field("default_sender", &self.default_sender)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TwilioAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwilioAccount").field("account_sid", &self.account_sid).finish_non_exhaustive()
    }
}

impl fmt::Debug for SesAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SesAccount").field("region", &self.region).finish_non_exhaustive()
    }
}

impl fmt::Debug for FcmAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FcmAccount")
            .field("project_id", &self.service_account["project_id"])
            .finish_non_exhaustive()
    }
}
