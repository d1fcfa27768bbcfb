//! What requests say about connections.

use std::collections::BTreeMap;

use hermes_directory::{ConnectionTerms, Price};
use serde_json::Value;

use crate::schema::{Faults, Object, integer, list, map, money, object, text};

/// Most entries of `cost` and `countries`.
const COUNTRIES_MAX: usize = 300;

/// Fields that creation and change have in common; `None`: not named.
pub(super) struct Common {
    pub(super) credentials: Option<BTreeMap<String, String>>,
    pub(super) config: Option<BTreeMap<String, Value>>,
    pub(super) rate_per_s: Option<u32>,
    pub(super) cost: Option<Vec<Price>>,
    pub(super) countries: Option<Vec<String>>,
}

pub(super) fn common(fields: &mut Object, faults: &mut Faults) -> Common {
    Common {
        credentials: fields.omittable("credentials", faults, map(20, 100, credential)),
        config: fields.omittable("config", faults, map(50, 100, |value, _| Some(value))).map(without_nulls),
        rate_per_s: fields.optional("rate_per_s", faults, integer(1..=1_000_000)),
        cost: fields.optional("cost", faults, list(0..=COUNTRIES_MAX, price)),
        countries: fields.optional("countries", faults, list(0..=COUNTRIES_MAX, country)),
    }
}

impl Common {
    pub(super) fn terms(&mut self, before: &ConnectionTerms) -> ConnectionTerms {
        ConnectionTerms {
            cost: self.cost.take().unwrap_or_else(|| before.cost.clone()),
            countries: self.countries.take().unwrap_or_else(|| before.countries.clone()),
        }
    }
}

fn without_nulls(config: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    config.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

/// A credential is a text; a key file in JSON may be given as the object that it is.
fn credential(value: Value, faults: &mut Faults) -> Option<String> {
    match value {
        Value::Object(_) => Some(value.to_string()),
        _ => text(1..=16_384)(value, faults),
    }
}

fn country(value: Value, faults: &mut Faults) -> Option<String> {
    let code = text(2..=2)(value, faults)?;
    if code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        Some(code)
    } else {
        faults.note("country", "expected an ISO 3166-1 alpha-2 code such as DK")
    }
}

fn price(value: Value, faults: &mut Faults) -> Option<Price> {
    object(|fields, faults| {
        let country = fields.optional("country", faults, country);
        let price = money("amount", fields, faults);
        Some(Price { country, price: price? })
    })(value, faults)
}
