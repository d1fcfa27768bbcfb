//! A rule: how it is read from requests, found, and shown.

use std::collections::{BTreeMap, BTreeSet};

use hermes_directory::{StoredRoute, Versioned};
use hermes_domain::routing::{Match, RouteRule};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    api::Api,
    gate::Caller,
    messages::{
        LANES, PlanWarning,
        cascade::{CHANNELS, NAME_CHARS_MAX},
    },
    problem::Problem,
    schema::{self, Faults, Object, choice, country, integer, list, map, object, pointer_step, text, token},
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
    weights: BTreeMap<String, u32>,
    /// Connections that are not used.
    exclude: BTreeSet<String>,
    /// Names that no connection has now, nor any connection's provider.
    warnings: Vec<PlanWarning>,
    /// When it was made.
    created_at: String,
    /// Last change.
    updated_at: String,
}

impl RouteView {
    pub(super) fn of(api: &Api, route: &StoredRoute) -> Self {
        let warnings = warnings(api, route);
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
            warnings,
            created_at: route.created_at.rfc3339(),
            updated_at: route.updated_at.rfc3339(),
        }
    }
}

/// A connection may be made after the rules that name it, so an unknown name is told and not refused.
fn warnings(api: &Api, route: &StoredRoute) -> Vec<PlanWarning> {
    let RouteRule { prefer, weights, exclude, .. } = &route.rule;
    let preferred = prefer.iter().enumerate().map(|(index, name)| (format!("/prefer/{index}"), name));
    let weighed = weights.keys().map(|name| (format!("/weights/{}", pointer_step(name)), name));
    let excluded = exclude.iter().enumerate().map(|(index, name)| (format!("/exclude/{index}"), name));
    let named = preferred.chain(weighed).chain(excluded);
    api.directory().read(|snapshot| {
        let serving = snapshot.serving(route.tenant, route.mode);
        let unknown = |name: &str| !serving.clone().any(|known| known.name == name || known.provider == name);
        let told = |(pointer, name): (String, &String)| {
            unknown(name).then(|| {
                let detail = format!("there is no connection {name} now");
                PlanWarning { code: "unknown_provider".to_owned(), detail, pointer }
            })
        };
        named.filter_map(told).collect()
    })
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
        let exclude = fields.optional("exclude", faults, names()).unwrap_or_default();
        consistent(&prefer, &weights, &exclude, faults);
        let rule = RouteRule { when, prefer, weights, exclude: exclude.into_iter().collect() };
        if rule == RouteRule::default() {
            // The first rule that is about a message decides: this one would only silence those behind it.
            return faults
                .note("required", "expected a condition, or connections to prefer, weigh or exclude");
        }
        Some(Wanted { name: name?, position, rule })
    })
}

/// A connection cannot both go first and not be used.
fn consistent(prefer: &[String], weights: &BTreeMap<String, u32>, exclude: &[String], faults: &mut Faults) {
    faults.at_key("exclude", |faults| {
        for (index, name) in exclude.iter().enumerate() {
            if prefer.contains(name) || weights.contains_key(name) {
                let detail = format!("{name} is in prefer or weights, too");
                faults.at_index(index, |faults| faults.note::<()>("conflict", detail));
            }
        }
    });
}

fn condition(fields: &mut Object, faults: &mut Faults) -> Option<Match> {
    let channels = fields.optional("channels", faults, list(1..=4, choice(CHANNELS)));
    let countries = fields.optional("countries", faults, list(1..=ENTRIES_MAX, country));
    let prefixes = fields.optional("prefixes", faults, list(1..=ENTRIES_MAX, prefix));
    let senders = fields.optional("senders", faults, list(1..=ENTRIES_MAX, text(1..=320)));
    let lanes = fields.optional("lanes", faults, list(1..=3, choice(LANES)));
    let tags = fields.optional("tags", faults, list(1..=ENTRIES_MAX, text(1..=128)));
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
    let list = |items: Value, least: usize, most: usize| json!({ "type": ["array", "null"], "minItems": least, "maxItems": most, "items": items });
    // An empty list would not be asked, which is not what it says.
    let of = |items: Value, most: usize| list(items, 1, most);
    let word = |most: usize| json!({ "type": "string", "minLength": 1, "maxLength": most });
    let names = list(word(NAME_CHARS_MAX), 0, NAMES_MAX);
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
    let says_something = ["when", "prefer", "weights", "exclude"].map(|field| json!({ "required": [field] }));
    json!({
        "type": "object", "additionalProperties": false, "required": ["name"],
        "anyOf": says_something,
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
