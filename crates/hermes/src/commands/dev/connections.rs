//! The demo tenant's connections: one for each provider, all to the simulator.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Context as _;
use hermes_directory::{ConnectionTerms, Price};
use hermes_domain::{
    ConnectionId, TenantId, address::Channel, connection::Connection, message::Mode, money::Money,
};
use hermes_ports::{Clock as _, adapter::Secrets};
use hermes_simulator::demo;
use serde_json::{Value, json};

use crate::runtime::Assembly;

/// No real account is this fast; load tests on the simulator need it.
const DEMO_RATE_PER_S: u32 = 100_000;

/// Where FCM's access tokens come from.
const TOKEN_URI: &str = "token_uri";

const ID_DISTANCE: Duration = Duration::from_millis(3);

/// Makes those that are missing and leads the others to `simulator`; all of them by provider.
pub(super) async fn create(
    assembly: &Assembly,
    tenant: TenantId,
    simulator: &str,
) -> anyhow::Result<BTreeMap<&'static str, ConnectionId>> {
    let mut all = BTreeMap::new();
    for wanted in wanted(simulator) {
        let known = assembly.directory.read(|snapshot| {
            let mut serving = snapshot.serving(tenant, Mode::Test);
            serving.find(|connection| connection.provider == wanted.provider).map(|connection| connection.id)
        });
        let id = match known {
            Some(id) => {
                follow(assembly, id, &wanted).await?;
                id
            }
            None => {
                // Ids of one millisecond are in no order, and the order of ids is that of steps without providers.
                tokio::time::sleep(ID_DISTANCE).await;
                create_one(assembly, tenant, &wanted).await?
            }
        };
        all.insert(wanted.provider, id);
    }
    Ok(all)
}

/// Gives a connection of an earlier run, with another simulator, the addresses of this one. `base_url` follows by
/// itself at every start; FCM's tokens come from an address of their own, which its credential names once more.
async fn follow(assembly: &Assembly, id: ConnectionId, wanted: &Wanted) -> anyhow::Result<()> {
    let Some(token_uri) = wanted.config.get(TOKEN_URI) else { return Ok(()) };
    let Some(entry) = assembly.directory.read(|snapshot| snapshot.connection(id).cloned()) else {
        return Ok(());
    };
    let mut connection = Connection::clone(&entry.access.connection);
    if connection.config.get(TOKEN_URI) == Some(token_uri) {
        return Ok(());
    }
    connection.config.insert(TOKEN_URI.to_owned(), token_uri.clone());
    let terms = ConnectionTerms::clone(&entry.terms);
    let moved =
        assembly.directory.update_connection(connection, terms, Some(wanted.secrets()?), Some(entry.version));
    moved
        .await
        .map(drop)
        .with_context(|| format!("could not lead the {} connection to the simulator", wanted.provider))
}

struct Wanted {
    provider: &'static str,
    channel: Channel,
    /// Made up, in euros; ranks connections in the order of [`wanted`]. `None`: free.
    price: Option<&'static str>,
    config: Value,
    secrets: Value,
}

impl Wanted {
    fn secrets(&self) -> anyhow::Result<Secrets> {
        serde_json::from_value(self.secrets.clone()).map(Secrets).context("demo credentials are texts")
    }
}

async fn create_one(assembly: &Assembly, tenant: TenantId, wanted: &Wanted) -> anyhow::Result<ConnectionId> {
    let Wanted { provider, channel, price, config, .. } = wanted;
    let price =
        price.map(|amount| Money::parse(amount, "EUR")).transpose().context("demo prices are amounts")?;
    let cost = price.map(|price| Price { country: None, price }).into_iter().collect();
    let terms = ConnectionTerms { cost, countries: Vec::new() };
    let connection = Connection {
        id: assembly.mint.connection(),
        tenant: Some(tenant),
        mode: Mode::Test,
        provider: (*provider).to_owned(),
        name: (*provider).to_owned(),
        channel: *channel,
        config: serde_json::from_value(config.clone()).context("demo settings are an object")?,
        rate_per_s: Some(DEMO_RATE_PER_S),
        held: false,
        created_at: assembly.clock.now(),
    };
    let id = connection.id;
    let created = assembly.directory.create_connection(connection, terms, wanted.secrets()?).await;
    created.with_context(|| format!("could not make the {provider} connection"))?;
    Ok(id)
}

