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
    /// Vonage accounts.
    pub vonage: Vec<VonageAccount>,
    /// Messente API keys.
    pub messente: Vec<MessenteAccount>,
    /// WhatsApp numbers.
    pub whatsapp: Vec<WhatsAppAccount>,
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

/// A number on the WhatsApp Business platform, with the account and the app behind it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhatsAppAccount {
    /// Meta's id of the number, which is not the number.
    pub phone_number_id: String,
    /// The WhatsApp Business Account that the number is in.
    pub business_account_id: String,
    /// The number, digits only.
    pub display_phone_number: String,
    /// What recipients see.
    pub verified_name: String,
    /// Opens the number.
    pub access_token: String,
    /// Keys the signature of webhooks.
    pub app_secret: String,
    /// Told in the handshake that proves the callback URL.
    pub verify_token: String,
    /// Where the webhooks of the app go, once the handshake has passed. `None`: nowhere.
    #[serde(default)]
    pub callback_url: Option<Url>,
    /// Approved templates. Empty: every well-formed template is approved.
    #[serde(default)]
    pub templates: Vec<WhatsAppTemplate>,
}

/// An approved template in one language.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhatsAppTemplate {
    /// Its name.
    pub name: String,
    /// Code of its language, such as `en_US`.
    pub language: String,
    /// How many parameters its body takes.
    #[serde(default)]
    pub body_parameters: usize,
    /// What its price is by. `None`: `utility`.
    #[serde(default)]
    pub category: Option<String>,
}

impl fmt::Debug for WhatsAppAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhatsAppAccount")
            .field("phone_number_id", &self.phone_number_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for MessenteAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessenteAccount")
            .field("default_sender", &self.default_sender)
            .finish_non_exhaustive()
    }
}

/// A Vonage account, and the application through which it uses the Messages API.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VonageAccount {
    /// Eight characters.
    pub api_key: String,
    /// Logs in.
    pub api_secret: String,
    /// Keys the tokens of Messages API callbacks, and signatures of the SMS API.
    pub signature_secret: String,
    /// How the SMS API signs. `None`: reports carry no signature, and signed requests are refused.
    #[serde(default)]
    pub signature_method: Option<VonageSignatureMethod>,
    /// How the SMS API sends delivery reports and messages from handsets.
    #[serde(default)]
    pub report_method: VonageReportMethod,
    /// Where the SMS API sends the delivery reports of messages that name no `callback`.
    #[serde(default)]
    pub report_url: Option<Url>,
    /// Where the SMS API sends messages from handsets. `None`: where the report of the message answered went,
    /// without the query.
    #[serde(default)]
    pub inbound_url: Option<Url>,
    /// Senders that the account may use. Empty: every well-formed sender is accepted.
    #[serde(default)]
    pub senders: Vec<String>,
    /// Logs in to the Messages API with tokens of its own.
    #[serde(default)]
    pub application: Option<VonageApplication>,
}

/// An application of a Vonage account.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VonageApplication {
    /// A UUID.
    pub id: String,
    /// Checks the application's tokens: PEM of the RSA public key (`PUBLIC KEY`), or of the private key
    /// (`PRIVATE KEY`), from which the public one follows.
    pub key: String,
    /// Where status callbacks go whose message names no `webhook_url`.
    #[serde(default)]
    pub status_url: Option<Url>,
    /// Where messages from handsets go. `None`: where the status of the message answered went, without the
    /// query.
    #[serde(default)]
    pub inbound_url: Option<Url>,
}

/// How the SMS API signs requests and reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VonageSignatureMethod {
    /// MD5 of the parameters followed by the secret.
    Md5Hash,
    /// HMAC with MD5.
    Md5Hmac,
    /// HMAC with SHA-1.
    Sha1Hmac,
    /// HMAC with SHA-256.
    Sha256Hmac,
    /// HMAC with SHA-512.
    Sha512Hmac,
}

/// How the SMS API sends delivery reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VonageReportMethod {
    /// In the query.
    Get,
    /// As a form.
    Post,
    /// As a JSON object of texts.
    #[default]
    PostJson,
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

impl fmt::Debug for VonageAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VonageAccount").field("api_key", &self.api_key).finish_non_exhaustive()
    }
}

impl fmt::Debug for VonageApplication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VonageApplication").field("id", &self.id).finish_non_exhaustive()
    }
}
