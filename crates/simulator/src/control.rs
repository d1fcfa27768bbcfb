//! `/sim`: what tests and demonstrations ask of the simulator itself.
//!
//! | call | does |
//! |---|---|
//! | `GET /sim/requests?limit=&reference=` | submissions, newest first, each with what it is billed as and whether it reaches the recipient; counts per reference |
//! | `GET /sim/counts?min=` | counts per reference only; `min=2` leaves only what was received twice |
//! | `DELETE /sim/requests` | forgets submissions, counts, remembered messages |
//! | `GET`/`POST /sim/scenario` | defaults for recipients without a script |
//! | `GET /sim/receipts` | what became of receipts |
//! | `GET`/`POST /sim/subscriptions` | SNS subscriptions; posting sends a signed confirmation request |
//! | `GET /sim/suppressions` | addresses on the lists of Messente and SES accounts |
//! | `POST /sim/suppressions` | puts an address on one: `{"provider", "account", "address"}` |
//! | `POST /sim/accounts` | adds accounts |
//! | `POST /sim/fcm/revoke-tokens` | invalidates Google access tokens |
//! | `POST /sim/whatsapp/verify` | repeats the handshake of a number's callback URL |

mod requests;
mod set_up;

use std::sync::Arc;

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::StatusCode;
use serde_json::json;

use crate::{answer, world::World};

/// The most that a control request may say.
const REQUEST_BYTES_MAX: usize = 1024 * 1024;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/sim/requests", get(requests::list).delete(requests::clear))
        .route("/sim/counts", get(requests::counts))
        .route("/sim/receipts", get(requests::receipts))
        .route("/sim/scenario", get(set_up::scenario).post(set_up::set_scenario))
        .route("/sim/subscriptions", get(set_up::subscriptions).post(set_up::subscribe))
        .route("/sim/suppressions", get(set_up::suppressions).post(set_up::suppress))
        .route("/sim/accounts", post(set_up::add_accounts))
        .route("/sim/fcm/revoke-tokens", post(set_up::revoke_tokens))
        .route("/sim/whatsapp/verify", post(set_up::verify_callback))
}

/// A control request that makes no sense: 422.
struct Refused(String);

impl From<&str> for Refused {
    fn from(message: &str) -> Self {
        Self(message.to_owned())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        answer::json(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "error": self.0 }))
    }
}