/// In the order in which a step without providers tries them.
fn wanted(simulator: &str) -> Vec<Wanted> {
    let all = [
        ("twilio", Channel::Sms, Some("0.06"), twilio()),
        ("vonage", Channel::Sms, Some("0.07"), vonage()),
        ("messente", Channel::Sms, Some("0.08"), messente()),
        ("ses", Channel::Email, Some("0.0001"), ses()),
        ("fcm", Channel::Push, None, fcm(simulator)),
        ("whatsapp", Channel::Whatsapp, Some("0.05"), whatsapp()),
    ];
    let at_simulator = |(provider, channel, price, (mut config, secrets)): (_, _, _, (Value, Value))| {
        config["base_url"] = simulator.into();
        Wanted { provider, channel, price, config, secrets }
    };
    all.map(at_simulator).into()
}

fn twilio() -> (Value, Value) {
    let account = demo::twilio();
    (
        json!({ "from": "+15005550006" }),
        json!({ "account_sid": account.account_sid, "auth_token": account.auth_token }),
    )
}

fn vonage() -> (Value, Value) {
    let account = demo::vonage();
    let application = account.application.map(|application| application.id);
    (
        json!({ "from": "Hermes" }),
        json!({
            "application_id": application,
            "private_key": demo::VONAGE_PRIVATE_KEY,
            "api_key": account.api_key,
            "api_secret": account.api_secret,
            "signature_secret": account.signature_secret,
        }),
    )
}

fn messente() -> (Value, Value) {
    let account = demo::messente();
    (
        json!({ "sender": account.default_sender }),
        json!({
            "username": account.username,
            "password": account.password,
            "inbound_secret": account.inbound_secret,
        }),
    )
}

fn ses() -> (Value, Value) {
    let account = demo::ses();
    (
        json!({
            "region": account.region,
            "from": "no-reply@hermes.example",
            "configuration_set": demo::SES_CONFIGURATION_SET,
            "sns_topic_arns": [demo::SES_TOPIC_ARN],
        }),
        json!({ "access_key_id": account.access_key_id, "secret_access_key": account.secret_access_key }),
    )
}

fn fcm(simulator: &str) -> (Value, Value) {
    let token_uri = format!("{simulator}/token");
    let service_account = demo::fcm_service_account(&token_uri).to_string();
    (
        json!({ "project_id": demo::FCM_PROJECT_ID, TOKEN_URI: token_uri }),
        json!({ "service_account": service_account }),
    )
}

fn whatsapp() -> (Value, Value) {
    let account = demo::whatsapp();
    (
        json!({ "phone_number_id": account.phone_number_id }),
        json!({
            "access_token": account.access_token,
            "app_secret": account.app_secret,
            "verify_token": account.verify_token,
        }),
    )
}

/// What a person would enter at the providers that know one callback address for a whole account. `receipts` are
/// our addresses by provider.
pub(super) fn callbacks(receipts: &BTreeMap<&'static str, String>) -> Value {
    let (twilio, whatsapp) = (demo::twilio(), demo::whatsapp());
    json!({
        "twilio": [{
            "account_sid": twilio.account_sid,
            "auth_token": twilio.auth_token,
            "api_key_sid": twilio.api_key_sid,
            "api_key_secret": twilio.api_key_secret,
            "inbound_url": receipts.get("twilio"),
        }],
        "whatsapp": [{
            "phone_number_id": whatsapp.phone_number_id,
            "business_account_id": whatsapp.business_account_id,
            "display_phone_number": whatsapp.display_phone_number,
            "verified_name": whatsapp.verified_name,
            "access_token": whatsapp.access_token,
            "app_secret": whatsapp.app_secret,
            "verify_token": whatsapp.verify_token,
            "callback_url": receipts.get("whatsapp"),
        }],
    })
}
