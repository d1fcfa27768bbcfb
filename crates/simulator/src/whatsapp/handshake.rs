//! Proving a callback URL: it has to answer a GET with the challenge it carries.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use reqwest::redirect::Policy;
use tracing::warn;

use super::app::App;
use crate::world::World;

/// How long the owner of a URL may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// Pauses between tries while nobody answers: a minute in all, for servers that are just starting.
const PAUSES_S: [u64; 6] = [1, 2, 4, 8, 16, 32];
/// More than a challenge has is no challenge.
const ANSWER_BYTES_MAX: usize = 1024;

/// What became of one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The challenge came back.
    Confirmed,
    /// Something else came back.
    Refused(String),
    /// Nobody there, or not well.
    Unreachable(String),
}

pub(super) fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder().no_proxy().redirect(Policy::none()).timeout(ANSWER_TIMEOUT).build()
}

/// Asks until somebody answers; gives up after a minute, or when the simulator is gone.
pub(super) async fn run(world: Weak<World>, app: Arc<App>) {
    for pause_s in PAUSES_S.into_iter().map(Some).chain([None]) {
        let Some(world) = world.upgrade() else { return };
        let answer = ask(&world.whatsapp.client, &app).await;
        match (answer, pause_s) {
            (Answer::Unreachable(_), Some(pause_s)) => {
                drop(world);
                tokio::time::sleep(Duration::from_secs(pause_s)).await;
                if !app.is_unsettled() {
                    return;
                }
            }
            (answer, _) => return settle(&world, &app, &answer),
        }
    }
}

/// Asks once, and goes by the answer.
pub(super) async fn ask_and_settle(world: &World, app: &App) -> Answer {
    let answer = ask(&world.whatsapp.client, app).await;
    settle(world, app, &answer);
    answer
}

fn settle(world: &World, app: &App, answer: &Answer) {
    match answer {
        Answer::Confirmed => {
            let held = app.confirm();
            if !held.is_empty() {
                world.receipts.schedule(Duration::ZERO, move || held);
            }
        }
        Answer::Refused(reason) | Answer::Unreachable(reason) => {
            warn!(reason, "a whatsapp callback URL did not pass its handshake, its webhooks are not sent");
            app.refuse();
        }
    }
}

async fn ask(client: &reqwest::Client, app: &App) -> Answer {
    let challenge = rand::random_range(100_000_000..=999_999_999_u32).to_string();
    let mut url = app.callback_url.clone();
    url.query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.challenge", &challenge)
        .append_pair("hub.verify_token", &app.verify_token);
    let mut response = match client.get(url).send().await {
        Ok(response) => response,
        Err(cause) => return Answer::Unreachable(cause.without_url().to_string()),
    };
    let status = response.status();
    if status.as_u16() == 429 || status.is_server_error() {
        return Answer::Unreachable(format!("it answered {status}"));
    }
    if status != http::StatusCode::OK {
        return Answer::Refused(format!("it answered {status}"));
    }
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_BYTES_MAX {
            break;
        }
    }
    if body == challenge.as_bytes() {
        Answer::Confirmed
    } else {
        Answer::Refused("it did not answer with the challenge".to_owned())
    }
}
