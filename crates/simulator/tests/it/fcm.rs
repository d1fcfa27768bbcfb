//! FCM: tokens, strictness and answers.

use hermes_simulator::demo;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    sim::{Sim, answer, claims},
    specs,
};

const SEND: &str = "/v1/projects/hermes-test/messages:send";

fn message(extra: Value) -> Value {
    let mut message = json!({ "token": "dUmmyT0ken:APA91bExample", "data": { "hermes_ref": "msg_push.1" } });
    for (key, value) in extra.as_object().unwrap() {
        message[key] = value.clone();
    }
    json!({ "message": message })
}

/// Code, status and first detail's reason or error code.
fn error(answer: &crate::sim::Answer) -> (u64, String, String) {
    let error = &answer.json()["error"];
    assert_eq!(error["code"], answer.status.as_u16());
    let detail = &error["details"][0];
    let reason = detail["reason"].as_str().or_else(|| detail["errorCode"].as_str()).unwrap_or_default();
    (error["code"].as_u64().unwrap(), error["status"].as_str().unwrap().into(), reason.into())
}

#[tokio::test]
async fn a_token_needs_a_good_assertion() {
    let sim = Sim::start().await;
    let good = sim.fcm_token_answer(&claims()).await.json();
    assert_eq!((&good["expires_in"], &good["token_type"]), (&3599.into(), &"Bearer".into()));
    let mut stranger = claims();
    stranger["iss"] = json!("stranger@example.com");
    let refused = sim.fcm_token_answer(&stranger).await;
    assert_eq!(refused.status, 400);
    let expected =
        json!({ "error": "invalid_grant", "error_description": "Invalid grant: account not found" });
    assert_eq!(refused.json(), expected);
    let json = sim.post("/token", json!({ "grant_type": "x" })).await;
    assert_eq!((json.status.as_u16(), json.json()["error"].clone()), (400, "invalid_request".into()));
}

#[tokio::test]
async fn only_a_current_token_of_this_project_may_send() {
    let sim = Sim::start().await;
    let unauthenticated = |reason: &str| (401, "UNAUTHENTICATED".to_owned(), reason.to_owned());
    assert_eq!(error(&sim.post(SEND, message(json!({}))).await), unauthenticated("CREDENTIALS_MISSING"));
    let forged = sim.fcm_post("ya29.c.forged", &message(json!({}))).await;
    assert_eq!(error(&forged), unauthenticated("ACCESS_TOKEN_TYPE_UNSUPPORTED"));
    let token = sim.fcm_token().await;
    let elsewhere = sim.request(Method::POST, "/v1/projects/other/messages:send").bearer_auth(&token);
    let elsewhere = error(&answer(elsewhere).await);
    assert_eq!(elsewhere, (403, "PERMISSION_DENIED".into(), "IAM_PERMISSION_DENIED".into()));
    assert_eq!(sim.fcm_post(&token, &message(json!({}))).await.status, 200);
    sim.post("/sim/fcm/revoke-tokens", json!({})).await;
    let revoked = sim.fcm_post(&token, &message(json!({}))).await;
    assert_eq!(error(&revoked), unauthenticated("ACCESS_TOKEN_EXPIRED"));
}

#[tokio::test]
async fn wrong_shapes_are_refused_in_googles_words() {
    let sim = Sim::start().await;
    let token = sim.fcm_token().await;
    let wrong = sim.fcm_post(&token, &message(json!({ "data": { "k": 12 }, "tokn": "x" }))).await;
    let body = wrong.json();
    assert_eq!((&body["error"]["status"], wrong.status.as_u16()), (&"INVALID_ARGUMENT".into(), 400));
    let text = body["error"]["message"].as_str().unwrap();
    assert!(text.contains("Invalid value at 'message.data[0].value' (TYPE_STRING), 12"), "{text}");
    assert!(text.contains("Unknown name \"tokn\" at 'message': Cannot find field."), "{text}");
    let details = &body["error"]["details"][0];
    assert_eq!(details["@type"], "type.googleapis.com/google.rpc.BadRequest");
    assert_eq!(details["fieldViolations"].as_array().unwrap().len(), 2);

    let form = sim.request(Method::POST, SEND).bearer_auth(&token);
    let form = form.header("content-type", "application/x-www-form-urlencoded").body("{}");
    assert_eq!(error(&answer(form).await).1, "INVALID_ARGUMENT");
    let untargeted = json!({ "message": { "notification": { "title": "x" } } });
    let untargeted = error(&sim.fcm_post(&token, &untargeted).await);
    assert_eq!(untargeted, (400, "INVALID_ARGUMENT".into(), "INVALID_ARGUMENT".into()));
}

#[tokio::test]
async fn a_push_is_answered_with_a_name_and_validation_sends_nothing() {
    let sim = Sim::start().await;
    let token = sim.fcm_token().await;
    let mut only_validated = message(json!({}));
    only_validated["validate_only"] = json!(true);
    let validated = sim.fcm_post(&token, &only_validated).await;
    assert_eq!(validated.json(), json!({ "name": "projects/hermes-test/messages/fake_message_id" }));
    assert_eq!(sim.get("/sim/requests").await.json()["counts"], json!({}));

    let sent =
        sim.fcm_post(&token, &message(json!({ "android": { "priority": "HIGH", "ttl": "60s" } }))).await;
    specs::fcm_output("Message", &sent.json());
    let name = sent.json()["name"].as_str().unwrap().to_owned();
    assert!(name.starts_with(&format!("projects/{}/messages/0:", demo::FCM_PROJECT_ID)), "{name}");
    assert_eq!(sim.get("/sim/requests").await.json()["counts"], json!({ "msg_push.1": 1 }));
}
