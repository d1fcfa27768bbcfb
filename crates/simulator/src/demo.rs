//! Public credentials for demonstrations and tests.
//!
//! **They protect nothing**: they are printed here, and open nothing but a simulator. The keys were made for
//! this project's test vectors.

use std::collections::BTreeMap;

use serde_json::json;

use crate::{
    Accounts, FcmAccount, MessenteAccount, SesAccount, TwilioAccount, VonageAccount, VonageApplication,
    VonageReportMethod, VonageSignatureMethod, WhatsAppAccount,
};

/// The configuration set of the demo SES account.
pub const SES_CONFIGURATION_SET: &str = "hermes";
/// The SNS topic that [`SES_CONFIGURATION_SET`] publishes to.
pub const SES_TOPIC_ARN: &str = "arn:aws:sns:eu-west-1:123456789012:hermes-ses";
/// The project of the demo service account.
pub const FCM_PROJECT_ID: &str = "hermes-test";
/// The self-signed certificate (PEM) that signs the simulator's SNS messages.
pub const SNS_CERTIFICATE: &str = include_str!("ses/test_certificate.pem");

/// Demo Twilio account; any well-formed sender is accepted.
#[must_use]
pub fn twilio() -> TwilioAccount {
    TwilioAccount {
        account_sid: "AC00000000000000000000000000000001".into(),
        auth_token: "0123456789abcdef0123456789abcdef".into(),
        api_key_sid: Some("SK00000000000000000000000000000001".into()),
        api_key_secret: Some("demo-api-key-secret".into()),
        senders: Vec::new(),
        inbound_url: None,
    }
}

/// Demo SES account in `eu-west-1`; every sender is verified, and one template `receipt` is stored.
#[must_use]
pub fn ses() -> SesAccount {
    SesAccount {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
        session_token: None,
        region: "eu-west-1".into(),
        identities: Vec::new(),
        configuration_sets: BTreeMap::from([(SES_CONFIGURATION_SET.into(), SES_TOPIC_ARN.into())]),
        default_configuration_set: None,
        templates: vec!["receipt".into()],
    }
}

/// Demo service account key as Google would hand it out, with `token_uri` pointing wherever the caller needs
/// it (a simulator serves `<base url>/token`).
#[must_use]
pub fn fcm_service_account(token_uri: &str) -> serde_json::Value {
    json!({
        "type": "service_account",
        "project_id": FCM_PROJECT_ID,
        "private_key_id": "0123456789abcdef0123456789abcdef01234567",
        "private_key": include_str!("fcm/test_key.pem"),
        "client_email": "hermes@hermes-test.iam.gserviceaccount.com",
        "client_id": "100000000000000000001",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": token_uri,
        "universe_domain": "googleapis.com",
    })
}

/// Demo Messente API key; any well-formed sender is accepted.
#[must_use]
pub fn messente() -> MessenteAccount {
    MessenteAccount {
        username: "00000000000000000000000000000e55".into(),
        password: "fedcba9876543210fedcba9876543210".into(),
        default_sender: "Hermes".into(),
        senders: Vec::new(),
        dlr_url: None,
        inbound_number: "+37251000001".into(),
        inbound_secret: "demo-inbound-shared-secret".into(),
        inbound_url: None,
    }
}

/// The private key (PEM) of the demo Vonage application, with which callers sign their tokens.
pub const VONAGE_PRIVATE_KEY: &str = include_str!("fcm/test_key.pem");

/// Demo Vonage account; any well-formed sender is accepted, and reports come as signed JSON.
#[must_use]
pub fn vonage() -> VonageAccount {
    VonageAccount {
        api_key: "abcd1234".into(),
        api_secret: "abcdef0123456789".into(),
        signature_secret: "SIGNATURE_SECRET_0123456789abcdef".into(),
        signature_method: Some(VonageSignatureMethod::Sha256Hmac),
        report_method: VonageReportMethod::PostJson,
        report_url: None,
        inbound_url: None,
        senders: Vec::new(),
        application: Some(VonageApplication {
            id: "aaaaaaaa-bbbb-cccc-dddd-0123456789ab".into(),
            key: VONAGE_PRIVATE_KEY.into(),
            status_url: None,
            inbound_url: None,
        }),
    }
}

/// Demo WhatsApp number; every well-formed template is approved, and no callback URL is set.
#[must_use]
pub fn whatsapp() -> WhatsAppAccount {
    WhatsAppAccount {
        phone_number_id: "106540352242922".into(),
        business_account_id: "102290129340398".into(),
        display_phone_number: "15550783881".into(),
        verified_name: "Hermes".into(),
        access_token: "EAAGdemo0access0token".into(),
        app_secret: "00112233445566778899aabbccddeeff".into(),
        verify_token: "demo-verify-token".into(),
        callback_url: None,
        templates: Vec::new(),
    }
}

/// The accounts that a simulator has unless told otherwise: those above.
#[must_use]
pub fn accounts() -> Accounts {
    Accounts {
        twilio: vec![twilio()],
        ses: vec![ses()],
        messente: vec![messente()],
        vonage: vec![vonage()],
        whatsapp: vec![whatsapp()],
        fcm: vec![FcmAccount { service_account: fcm_service_account("https://oauth2.googleapis.com/token") }],
    }
}
