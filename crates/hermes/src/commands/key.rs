//! `hermes key`: API keys. A key is shown once, when it is made.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use hermes_domain::access::{Role, Scope};
use serde_json::json;

use super::client::{ApiOptions, Caller, Client, id, print, print_list, usage};
use crate::runtime::{block_on, create_operator_key, rotate_credentials};

/// Options of `key`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    api: ApiOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a key and prints it; it cannot be read again.
    Create(New),
    /// Encrypts all stored credentials under a new key: the configured one, or one that it makes for `keys.json`.
    /// No server may be running on the embedded store.
    RotateCredentials {
        /// Configuration that names the store and the keys.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Lists keys of a tenant or of operators: id, how they begin and end, name, mode or role, when they end, when
    /// they were used last.
    List(Whose),
    /// Revokes a key: requests with it are refused at once.
    Revoke {
        #[arg(value_parser = id)]
        id: String,
        #[command(flatten)]
        whose: Whose,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// Keys of this tenant.
    #[arg(long, value_parser = id, value_name = "ID")]
    tenant: Option<String>,
    /// Keys of operators.
    #[arg(long)]
    operator: bool,
}

#[derive(Debug, Args)]
struct New {
    /// A key of this tenant.
    #[arg(long, value_parser = id, value_name = "ID", required_unless_present = "operator")]
    tenant: Option<String>,
    /// What the key reaches: `test` ends at the simulator.
    #[arg(long, required_unless_present = "operator")]
    mode: Option<Mode>,
    /// What the tenant's key may do; without any, everything.
    #[arg(long, value_delimiter = ',', value_name = "SCOPES")]
    scopes: Vec<KeyScope>,
    /// What it is called.
    #[arg(long, default_value = "command line")]
    name: String,
    /// An operator's key, written into the store directly: no server may be running on it.
    #[arg(long, conflicts_with_all = ["tenant", "mode", "scopes"])]
    operator: bool,
    /// What the operator's key may do.
    #[arg(long, requires = "operator", default_value = "admin")]
    role: KeyRole,
    /// Configuration that names the store of the operator's key.
    #[arg(long, value_name = "FILE", requires = "operator")]
    config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    Live,
    Test,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KeyScope {
    Send,
    Read,
    Manage,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KeyRole {
    /// Looks at everything, changes nothing.
    Viewer,
    /// Also holds, releases, kills, checks, suspends, resumes.
    Operator,
    /// Everything.
    Admin,
}

impl KeyScope {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Send => Scope::Send.as_str(),
            Self::Read => Scope::Read.as_str(),
            Self::Manage => Scope::Manage.as_str(),
        }
    }
}

impl From<KeyRole> for Role {
    fn from(role: KeyRole) -> Self {
        match role {
            KeyRole::Viewer => Self::Viewer,
            KeyRole::Operator => Self::Operator,
            KeyRole::Admin => Self::Admin,
        }
    }
}

impl Whose {
    /// Where its keys are.
    fn path(&self) -> String {
        match &self.tenant {
            Some(tenant) => format!("/admin/v1/tenants/{tenant}/keys"),
            None => "/admin/v1/keys".to_owned(),
        }
    }
}

pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    match options.command {
        Command::Create(New { operator: true, config, name, role, .. }) => {
            println!("{}", create_operator_key(config.as_deref(), &name, role.into())?);
            Ok(())
        }
        Command::Create(New { tenant, mode, scopes, name, .. }) => {
            let (Some(tenant), Some(mode)) = (tenant, mode) else {
                usage("give --tenant ID and --mode live|test")
            };
            let mode = match mode {
                Mode::Live => "live",
                Mode::Test => "test",
            };
            let client = Client::connect(&options.api, Caller::Operator)?;
            let path = format!("/admin/v1/tenants/{tenant}/keys");
            let scopes: Vec<_> = scopes.into_iter().map(KeyScope::as_str).collect();
            let body = json!({ "name": name, "mode": mode, "scopes": scopes });
            print(&block_on(async { client.post(&path, &body).await })?);
            Ok(())
        }
        Command::RotateCredentials { config } => {
            let done = rotate_credentials(config.as_deref())?;
            println!("{} secrets encrypted under the new key, {} were already", done.resealed, done.current);
            Ok(())
        }
        Command::List(whose) => {
            let client = Client::connect(&options.api, Caller::Operator)?;
            let list = block_on(async { client.get(&whose.path()).await })?;
            let kind = if whose.operator { "role" } else { "mode" };
            print_list(&list, &["id", "hint", "name", kind, "expires_at", "last_used_at"]);
            Ok(())
        }
        Command::Revoke { id, whose } => {
            let client = Client::connect(&options.api, Caller::Operator)?;
            block_on(async { client.delete(&format!("{}/{id}", whose.path())).await })?;
            println!("revoked {id}");
            Ok(())
        }
    }
}
