//! Where two first steps of a submission differ. Names places only, never what stands there.

use std::collections::{BTreeMap, BTreeSet};

use hermes_domain::outcome::Outcome;
use hermes_ports::{adapter::AdapterStep, http::HttpRequest};
use serde_json::Value;

/// Places named for one call.
const PLACES_MAX: usize = 16;
/// Longest name of a place, in characters.
const PLACE_CHARS_MAX: usize = 100;

/// `request`, `outcome`, `method`, `url`, `authentication`, `effect`, `header NAME`, `body POINTER` for JSON,
/// `body FIELD` for forms, `body` for everything else.
pub(crate) fn differences(sent: &AdapterStep<Outcome>, built: &AdapterStep<Outcome>) -> Vec<String> {
    let mut places = BTreeSet::new();
    match (sent, built) {
        (AdapterStep::Request(sent, _), AdapterStep::Request(built, _)) => requests(sent, built, &mut places),
        (AdapterStep::Done(sent), AdapterStep::Done(built)) if sent == built => (),
        (AdapterStep::Done(_), AdapterStep::Done(_)) => drop(places.insert("outcome".to_owned())),
        (AdapterStep::Request(..), AdapterStep::Done(_))
        | (AdapterStep::Done(_), AdapterStep::Request(..)) => {
            places.insert("request".to_owned());
        }
    }
    places.into_iter().take(PLACES_MAX).map(|place| place.chars().take(PLACE_CHARS_MAX).collect()).collect()
}

fn requests(sent: &HttpRequest, built: &HttpRequest, places: &mut BTreeSet<String>) {
    let fields = [
        ("method", sent.method == built.method),
        ("url", sent.url == built.url),
        ("authentication", sent.auth == built.auth),
        ("effect", sent.effect == built.effect),
    ];
    places.extend(fields.into_iter().filter(|(_, same)| !same).map(|(name, _)| name.to_owned()));
    let (ours, theirs) = (headers(sent), headers(built));
    let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let differing = names.into_iter().filter(|name| ours.get(*name) != theirs.get(*name));
    places.extend(differing.map(|name| format!("header {name}")));
    if sent.body != built.body {
        bodies(&sent.body, &built.body, ours.get("content-type"), places);
    }
}

fn headers(request: &HttpRequest) -> BTreeMap<String, &str> {
    request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.as_str())).collect()
}

fn bodies(sent: &[u8], built: &[u8], content_type: Option<&&str>, places: &mut BTreeSet<String>) {
    let json = |body: &[u8]| serde_json::from_slice::<Value>(body).ok();
    if content_type.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
        forms(sent, built, places);
    } else if let (Some(sent), Some(built)) = (json(sent), json(built)) {
        values(&sent, &built, &mut String::new(), places);
    } else {
        places.insert("body".to_owned());
    }
}

fn forms(sent: &[u8], built: &[u8], places: &mut BTreeSet<String>) {
    let fields = |body: &[u8]| -> BTreeMap<String, Vec<String>> {
        let mut fields = BTreeMap::<String, Vec<String>>::new();
        for (name, value) in form_urlencoded::parse(body).into_owned() {
            fields.entry(name).or_default().push(value);
        }
        fields
    };
    let (sent, built) = (fields(sent), fields(built));
    let names: BTreeSet<&String> = sent.keys().chain(built.keys()).collect();
    let differing: Vec<_> = names.into_iter().filter(|name| sent.get(*name) != built.get(*name)).collect();
    if differing.is_empty() {
        places.insert("body".to_owned()); // The same fields in another order or spelling.
    }
    places.extend(differing.into_iter().map(|name| format!("body {name}")));
}

/// The shallowest places at which two values differ. Two spellings of the same value do not.
fn values(sent: &Value, built: &Value, pointer: &mut String, places: &mut BTreeSet<String>) {
    let mut deeper =
        |name: &str, sent: Option<&Value>, built: Option<&Value>, places: &mut BTreeSet<String>| {
            let length = pointer.len();
            pointer.push('/');
            pointer.push_str(name);
            match (sent, built) {
                (Some(sent), Some(built)) => values(sent, built, pointer, places),
                _ => drop(places.insert(format!("body {pointer}"))),
            }
            pointer.truncate(length);
        };
    match (sent, built) {
        _ if sent == built => (),
        (Value::Object(sent), Value::Object(built)) => {
            let names: BTreeSet<&String> = sent.keys().chain(built.keys()).collect();
            names.into_iter().for_each(|name| deeper(name, sent.get(name), built.get(name), places));
        }
        (Value::Array(sent), Value::Array(built)) => {
            let length = sent.len().max(built.len());
            (0..length).for_each(|at| deeper(&at.to_string(), sent.get(at), built.get(at), places));
        }
        _ => drop(places.insert(format!("body {pointer}"))),
    }
}
