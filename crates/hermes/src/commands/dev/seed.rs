//! The demo tenant, its keys, and what the simulator must know of them.

use std::{
    collections::BTreeMap, fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path, time::Duration,
};

use anyhow::Context as _;
use hermes_domain::{
    TenantId,
    access::Scopes,
    message::Mode,
    policy::TenantPolicy,
    tenant::{ApiKey, KeyOwner, Tenant},
};
use hermes_ports::Clock as _;
use hermes_simulator::demo;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing::warn;

use super::connections;
use crate::runtime::{Actor, Assembly, on_record};

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
    /// Where each provider's callbacks go.
    pub(super) receipts: BTreeMap<&'static str, String>,
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
    let all = connections::create(assembly, file.tenant_id, simulator).await?;
    let receipts =
        all.into_iter().map(|(provider, id)| (provider, format!("{api}/receipts/{provider}/{id}"))).collect();
    Ok(Demo { tenant: file.tenant_id, receipts, file })
}

/// Tells the simulator where callbacks go, as a person would set it up at the providers. Tries for a minute: some of
/// them call back to see whether the address is ours, and the server is just starting.
pub(super) async fn set_up_callbacks(simulator: String, receipts: BTreeMap<&'static str, String>) {
    let events = json!({ "topic_arn": demo::SES_TOPIC_ARN, "endpoint": receipts.get("ses") });
    let accounts = connections::callbacks(&receipts);
    tell(&simulator, "/sim/subscriptions", &events).await;
    tell(&simulator, "/sim/accounts", &accounts).await;
}

async fn tell(simulator: &str, path: &str, body: &Value) {
    let Ok(client) = reqwest::Client::builder().no_proxy().build() else { return };
    for _ in 0..SET_UP_TRIES {
        let request = client.post(format!("{simulator}{path}")).header("content-type", "application/json");
        match request.body(body.to_string()).send().await {
            Ok(answer) if answer.status().is_success() => return,
            Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
        }
    }
    warn!(path, "the simulator does not know where callbacks go: some receipts will not come");
}

const SET_UP_TRIES: u32 = 120;

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
        policy: TenantPolicy::default(),
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
        scopes: Scopes::All,
        role: None,
        hint: None,
        expires_at: None,
        created_at: now,
    };
    let (action, target) = match owner {
        KeyOwner::Operator => ("createOperatorKey", format!("keys/{}", key.id)),
        KeyOwner::Tenant(tenant, _) => ("createKey", format!("tenants/{tenant}/keys/{}", key.id)),
    };
    let create = async { assembly.directory.create_key(key).await.context("could not make a key") };
    let log = &*assembly.stores.embedded;
    let (_, secret) = on_record(log, assembly.clock, Actor::Dev, (action, target), create).await?;
    Ok(secret)
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
