//! An offer: how it is read from requests, found, and shown.

use hermes_directory::Versioned;
use hermes_domain::{
    address::Channel,
    money::Money,
    pricing::{Quote, QuoteTerms},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    api::Api,
    messages::cascade::{CHANNELS, NAME_CHARS_MAX},
    problem::Problem,
    schema::{
        self, AMOUNT_PATTERN, COUNTRY_PATTERN, CURRENCY_PATTERN, amount, choice, country, currency, integer,
        text,
    },
};

/// Most segments or messages that an offer has to be paid for each month.
const MINIMUM_MAX: u32 = 1_000_000_000;

/// An offer of a carrier or an aggregator.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Quote)]
pub(super) struct QuoteView {
    /// Its id.
    id: String,
    /// Whose offer it is.
    name: String,
    /// What would be sent.
    channel: &'static str,
    /// ISO 3166-1 alpha-2 code; null: every country for which there is no offer of this name.
    country: Option<String>,
    /// Decimal price of each SMS segment, or of each message of another channel.
    price: String,
    /// Decimal fee for each month; null: none.
    monthly_fee: Option<String>,
    /// So many segments or messages a month are paid for, even if fewer are sent; null: none.
    monthly_minimum: Option<u32>,
    /// ISO 4217 code of both amounts.
    currency: String,
    /// When it was recorded.
    created_at: String,
    /// Last change.
    updated_at: String,
}

impl QuoteView {
    pub(super) fn of(quote: &Quote) -> Self {
        let QuoteTerms { currency, unit_micros, monthly_fee_micros, monthly_minimum } = quote.terms;
        let shown = |micros| Money { micros, currency }.amount();
        Self {
            id: quote.id.to_string(),
            name: quote.name.clone(),
            channel: quote.channel.as_str(),
            country: quote.country.clone(),
            price: shown(unit_micros),
            monthly_fee: (monthly_fee_micros > 0).then(|| shown(monthly_fee_micros)),
            monthly_minimum: (monthly_minimum > 0).then_some(monthly_minimum),
            currency: currency.as_str().to_owned(),
            created_at: quote.created_at.rfc3339(),
            updated_at: quote.updated_at.rfc3339(),
        }
    }
}

/// What a request says about an offer.
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) channel: Channel,
    pub(super) country: Option<String>,
    pub(super) terms: QuoteTerms,
}

/// Reads the body of a request.
pub(super) fn wanted(body: Value) -> Result<Wanted, Problem> {
    schema::root(body, |fields, faults| {
        let name = fields.required("name", faults, text(1..=NAME_CHARS_MAX));
        let channel = fields.required("channel", faults, choice(CHANNELS));
        let country = fields.optional("country", faults, country);
        let price = fields.required("price", faults, amount);
        let fee = fields.optional("monthly_fee", faults, amount);
        let minimum = fields.optional("monthly_minimum", faults, integer(0..=MINIMUM_MAX));
        let currency = fields.required("currency", faults, currency);
        let terms = QuoteTerms {
            currency: currency?,
            unit_micros: price?,
            monthly_fee_micros: fee.unwrap_or_default(),
            monthly_minimum: minimum.unwrap_or_default(),
        };
        Some(Wanted { name: name?, channel: channel?, country, terms })
    })
}

/// What the OpenAPI document says about the body.
pub(super) fn quote_schema() -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["name", "channel", "price", "currency"],
        "properties": {
            "name": { "type": "string", "minLength": 1, "maxLength": NAME_CHARS_MAX },
            "channel": { "enum": ["sms", "email", "push", "whatsapp"] },
            "country": { "type": ["string", "null"], "pattern": COUNTRY_PATTERN, "description": "Absent or null: every country for which there is no offer of this name." },
            "price": { "type": "string", "pattern": AMOUNT_PATTERN, "description": "Of each SMS segment, or of each message of another channel." },
            "monthly_fee": { "type": ["string", "null"], "pattern": AMOUNT_PATTERN },
            "monthly_minimum": { "type": ["integer", "null"], "minimum": 0, "maximum": MINIMUM_MAX, "description": "So many segments or messages a month are paid for, even if fewer are sent." },
            "currency": { "type": "string", "pattern": CURRENCY_PATTERN },
        },
    })
}

/// An offer by the id in a path.
pub(super) fn find(api: &Api, id: &str) -> Result<Versioned<Quote>, Problem> {
    let id = id.parse().map_err(|_| Problem::not_found())?;
    api.directory().quote(id).ok_or_else(Problem::not_found)
}
