//! The account's blacklist: numbers that Messente silently sends nothing to.
//!
//! It is read as a whole, in an order of its own; here it is sorted and cut into pages, so that a page begins after
//! the last number of the one before, whatever was added or removed meanwhile.

use hermes_adapter_sdk::{
    Submission, by_status,
    contract::{Effect, ErrorClass, HttpResponse, Outcome},
    delete, failure, get, json, list_failure, percent_encoded, pick, post_json,
    suppression_list::{Addition, Answer, Entry, Operation, Page},
    with_code,
};
use serde_json::{Value, json};

use crate::{auth, url};

const PATH: &str = "/phonebook/blacklist";
/// Numbers of one page.
const PAGE_MAX: usize = 10_000;
/// First bytes of the notes.
const ADDS: u8 = b'a';
const REMOVES: u8 = b'r';
const READS: u8 = b'p';

pub(crate) fn request(operation: Operation) -> Submission {
    match operation {
        Operation::Add(Addition { address, .. }) => {
            let body = json!({ "phoneNumber": address });
            let request = post_json(url(PATH), &body, auth(), Effect::Safe);
            Submission { request, notes: vec![ADDS] }
        }
        Operation::Remove(address) => {
            let path = format!("{PATH}/{}", percent_encoded(&address));
            Submission { request: delete(url(&path), auth()), notes: vec![REMOVES] }
        }
        Operation::Page(cursor) => {
            let mut notes = vec![READS];
            notes.extend(cursor.unwrap_or_default().into_bytes());
            Submission { request: get(url(PATH), auth()), notes }
        }
    }
}

pub(crate) fn answer(response: &HttpResponse, notes: &[u8]) -> Answer {
    let answer = json(&response.body);
    match (notes.split_first(), response.status) {
        // There already, or not there: as wanted.
        (Some((&ADDS, _)), 204 | 409) | (Some((&REMOVES, _)), 204 | 404) => Answer::Done,
        (Some((&READS, after)), 200) => match answer.pointer("/phoneNumbers").and_then(Value::as_array) {
            Some(numbers) => Answer::Page(page(numbers, &String::from_utf8_lossy(after))),
            None => refusal(response, &answer),
        },
        _ => refusal(response, &answer),
    }
}

fn page(numbers: &[Value], after: &str) -> Page {
    let mut numbers: Vec<_> =
        numbers.iter().filter_map(Value::as_str).filter(|number| *number > after).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let more = numbers.len() > PAGE_MAX;
    numbers.truncate(PAGE_MAX);
    let cursor = numbers.last().filter(|_| more).map(|number| (*number).to_owned());
    let entries = numbers.into_iter().map(|number| Entry { address: number.to_owned(), reason: None });
    Page { entries: entries.collect(), cursor, more }
}

fn refusal(response: &HttpResponse, answer: &Value) -> Answer {
    let by_status = by_status(response);
    let Some(code) = pick(answer, "/errors/0/code") else { return list_failure(by_status) };
    list_failure(match code {
        "201" => {
            let code = code.to_owned();
            Outcome::Rejected(failure(ErrorClass::RecipientPermanent, code, "the number is not valid"))
        }
        _ => with_code(by_status, code),
    })
}
