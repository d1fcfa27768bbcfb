//! `POST /v1/messages`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value, json};

use super::{
    request::{self, Message},
    status,
};
use crate::{
    answer,
    carrier::{self, History, Refusal, Submission},
    clock::{self, UnixMillis},
    inbound::{self, header_text},
    log::Provider,
    receipts::Outgoing,
    reference::Reference,
    script::{Behaviour, ReceiptEvent},
    vonage::{
        Vonage,
        account::Account,
        front_end, jwt,
        problem::{self, InvalidParameter, Problem},
        record::{Product, Record},
        stable,
    },
    world::World,
};

/// Room for 1,000 escaped characters and much metadata.
const REQUEST_BYTES_MAX: usize = 64 * 1024;

/// A checked request.
pub(super) struct Sms {
    pub(super) login: Login,
    pub(super) message: Message,
    pub(super) uuid: String,
    reference: Option<Reference>,
}

/// Who sends, and as what.
pub(super) struct Login {
    pub(super) account: Arc<Account>,
    /// Only applications have callbacks; who logs in with key and secret is none.
    pub(super) as_application: bool,
}

pub(in crate::vonage) async fn send(State(world): State<Arc<World>>, request: Request) -> Response {
    let refuse =
        |reference, to: &str, response| carrier::refuse(&world, Provider::Vonage, reference, to, response);
    let Ok((parts, body)) = inbound::read(request, REQUEST_BYTES_MAX).await else {
        return refuse(None, "", front_end::answer(StatusCode::PAYLOAD_TOO_LARGE));
    };
    let login = match log_in(&world.vonage, &parts.headers, clock::now() / 1000) {
        Ok(login) => login,
        Err(problem) => return refuse(None, "", problem.into_response()),
    };
    if !inbound::has_content_type(&parts.headers, "application/json") {
        return refuse(None, "", front_end::answer(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let body = match parse(&body) {
        Ok(body) => body,
        Err(problem) => return refuse(None, "", problem.into_response()),
    };
    let reference = request::reference(&body);
    match request::check(&body, &login.account.settings) {
        Ok(message) => {
            let uuid = stable::format_uuid(rand::random());
            carrier::carry(&world, Sms { login, message, uuid, reference }).await
        }
        Err(invalid) => {
            let response = problem::invalid_message(invalid).into_response();
            refuse(reference, request::recipient(&body), response)
        }
    }
}

fn log_in(vonage: &Vonage, headers: &HeaderMap, now_s: i64) -> Result<Login, Problem> {
    let authorization = header_text(headers, header::AUTHORIZATION).and_then(|text| text.split_once(' '));
    match authorization {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            let account = jwt::log_in(vonage, token.trim(), now_s).map_err(|refused| match refused {
                jwt::Refused::Expired => problem::JWT_EXPIRED,
                jwt::Refused::Unauthorized => problem::UNAUTHORIZED,
            })?;
            Ok(Login { account, as_application: true })
        }
        Some(_) | None => {
            let account = vonage.log_in_basic(headers).ok_or(problem::UNAUTHORIZED)?;
            Ok(Login { account, as_application: false })
        }
    }
}

fn parse(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(problem::invalid_json(1, 1)),
        Err(cause) => Err(problem::invalid_json(cause.line(), cause.column())),
    }
}

impl Submission for Sms {
    const PROVIDER: Provider = Provider::Vonage;

    fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    fn recipient(&self) -> &str {
        &self.message.to
    }

    fn behaviour(&self) -> Behaviour {
        Behaviour::of_phone(&self.message.to)
    }

    fn segments(&self) -> Option<usize> {
        Some(self.message.parts)
    }

    fn keep(&self, world: &World, accepted_at: UnixMillis, history: History) {
        world.vonage.records.keep(&self.uuid, || Record {
            product: Product::Messages,
            id: self.uuid.clone(),
            api_key: self.login.account.settings.api_key.clone(),
            to: self.message.to.clone(),
            from: self.message.from.clone(),
            text: self.message.text.clone(),
            client_ref: self.message.client_ref.clone(),
            concatenated: self.message.parts > 1,
            created_at: accepted_at,
            history,
        });
    }

    fn accepted(&self) -> Response {
        answer::json(StatusCode::ACCEPTED, &json!({ "message_uuid": self.uuid }))
    }

    fn refused(&self, refusal: Refusal) -> Response {
        let problem = match refusal {
            Refusal::Unavailable => return front_end::answer(StatusCode::SERVICE_UNAVAILABLE),
            Refusal::Throttled => problem::THROTTLED,
            Refusal::ServerError => problem::INTERNAL,
            Refusal::InvalidRecipient => {
                problem::invalid_message(vec![InvalidParameter { name: "to", reason: "invalid value" }])
            }
        };
        problem.into_response()
    }

    fn receipts(&self, _world: &World, event: ReceiptEvent, at: UnixMillis) -> Vec<Outgoing> {
        status::outgoing(self, event, at).into_iter().collect()
    }
}
