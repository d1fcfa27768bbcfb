//! The demo tenant, its keys and its connections to the simulator.

use std::{
    collections::BTreeMap, fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path, time::Duration,
};

use anyhow::Context as _;
use hermes_directory::ConnectionTerms;
use hermes_domain::{
    TenantId,
    address::Channel,
    connection::Connection,
    message::Mode,
    tenant::{ApiKey, KeyOwner, Tenant},
};
use hermes_ports::{Clock as _, adapter::Secrets};
use hermes_simulator::demo;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing::warn;

use crate::runtime::Assembly;

/// What `dev.json` holds and `--json` prints.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DevFile {
    pub(super) api: String,
    pub(super) tenant_id: TenantId,
    pub(super) tenant_key: String,
    pub(super) admin_key: String,
    pub(super) simulator: String,
    pub(super) data: String,
}

/// The demo, ready to use.
pub(super) struct Demo {
    pub(super) file: DevFile,
    pub(super) tenant: TenantId,
    /// Where SES events go: `dev` subscribes it to the simulator's topic.
    pub(super) ses_receipts: String,
}

/// Makes what is missing and keeps what is there.
pub(super) async fn seed(
    assembly: &Assembly,
    data: &Path,
    api: &str,
    simulator: &str,
) -> anyhow::Result<Demo> {
    let path = data.join("dev.json");
    let known = read(&path)?.filter(|known| assembly.directory.tenant(known.tenant_id).is_some());
    let mut file = match known {
        Some(known) => known,
        None => DevFile {
            api: String::new(),
            tenant_id: create_tenant(assembly).await?,
            tenant_key: String::new(),
            admin_key: String::new(),
            simulator: String::new(),
            data: String::new(),
        },
    };
    if file.tenant_key.is_empty() {
        file.tenant_key = create_key(assembly, KeyOwner::Tenant(file.tenant_id, Mode::Test), "demo").await?;
        file.admin_key = create_key(assembly, KeyOwner::Operator, "dev operator").await?;
    }
    (file.api, file.simulator) = (api.to_owned(), simulator.to_owned());
    file.data = data.display().to_string();
    write(&path, &file)?;
    let ses = create_connections(assembly, file.tenant_id, simulator).await?;
    Ok(Demo { tenant: file.tenant_id, ses_receipts: format!("{api}/receipts/ses/{ses}"), file })
}

/// Tells a simulator elsewhere where SES events go, as a person would subscribe an endpoint to an SNS topic.
/// Tries for a minute: the simulator confirms with a call to a server that is just starting.
pub(super) async fn subscribe_receipts(simulator: String, endpoint: String) {
    let body = json!({ "topic_arn": demo::SES_TOPIC_ARN, "endpoint": endpoint }).to_string();
    let Ok(client) = reqwest::Client::builder().no_proxy().build() else { return };
    for _ in 0..SUBSCRIBE_TRIES {
        let request =
            client.post(format!("{simulator}/sim/subscriptions")).header("content-type", "application/json");
        match request.body(body.clone()).send().await {
            Ok(answer) if answer.status().is_success() => return,
            Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
        }
    }
    warn!("the simulator did not take the subscription to SES events; email receipts will not come");
}

const SUBSCRIBE_TRIES: u32 = 120;

async fn create_tenant(assembly: &Assembly) -> anyhow::Result<TenantId> {
    let tenant = Tenant {
        id: assembly.mint.tenant(),
        name: "Demo".to_owned(),
        suspended: false,
        default_cascade: Some(json!({ "steps": [
            { "channel": "sms", "timeout_s": 3 },
            { "channel": "email", "timeout_s": 3 },
            { "channel": "push", "timeout_s": 3 },
        ] })),
        created_at: assembly.clock.now(),
    };
    let id = tenant.id;
    assembly.directory.create_tenant(tenant).await.context("could not make the demo tenant")?;
    Ok(id)
}

