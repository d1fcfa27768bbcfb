//! A rule: how it is read from requests, found, and shown.

use std::collections::BTreeSet;

use hermes_directory::{StoredRoute, Versioned};
use hermes_domain::routing::{Match, RouteRule};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    api::Api,
    gate::Caller,
    messages::{
        LANES,
        cascade::{CHANNELS, NAME_CHARS_MAX},
    },
    problem::Problem,
    schema::{self, Faults, Object, choice, country, integer, list, map, object, text, token},
};

/// Most entries of one condition, and most connections that a rule names.
const ENTRIES_MAX: usize = 250;
const NAMES_MAX: usize = 20;
/// Largest weight.
const WEIGHT_MAX: u32 = 1_000;
/// Rules are asked by position, 0 to this.
const POSITION_MAX: u32 = 1_000_000;

/// A rule for routing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Route)]
pub(super) struct RouteView {
    /// Its id.
    id: String,
    /// For people.
    name: String,
    /// `live` or `test`.
    mode: &'static str,
    /// Rules are asked from the smallest on; equal ones by age.
    position: u32,
    /// Which messages it is about; what is absent is not asked.
    #[schema(value_type = Object)]
    when: Match,
    /// Connections that go first, in this order.
    prefer: Vec<String>,
    /// Connections that share the first place by weight, behind those of `prefer`.
    #[schema(value_type = Object)]
    weights: std::collections::BTreeMap<String, u32>,
    /// Connections that are not used.
    exclude: BTreeSet<String>,
    /// When it was made.
    created_at: String,
    /// Last change.
    updated_at: String,
}

impl RouteView {
    pub(super) fn of(route: &StoredRoute) -> Self {
        let RouteRule { when, prefer, weights, exclude } = route.rule.clone();
        Self {
            id: route.id.to_string(),
            name: route.name.clone(),
            mode: route.mode.as_str(),
            position: route.position,
            when,
            prefer,
            weights,
            exclude,
            created_at: route.created_at.rfc3339(),
            updated_at: route.updated_at.rfc3339(),
        }
    }
}

/// What a request says about a rule.
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) position: u32,
    pub(super) rule: RouteRule,
}

/// Reads the body of a request.
pub(super) fn wanted(body: Value) -> Result<Wanted, Problem> {
    schema::root(body, |fields, faults| {
        let name = fields.required("name", faults, text(1..=NAME_CHARS_MAX));
        let position = fields.optional("position", faults, integer(0..=POSITION_MAX)).unwrap_or_default();
        let when = fields.optional("when", faults, object(condition)).unwrap_or_default();
        let names = || list(0..=NAMES_MAX, text(1..=NAME_CHARS_MAX));
        let prefer = fields.optional("prefer", faults, names()).unwrap_or_default();
        let weight = map(NAMES_MAX, NAME_CHARS_MAX, integer(0..=WEIGHT_MAX));
        let weights = fields.optional("weights", faults, weight).unwrap_or_default();
        let exclude = fields.optional("exclude", faults, names()).unwrap_or_default().into_iter().collect();
        Some(Wanted { name: name?, position, rule: RouteRule { when, prefer, weights, exclude } })
    })
}

fn condition(fields: &mut Object, faults: &mut Faults) -> Option<Match> {
    let channels = fields.optional("channels", faults, list(0..=4, choice(CHANNELS)));
    let countries = fields.optional("countries", faults, list(0..=ENTRIES_MAX, country));
    let prefixes = fields.optional("prefixes", faults, list(0..=ENTRIES_MAX, prefix));
    let senders = fields.optional("senders", faults, list(0..=ENTRIES_MAX, text(1..=320)));
    let lanes = fields.optional("lanes", faults, list(0..=3, choice(LANES)));
    let tags = fields.optional("tags", faults, list(0..=ENTRIES_MAX, text(1..=128)));
    Some(Match {
        channels: set(channels),
        countries: set(countries),
        prefixes: set(prefixes),
        senders: set(senders),
        lanes: set(lanes),
        tags: set(tags),
    })
}

fn set<T: Ord>(entries: Option<Vec<T>>) -> BTreeSet<T> {
    entries.into_iter().flatten().collect()
}

fn prefix(value: Value, faults: &mut Faults) -> Option<String> {
    let prefix = token(2..=16)(value, faults)?;
    let digits =
        prefix.strip_prefix('+').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    if digits {
        Some(prefix)
    } else {
        faults.note("prefix", "expected + and the first digits of numbers, such as +4520")
    }
}

/// What the OpenAPI document says about the body.
pub(super) fn route_schema() -> Value {
    let of =
        |items: Value, most: usize| json!({ "type": ["array", "null"], "maxItems": most, "items": items });
    let word = |most: usize| json!({ "type": "string", "minLength": 1, "maxLength": most });
    let names = of(word(NAME_CHARS_MAX), NAMES_MAX);
    let when = json!({
        "type": ["object", "null"], "additionalProperties": false,
        "properties": {
            "channels": of(json!({ "enum": ["sms", "email", "push", "whatsapp"] }), 4),
            "countries": of(json!({ "type": "string", "pattern": "^[A-Z]{2}$" }), ENTRIES_MAX),
            "prefixes": of(json!({ "type": "string", "pattern": "^\\+[0-9]{1,15}$" }), ENTRIES_MAX),
            "senders": of(word(320), ENTRIES_MAX),
            "lanes": of(json!({ "enum": ["otp", "transactional", "bulk"] }), 3),
            "tags": of(word(128), ENTRIES_MAX),
        },
    });
    json!({
        "type": "object", "additionalProperties": false, "required": ["name"],
        "properties": {
            "name": word(NAME_CHARS_MAX),
            "position": { "type": ["integer", "null"], "minimum": 0, "maximum": POSITION_MAX, "default": 0 },
            "when": when, "prefer": names, "exclude": names,
            "weights": { "type": ["object", "null"], "maxProperties": NAMES_MAX,
                "additionalProperties": { "type": "integer", "minimum": 0, "maximum": WEIGHT_MAX } },
        },
    })
}

/// A rule by the id in a path, if it is the caller's.
pub(super) fn find(api: &Api, caller: &Caller, id: &str) -> Result<Versioned<StoredRoute>, Problem> {
    let id = id.parse().map_err(|_| Problem::not_found())?;
    api.directory().route(caller.scope(), id).ok_or_else(Problem::not_found)
}
