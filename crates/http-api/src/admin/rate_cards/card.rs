//! A rate card: how it is read from requests, found, and shown.

use std::collections::BTreeSet;

use hermes_directory::Versioned;
use hermes_domain::{
    TenantId,
    address::Channel,
    calendar::date,
    money::{Currency, Money, Percent},
    pricing::{Charge, Rate, RateCard},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    api::Api,
    messages::cascade::CHANNELS,
    problem::Problem,
    schema::{
        self, AMOUNT_PATTERN, COUNTRY_PATTERN, CURRENCY_PATTERN, Faults, Object, amount, choice, country,
        currency, day, list, object, text,
    },
};

/// Most rates of a card: four channels in every country.
const RATES_MAX: usize = 1_000;
/// Largest markup, in hundredths of a percent.
const MARKUP_MAX: i64 = 1_000_000;

/// What a tenant pays from a day on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RateCard)]
pub(super) struct RateCardView {
    /// Its id.
    id: String,
    /// Whose.
    tenant_id: String,
    /// First day, UTC. It counts until a later card begins.
    valid_from: String,
    /// ISO 4217 code of every amount.
    currency: String,
    /// What is paid.
    rates: Vec<RateView>,
    /// When it was made.
    created_at: String,
    /// Last change.
    updated_at: String,
}

/// What is paid on one channel, in one country or in all others.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rate)]
struct RateView {
    /// What is sent.
    channel: &'static str,
    /// ISO 3166-1 alpha-2 code; null: every country without a rate of its own.
    country: Option<String>,
    /// Decimal price of each SMS segment, or of each message of another channel, that a provider took; null: by markup.
    price: Option<String>,
    /// Decimal percentage on top of cost; null: by price.
    markup_percent: Option<String>,
    /// Least decimal price of each segment or message, with a markup.
    minimum: Option<String>,
}

impl RateCardView {
    pub(super) fn of(card: &RateCard) -> Self {
        Self {
            id: card.id.to_string(),
            tenant_id: card.tenant.to_string(),
            valid_from: date(card.valid_from),
            currency: card.currency.as_str().to_owned(),
            rates: card.rates.iter().map(|rate| rate_view(rate, card.currency)).collect(),
            created_at: card.created_at.rfc3339(),
            updated_at: card.updated_at.rfc3339(),
        }
    }
}

fn rate_view(rate: &Rate, currency: Currency) -> RateView {
    let shown = |micros| Money { micros, currency }.amount();
    let (price, markup_percent, minimum) = match rate.charge {
        Charge::PerUnit(micros) => (Some(shown(micros)), None, None),
        Charge::Markup { percent, minimum_micros } => {
            (None, Some(percent.to_string()), (minimum_micros > 0).then(|| shown(minimum_micros)))
        }
    };
    let (channel, country) = (rate.channel.as_str(), rate.country.clone());
    RateView { channel, country, price, markup_percent, minimum }
}

/// What a request says about a card.
pub(super) struct Wanted {
    pub(super) valid_from: u32,
    pub(super) currency: Currency,
    pub(super) rates: Vec<Rate>,
}

/// Reads the body of a request.
pub(super) fn wanted(body: Value) -> Result<Wanted, Problem> {
    schema::root(body, |fields, faults| {
        let valid_from = fields.required("valid_from", faults, day);
        let currency = fields.required("currency", faults, currency);
        let rates = fields.required("rates", faults, |value, faults| {
            let rates = list(1..=RATES_MAX, |value, faults| object(rate)(value, faults))(value, faults)?;
            distinct(&rates, faults).then_some(rates)
        });
        Some(Wanted { valid_from: valid_from?, currency: currency?, rates: rates? })
    })
}

fn rate(fields: &mut Object, faults: &mut Faults) -> Option<Rate> {
    let channel = fields.required("channel", faults, choice(CHANNELS));
    let country = fields.optional("country", faults, country);
    let by_markup = fields.names("markup_percent");
    if by_markup == fields.names("price") {
        faults.note::<()>("price", "expected either `price` or `markup_percent`");
    }
    if !by_markup && fields.names("minimum") {
        faults.at_key("minimum", |faults| faults.note::<()>("price", "expected only with `markup_percent`"));
    }
    let price = fields.optional("price", faults, amount);
    let percent = fields.optional("markup_percent", faults, percent);
    let minimum_micros = fields.optional("minimum", faults, amount).unwrap_or_default();
    let charge = match (price, percent) {
        (Some(micros), None) => Charge::PerUnit(micros),
        (None, Some(percent)) => Charge::Markup { percent, minimum_micros },
        (Some(_), Some(_)) | (None, None) => return None,
    };
    Some(Rate { channel: channel?, country, charge })
}

fn percent(value: Value, faults: &mut Faults) -> Option<Percent> {
    let text = text(1..=8)(value, faults)?;
    match Percent::parse(&text) {
        Ok(percent) if percent.0 <= MARKUP_MAX => Some(percent),
        Ok(_) => faults.note("range", "expected at most 10000"),
        Err(error) => faults.note("percent", error.to_string()),
    }
}

/// Whether each channel and country has one rate.
fn distinct(rates: &[Rate], faults: &mut Faults) -> bool {
    let mut seen: BTreeSet<(Channel, Option<&str>)> = BTreeSet::new();
    let mut all = true;
    for (index, rate) in rates.iter().enumerate() {
        if !seen.insert((rate.channel, rate.country.as_deref())) {
            all = false;
            let detail = "there is another rate for this channel and country";
            faults.at_index(index, |faults| faults.note::<()>("duplicate", detail));
        }
    }
    all
}

/// What the OpenAPI document says about the body.
pub(super) fn card_schema() -> Value {
    let amount = |description: &str| json!({ "type": ["string", "null"], "pattern": AMOUNT_PATTERN, "description": description });
    let rate = json!({
        "type": "object", "additionalProperties": false, "required": ["channel"],
        "properties": {
            "channel": { "enum": ["sms", "email", "push", "whatsapp"] },
            "country": { "type": ["string", "null"], "pattern": COUNTRY_PATTERN, "description": "Absent or null: every country without a rate of its own." },
            "price": amount("Of each SMS segment, or of each message of another channel, that a provider took. Either this or `markup_percent`."),
            "markup_percent": { "type": ["string", "null"], "pattern": r"^[0-9]{1,5}(\.[0-9]{1,2})?$", "description": "On top of cost, at most 10000." },
            "minimum": amount("With `markup_percent`: least price of each segment or message."),
        },
    });
    json!({
        "type": "object", "additionalProperties": false, "required": ["valid_from", "currency", "rates"],
        "properties": {
            "valid_from": { "type": "string", "format": "date", "description": "First day, UTC." },
            "currency": { "type": "string", "pattern": CURRENCY_PATTERN },
            "rates": { "type": "array", "minItems": 1, "maxItems": RATES_MAX, "items": rate, "description": "At most one for each channel and country." },
        },
    })
}

/// A card by the id in a path, if it is the tenant's.
pub(super) fn find(api: &Api, tenant: TenantId, id: &str) -> Result<Versioned<RateCard>, Problem> {
    let id = id.parse().map_err(|_| Problem::not_found())?;
    api.directory().rate_card(tenant, id).ok_or_else(Problem::not_found)
}
