//! A connection: how it is found and shown. Credentials never are.

use std::collections::BTreeMap;

use hermes_directory::{ConnectionEntry, Price};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{api::Api, problem::Problem};

/// A connection.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Provider)]
pub(super) struct ConnectionView {
    /// Its id.
    id: String,
    /// Whose; null serves every tenant.
    tenant_id: Option<String>,
    /// `live` or `test`.
    mode: &'static str,
    /// Name of its adapter.
    provider: String,
    /// Its name in cascades.
    name: String,
    /// What it carries.
    channel: &'static str,
    /// Settings.
    #[schema(value_type = Object)]
    config: BTreeMap<String, Value>,
    /// Names of the credentials that are stored.
    credentials: Vec<String>,
    /// Requests a second; null: the adapter's default.
    rate_per_s: Option<u32>,
    /// Prices.
    cost: Vec<PriceView>,
    /// Countries that it reaches; empty: all.
    countries: Vec<String>,
    /// Held by an operator.
    held: bool,
    /// Where the provider's callbacks go.
    callback_url: String,
    /// When it was made.
    created_at: String,
}

/// A price.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PriceView {
    /// ISO 3166-1 alpha-2 code; null: every other country.
    country: Option<String>,
    /// Decimal amount.
    amount: String,
    /// ISO 4217 code.
    currency: String,
}

impl ConnectionView {
    pub(super) fn of(api: &Api, entry: &ConnectionEntry) -> Self {
        let connection = &*entry.access.connection;
        let callback =
            format!("{}/receipts/{}/{}", api.settings.public_base(), connection.provider, connection.id);
        Self {
            id: connection.id.to_string(),
            tenant_id: connection.tenant.map(|tenant| tenant.to_string()),
            mode: connection.mode.as_str(),
            provider: connection.provider.clone(),
            name: connection.name.clone(),
            channel: connection.channel.as_str(),
            config: connection.config.clone(),
            credentials: entry.access.secrets.0.keys().cloned().collect(),
            rate_per_s: connection.rate_per_s,
            cost: entry.terms.cost.iter().map(price).collect(),
            countries: entry.terms.countries.clone(),
            held: connection.held,
            callback_url: callback,
            created_at: connection.created_at.rfc3339(),
        }
    }
}

fn price(price: &Price) -> PriceView {
    PriceView {
        country: price.country.clone(),
        amount: price.price.amount(),
        currency: price.price.currency.as_str().to_owned(),
    }
}

/// A connection by the id in a path.
pub(super) fn find(api: &Api, id: &str) -> Result<ConnectionEntry, Problem> {
    let id = id.parse().map_err(|_| Problem::not_found())?;
    api.directory().read(|snapshot| snapshot.connection(id).cloned()).ok_or_else(Problem::not_found)
}