async fn create_key(assembly: &Assembly, owner: KeyOwner, name: &str) -> anyhow::Result<String> {
    let now = assembly.clock.now();
    let key = ApiKey {
        id: assembly.mint.key(),
        owner,
        name: name.to_owned(),
        scopes: vec![],
        expires_at: None,
        created_at: now,
    };
    assembly.directory.create_key(key).await.context("could not make a key")
}

/// One connection per provider; returns the id of the SES one.
async fn create_connections(
    assembly: &Assembly,
    tenant: TenantId,
    simulator: &str,
) -> anyhow::Result<hermes_domain::ConnectionId> {
    let mut ses = None;
    for (provider, channel, config, secrets) in demo_connections(simulator) {
        let known = assembly.directory.read(|snapshot| {
            snapshot
                .serving(tenant, Mode::Test)
                .find(|connection| connection.provider == provider)
                .map(|connection| connection.id)
        });
        let id = match known {
            Some(id) => id,
            None => create_connection(assembly, tenant, provider, channel, config, secrets).await?,
        };
        if provider == "ses" {
            ses = Some(id);
        }
    }
    ses.context("the demo has no SES connection")
}

async fn create_connection(
    assembly: &Assembly,
    tenant: TenantId,
    provider: &str,
    channel: Channel,
    config: Value,
    secrets: Value,
) -> anyhow::Result<hermes_domain::ConnectionId> {
    let connection = Connection {
        id: assembly.mint.connection(),
        tenant: Some(tenant),
        mode: Mode::Test,
        provider: provider.to_owned(),
        name: provider.to_owned(),
        channel,
        config: serde_json::from_value(config).context("demo settings are an object")?,
        rate_per_s: Some(DEMO_RATE_PER_S),
        held: false,
        created_at: assembly.clock.now(),
    };
    let id = connection.id;
    let secrets: BTreeMap<String, String> =
        serde_json::from_value(secrets).context("demo credentials are texts")?;
    let created =
        assembly.directory.create_connection(connection, ConnectionTerms::default(), Secrets(secrets)).await;
    created.with_context(|| format!("could not make the {provider} connection"))?;
    Ok(id)
}

/// No real account is this fast; load tests on the simulator need it.
const DEMO_RATE_PER_S: u32 = 100_000;

fn demo_connections(simulator: &str) -> [(&'static str, Channel, Value, Value); 3] {
    let (twilio, ses) = (demo::twilio(), demo::ses());
    let service_account = demo::fcm_service_account(&format!("{simulator}/token"));
    [
        (
            "twilio",
            Channel::Sms,
            json!({ "base_url": simulator, "from": "+15005550006" }),
            json!({ "account_sid": twilio.account_sid, "auth_token": twilio.auth_token }),
        ),
        (
            "ses",
            Channel::Email,
            json!({
                "base_url": simulator,
                "region": ses.region,
                "from": "no-reply@hermes.example",
                "configuration_set": demo::SES_CONFIGURATION_SET,
                "sns_topic_arns": [demo::SES_TOPIC_ARN],
            }),
            json!({ "access_key_id": ses.access_key_id, "secret_access_key": ses.secret_access_key }),
        ),
        (
            "fcm",
            Channel::Push,
            json!({ "base_url": simulator, "project_id": demo::FCM_PROJECT_ID, "token_uri": format!("{simulator}/token") }),
            json!({ "service_account": service_account.to_string() }),
        ),
    ]
}

fn read(path: &Path) -> anyhow::Result<Option<DevFile>> {
    match fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("could not read {}", path.display())),
    }
}

fn write(path: &Path, file: &DevFile) -> anyhow::Result<()> {
    let temporary = path.with_extension("json.tmp");
    let mut out =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    out.write_all(&serde_json::to_vec_pretty(file)?)?;
    out.sync_all()?;
    fs::rename(&temporary, path).with_context(|| format!("could not write {}", path.display()))
}
