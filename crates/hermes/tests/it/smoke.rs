//! The smoke test for real accounts, with the simulator's.

use std::{collections::BTreeMap, process::Command};

use hermes_simulator::demo;

use crate::server::{Server, StartOptions};

const PROVIDERS: [&str; 6] = ["TWILIO", "VONAGE", "MESSENTE", "SES", "FCM", "WHATSAPP"];

/// Runs the script; returns whether it was content, and what it said.
fn smoke(server: &Server, variables: &BTreeMap<String, String>) -> (bool, String) {
    let script = format!("{}/../../examples/accounts/smoke.py", env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("python3");
    command.arg(script).env("HERMES_API", &server.api).env("HERMES_ADMIN_KEY", &server.admin_key);
    let output = command.envs(variables).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

fn accounts(simulator: &str) -> BTreeMap<String, String> {
    let (twilio, vonage, messente, ses, whatsapp) =
        (demo::twilio(), demo::vonage(), demo::messente(), demo::ses(), demo::whatsapp());
    let token_uri = format!("{simulator}/token");
    let mut all = BTreeMap::from(
        [
            ("PHONE", "+4520120001".to_owned()),
            ("EMAIL", "ada@example.com".into()),
            ("PUSH_TOKEN", "sim-0001-smoke".into()),
            ("WHATSAPP", "+4520120001".into()),
            ("TWILIO_ACCOUNT_SID", twilio.account_sid),
            ("TWILIO_AUTH_TOKEN", twilio.auth_token),
            ("TWILIO_FROM", "+15005550006".into()),
            ("VONAGE_APPLICATION_ID", vonage.application.unwrap().id),
            ("VONAGE_PRIVATE_KEY", demo::VONAGE_PRIVATE_KEY.into()),
            ("VONAGE_FROM", "Hermes".into()),
            ("MESSENTE_USERNAME", messente.username),
            ("MESSENTE_PASSWORD", messente.password),
            ("MESSENTE_SENDER", messente.default_sender),
            ("SES_ACCESS_KEY_ID", ses.access_key_id),
            ("SES_SECRET_ACCESS_KEY", ses.secret_access_key),
            ("SES_REGION", ses.region),
            ("SES_FROM", "no-reply@hermes.example".into()),
            ("FCM_SERVICE_ACCOUNT", demo::fcm_service_account(&token_uri).to_string()),
            ("FCM_PROJECT_ID", demo::FCM_PROJECT_ID.into()),
            ("FCM_TOKEN_URI", token_uri),
            ("WHATSAPP_ACCESS_TOKEN", whatsapp.access_token),
            ("WHATSAPP_APP_SECRET", whatsapp.app_secret),
            ("WHATSAPP_VERIFY_TOKEN", whatsapp.verify_token),
            ("WHATSAPP_PHONE_NUMBER_ID", whatsapp.phone_number_id),
        ]
        .map(|(name, value)| (format!("SMOKE_{name}"), value)),
    );
    all.extend(PROVIDERS.map(|name| (format!("SMOKE_{name}_BASE_URL"), simulator.to_owned())));
    all
}

#[tokio::test]
async fn the_smoke_test_sends_through_every_account_that_it_is_given_and_says_what_it_skips() {
    // Live connections reach the simulator only where private addresses are allowed.
    let env = vec![("HERMES__EGRESS__ALLOW_PRIVATE".to_owned(), "loopback".to_owned())];
    let server = Server::serve_with("", &StartOptions { env, log: None }).await;
    let mut variables = accounts(&server.simulator.url);
    let (content, said) = smoke(&server, &variables);
    assert!(content && said.ends_with("6 sent, 0 failed, 0 skipped\n"), "{said}");

    variables.remove("SMOKE_EMAIL");
    variables.remove("SMOKE_MESSENTE_SENDER");
    variables.insert("SMOKE_TWILIO_AUTH_TOKEN".into(), "wrong".into());
    let (content, said) = smoke(&server, &variables);
    assert!(!content && said.ends_with("3 sent, 1 failed, 2 skipped\n"), "{said}");
    for line in [
        "FAILED  twilio: ",
        "SKIPPED ses: set SMOKE_EMAIL\n",
        "SKIPPED messente: set SMOKE_MESSENTE_SENDER\n",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let (content, said) = smoke(&server, &BTreeMap::new());
    assert!(
        !content && said.ends_with("0 sent, 0 failed, 6 skipped\n"),
        "a test of nothing has not passed: {said}"
    );
}
