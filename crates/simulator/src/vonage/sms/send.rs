//! `POST /sms/json`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use http::StatusCode;
use serde::Serialize;

use super::{
    fault,
    form::{Parameters, Text},
    login, report,
};
use crate::{
    answer,
    carrier::{self, History, Refusal, Submission},
    clock::{self, UnixMillis},
    inbound,
    log::Provider,
    receipts::Outgoing,
    reference::Reference,
    script::{Behaviour, ReceiptEvent},
    vonage::{
        account::Account,
        front_end,
        record::{NETWORK, Product, Record},
    },
    world::World,
};

/// Room for 3,200 escaped characters.
const REQUEST_BYTES_MAX: usize = 64 * 1024;
/// What an account has left, in units of 10⁻⁸ euros. It is never used up.
const BALANCE: usize = 3_743_563_628;
/// Of one part, in the same units.
const PART_PRICE: usize = 3_330_000;

/// A checked request.
pub(super) struct Sms {
    pub(super) account: Arc<Account>,
    pub(super) text: Text,
    /// One for each part, in order.
    pub(super) ids: Vec<String>,
    reference: Option<Reference>,
}

pub(in crate::vonage) async fn send(State(world): State<Arc<World>>, request: Request) -> Response {
    let Ok((parts, body)) = inbound::read(request, REQUEST_BYTES_MAX).await else {
        let response = front_end::answer(StatusCode::PAYLOAD_TOO_LARGE);
        return carrier::refuse(&world, Provider::Vonage, None, "", response);
    };
    // A body of another type has no parameters, so the first required one is missing.
    let is_form = inbound::has_content_type(&parts.headers, "application/x-www-form-urlencoded");
    let parameters = if is_form { Parameters::parse(&body) } else { Parameters::default() };
    let checked = login::log_in(&world.vonage, &parts.headers, &parameters, clock::now() / 1000)
        .and_then(|account| Ok((parameters.check(&account.settings)?, account)));
    let reference = parameters.reference();
    match checked {
        Ok((text, account)) => {
            let ids = new_ids(text.parts);
            carrier::carry(&world, Sms { account, text, ids, reference }).await
        }
        Err(fault) => {
            let to = parameters.get("to").unwrap_or_default();
            carrier::refuse(&world, Provider::Vonage, reference, to, fault.into_response())
        }
    }
}

/// `0A0000000123AB01`, `…02`: 16 hex digits, of which the last two count the parts.
fn new_ids(parts: usize) -> Vec<String> {
    let base = rand::random::<u64>() >> 16;
    (1..=parts).map(|part| format!("0A{base:012X}{part:02X}")).collect()
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Accepted<'a> {
    message_count: String,
    messages: Vec<Part<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Part<'a> {
    to: &'a str,
    message_id: &'a str,
    status: &'static str,
    remaining_balance: String,
    message_price: String,
    network: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_ref: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_ref: Option<&'a str>,
}

/// `0.03330000`.
fn euros(units: usize) -> String {
    format!("{}.{:08}", units / 100_000_000, units % 100_000_000)
}

/// The price of one part, as reports have it.
pub(super) fn part_price() -> String {
    euros(PART_PRICE)
}

impl Submission for Sms {
    const PROVIDER: Provider = Provider::Vonage;

    fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    fn recipient(&self) -> &str {
        &self.text.to
    }

    fn behaviour(&self) -> Behaviour {
        Behaviour::of_phone(&self.text.to)
    }

    fn segments(&self) -> Option<usize> {
        Some(self.text.parts)
    }

    fn keep(&self, world: &World, accepted_at: UnixMillis, history: History) {
        for id in &self.ids {
            world.vonage.records.keep(id, || Record {
                product: Product::Sms,
                id: id.clone(),
                api_key: self.account.settings.api_key.clone(),
                to: self.text.to.clone(),
                from: self.text.from.clone(),
                text: self.text.text.clone(),
                client_ref: self.text.client_ref.clone(),
                concatenated: self.ids.len() > 1,
                created_at: accepted_at,
                history: history.clone(),
            });
        }
    }

    fn accepted(&self) -> Response {
        let messages = self.ids.iter().zip(1..).map(|(id, number)| Part {
            to: &self.text.to,
            message_id: id,
            status: "0",
            remaining_balance: euros(BALANCE.saturating_sub(number * PART_PRICE)),
            message_price: part_price(),
            network: NETWORK,
            client_ref: self.text.client_ref.as_deref(),
            account_ref: self.text.account_ref.as_deref(),
        });
        let accepted = Accepted { message_count: self.ids.len().to_string(), messages: messages.collect() };
        answer::json(StatusCode::OK, &accepted)
    }

    fn refused(&self, refusal: Refusal) -> Response {
        match refusal {
            Refusal::Throttled => fault::THROTTLED.into_response(),
            Refusal::Unavailable => front_end::answer(StatusCode::SERVICE_UNAVAILABLE),
            Refusal::InvalidRecipient => fault::UNROUTABLE.into_response(),
            Refusal::ServerError => front_end::lost_answer(),
        }
    }

    fn receipts(&self, _world: &World, event: ReceiptEvent, at: UnixMillis) -> Vec<Outgoing> {
        report::outgoing(self, event, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_count_the_parts_and_amounts_have_eight_decimals() {
        let ids = new_ids(48);
        assert!(ids.iter().all(|id| id.len() == 16 && id.starts_with("0A")), "{ids:?}");
        assert!(ids.iter().enumerate().all(|(index, id)| id.ends_with(&format!("{:02X}", index + 1))));
        assert_ne!(new_ids(1), new_ids(1));
        assert_eq!((euros(3_743_563_628), euros(PART_PRICE)), ("37.43563628".into(), "0.03330000".into()));
    }
}
