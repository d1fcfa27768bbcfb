//! `GET /v2/reports/records`: what became of messages, by id.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value, json};

use super::{
    account::Account,
    problem::{self, Problem},
    record::{PRICE, Product, Record},
    stable,
};
use crate::{answer, clock, inbound::query_parameter, world::World};

const PRODUCTS: &str =
    "Could not resolve product name. Please use one of the following values [MESSAGES, SMS]";
const MISSING: &str = "Missing required parameter";

pub(super) async fn find(State(world): State<Arc<World>>, uri: Uri, headers: HeaderMap) -> Response {
    let found = world
        .vonage
        .log_in_basic(&headers)
        .ok_or(problem::UNAUTHORIZED)
        .and_then(|account| Query::read(uri.query(), &account));
    match found {
        Ok(query) => answer::json(StatusCode::OK, &query.answer(&world, &uri)),
        Err(problem) => problem.into_response(),
    }
}

#[derive(Debug)]
struct Query {
    account_id: String,
    product: Product,
    outbound: bool,
    ids: Vec<String>,
    with_text: bool,
}

impl Query {
    fn read(query: Option<&str>, account: &Account) -> Result<Self, Problem> {
        let parameter = |name| query_parameter(query, name).filter(|value| !value.is_empty());
        let account_id =
            parameter("account_id").ok_or_else(|| problem::invalid_query("account_id", MISSING))?;
        if account_id != account.settings.api_key {
            return Err(problem::FORBIDDEN);
        }
        let product = match parameter("product").as_deref() {
            Some("SMS") => Product::Sms,
            Some("MESSAGES") => Product::Messages,
            Some(_) => return Err(problem::invalid_query("product", PRODUCTS)),
            None => return Err(problem::invalid_query("product", MISSING)),
        };
        let outbound = match parameter("direction").as_deref() {
            Some("outbound") => true,
            Some("inbound") => false,
            Some(_) => return Err(problem::invalid_query("direction", "Must be inbound or outbound")),
            None => return Err(problem::invalid_query("direction", MISSING)),
        };
        let with_text = match parameter("include_message").as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(problem::invalid_query("include_message", "Must be true or false")),
        };
        let ids = parameter("id").ok_or_else(|| problem::invalid_query("id", MISSING))?;
        if ["date_start", "date_end", "status"].iter().any(|name| parameter(name).is_some()) {
            return Err(problem::INVALID_FILTER);
        }
        let ids = ids.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect();
        Ok(Self { account_id, product, outbound, ids, with_text })
    }

    /// Ids of another account or product are as unknown as those that were never given.
    fn answer(&self, world: &World, uri: &Uri) -> Value {
        let now = clock::now();
        let matches = |record: &Record| {
            self.outbound && record.product == self.product && record.api_key == self.account_id
        };
        let (mut rows, mut unknown) = (Vec::new(), Vec::new());
        for id in &self.ids {
            match world.vonage.records.find(id).filter(|record| matches(record)) {
                Some(record) => rows.push(json!(record.row(now, self.with_text))),
                None => unknown.push(id.as_str()),
            }
        }
        let records = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let mut answer = json!({
            "_links": { "self": { "href": format!("{}{uri}", world.base_url) } },
            "request_id": stable::format_uuid(rand::random()),
            "request_status": "SUCCESS",
            "received_at": clock::basic_offset(now),
            "account_id": self.account_id,
            "product": match self.product { Product::Sms => "SMS", Product::Messages => "MESSAGES" },
            "direction": if self.outbound { "outbound" } else { "inbound" },
            "include_message": self.with_text,
            "items_count": records,
            "price": f64::from(records) * PRICE,
            "currency": "EUR",
            "records": rows,
        });
        if !unknown.is_empty() {
            answer["ids_not_found"] = unknown.join(",").into();
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{demo, vonage::read_accounts};

    #[test]
    fn every_fault_names_its_parameter() {
        let account = read_accounts(vec![demo::vonage()]).unwrap().remove(0);
        let good = "account_id=abcd1234&product=SMS&direction=outbound&id=a,b";
        let query = Query::read(Some(good), &account).unwrap();
        assert_eq!(query.ids, ["a", "b"]);
        for (change, to, status, parameter) in [
            ("account_id=abcd1234", "", 422, Some("account_id")),
            ("abcd1234", "abcd9999", 403, None),
            ("product=SMS", "", 422, Some("product")),
            ("product=SMS", "product=FAX", 422, Some("product")),
            ("direction=outbound", "", 422, Some("direction")),
            ("direction=outbound", "direction=up", 422, Some("direction")),
            ("id=a,b", "", 422, Some("id")),
            ("id=a,b", "id=a&include_message=yes", 422, Some("include_message")),
            ("id=a,b", "id=a&date_start=2026-11-24T00:00:00Z", 422, None),
            ("id=a,b", "id=a&status=delivered", 422, None),
        ] {
            let problem = Query::read(Some(&good.replace(change, to)), &account).unwrap_err();
            let named = problem.invalid_parameters.first().map(|parameter| parameter.name);
            assert_eq!((problem.status.as_u16(), named), (status, parameter), "{change} -> {to}");
        }
        let no_query = Query::read(None, &account).unwrap_err();
        assert_eq!(no_query.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
}
