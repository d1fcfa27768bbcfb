//! Registered senders: what they are, who verifies them, and which messages they refuse.

use hermes_domain::{address::Channel, message::Mode};
use hermes_testkit::tenant;
use serde_json::{Value, json};

use crate::{
    app::{ADMIN, App, LIVE, OTHER, TEST, connect, sms, with},
    client::{Answer, Call},
};

async fn register(app: &App, body: Value) -> (String, Value) {
    let made = app.post(LIVE, "/v1/senders", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), Some(format!("/v1/senders/{id}").as_str()));
    (id, made.json())
}

async fn judge(app: &App, id: &str, body: Value) -> Answer {
    app.call(Call::new("PATCH", format!("/admin/v1/senders/{id}")).key(ADMIN).json(&body)).await
}

async fn policy(app: &App, policy: Value) {
    let path = format!("/admin/v1/tenants/{}", tenant(1));
    let changed = app.call(Call::new("PATCH", path).key(ADMIN).json(&json!({ "policy": policy }))).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
}

fn from(sender: Value) -> Value {
    with(sms(), "/sender", sender)
}

fn acme() -> Value {
    json!({ "channel": "sms", "sender": "ACME", "countries": ["DK", "SE"] })
}

fn refusal(answer: &Answer) -> (u16, String, String, String) {
    let problem = answer.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (answer.status, text(&problem["layer"]), text(&problem["code"]), text(&problem["errors"][0]["code"]))
}

fn unverified() -> (u16, String, String, String) {
    (422, "compliance".into(), "sender_unverified".into(), "sender_unverified".into())
}

#[tokio::test]
async fn a_registered_sender_is_used_only_where_it_is_verified() {
    let app = App::start().await;
    let send = async || app.post(LIVE, "/v1/messages", &from(json!({ "sms": "Acme" }))).await;
    assert_eq!(send().await.status, 202, "nobody has registered it");
    let (id, view) = register(&app, acme()).await;
    assert_eq!(
        (&view["status"], &view["kind"], &view["countries"]),
        (&json!("pending"), &json!("alphanumeric"), &json!({ "DK": "pending", "SE": "pending" }))
    );
    assert_eq!(refusal(&send().await), unverified());
    let rehearsed = app.post(LIVE, "/v1/messages/validate", &from(json!({ "sms": "ACME" }))).await.json();
    assert_eq!(rehearsed["refusals"][0]["code"], "sender_unverified");

    let judged = judge(
        &app,
        &id,
        json!({ "countries": { "SE": "verified", "DK": "rejected" }, "reason": "no trademark" }),
    );
    assert_eq!(judged.await.json()["sender"]["status"], "verified");
    assert_eq!(refusal(&send().await), unverified(), "not in this country");
    let seen = app.get(LIVE, &format!("/v1/senders/{id}")).await.json();
    assert_eq!(seen["status_reason"], "no trademark");

    assert_eq!(
        judge(&app, &id, json!({ "countries": { "DK": "verified" }, "reason": null })).await.status,
        200
    );
    assert_eq!(send().await.status, 202);
    let elsewhere = with(from(json!({ "sms": "ACME" })), "/to/phone", json!("+4791234567"));
    assert_eq!(
        refusal(&app.post(LIVE, "/v1/messages", &elsewhere).await),
        unverified(),
        "not registered there"
    );
    assert_eq!(app.post(OTHER, "/v1/messages", &elsewhere).await.status, 202, "it is another tenant's");
}

#[tokio::test]
async fn the_step_of_an_unverified_sender_leaves_the_plan_and_others_stay() {
    let app = App::start().await;
    register(&app, acme()).await;
    let steps = json!({ "steps": [{ "channel": "sms" }, { "channel": "email" }] });
    let body =
        with(with(from(json!({ "sms": "ACME" })), "/to/email", json!("a@example.dk")), "/cascade", steps);
    let reply = app.post(LIVE, "/v1/messages", &body).await.json();
    assert_eq!((&reply["plan"][0]["channel"], &reply["plan"][1]), (&json!("email"), &Value::Null), "{reply}");
    assert_eq!(
        (&reply["warnings"][0]["code"], &reply["warnings"][0]["pointer"]),
        (&json!("sender_unverified"), &json!("/cascade/steps/0"))
    );
}

#[tokio::test]
async fn where_the_policy_says_so_an_unregistered_sender_is_refused_on_each_channel() {
    let app = App::start().await;
    policy(&app, json!({ "require_verified_senders": true, "unregistered_sender_countries": ["DK"] })).await;
    let mail = json!({
        "to": { "email": "a@example.dk" }, "content": { "text": "Hi", "subject": "Hi" },
        "cascade": { "steps": [{ "channel": "email" }] },
    });
    let chat = json!({
        "to": { "whatsapp": "+4520123456" }, "content": { "text": "Hi" },
        "cascade": { "steps": [{ "channel": "whatsapp" }] },
    });
    connect(&app.directory, 9, Some(tenant(1)), Mode::Live, "whatsapp", Channel::Whatsapp).await;
    let cases = [
        (sms(), "sms", "ACME", acme()),
        (
            mail,
            "email",
            "Acme <news@mail.acme.example>",
            json!({ "channel": "email", "identity": "acme.example" }),
        ),
        (
            chat,
            "whatsapp",
            "10612345",
            json!({ "channel": "whatsapp", "phone_number_id": "10612345", "display_number": "+4520123457" }),
        ),
    ];
    for (body, channel, sender, registered) in cases {
        let named = with(body.clone(), "/sender", json!({ channel: sender }));
        assert_eq!(refusal(&app.post(LIVE, "/v1/messages", &named).await), unverified(), "{channel}");
        let code = app.post(LIVE, "/v1/messages", &body).await.code();
        assert_ne!(code, "sender_unverified", "a message that names none is the connection's");
        let (id, view) = register(&app, registered).await;
        if channel == "sms" {
            assert_eq!(view["countries"], json!({ "DK": "verified", "SE": "pending" }));
        } else {
            assert_eq!(refusal(&app.post(LIVE, "/v1/messages", &named).await), unverified(), "{channel}");
            assert_eq!(judge(&app, &id, json!({ "status": "verified" })).await.status, 200);
        }
        let code = app.post(LIVE, "/v1/messages", &named).await.code();
        assert_ne!(code, "sender_unverified", "{channel}");
    }
}

fn publish(app: &App, view: &Value, purposes: &[&str]) {
    let mut records = app.dns.records.lock();
    for record in view["dns_records"].as_array().unwrap() {
        let text = |name: &str| record[name].as_str().unwrap();
        if purposes.contains(&text("purpose")) {
            let record_type = ["TXT", "CNAME", "MX"].into_iter().find(|one| *one == text("type")).unwrap();
            records.insert((text("name").to_owned(), record_type), text("value").to_owned());
        }
    }
}

#[tokio::test]
async fn a_mail_domain_is_verified_by_its_dns_records() {
    let app = App::start().await;
    let (id, _) = register(&app, json!({ "channel": "email", "identity": "Acme.Example" })).await;
    let path = format!("/v1/senders/{id}/verify");
    let verify = async || app.call(Call::new("POST", &path).key(LIVE)).await;
    assert_eq!(verify().await.code(), "overloaded", "the DNS is away");
    let tokens = json!({ "dkim_tokens": ["aaa", "bbb", "ccc"] });
    let view = judge(&app, &id, tokens).await.json()["sender"].clone();
    assert_eq!(view["identity"], "acme.example");
    publish(&app, &view, &["dkim_1", "dkim_2", "dkim_3", "spf"]);
    let seen = verify().await.json();
    assert_eq!((&seen["status"], &seen["dns_records"][0]["published"]), (&json!("pending"), &json!(false)));
    assert_eq!(seen["dns_records"][1]["published"], true);
    publish(&app, &view, &["ownership"]);
    assert_eq!(verify().await.json()["status"], "verified");
    app.dns.records.lock().remove(&("_hermes.acme.example".to_owned(), "TXT"));
    assert_eq!(verify().await.json()["status"], "verified", "what is missing takes nothing away");

    // Somebody else's tokens and records do not make it theirs.
    let stolen =
        app.post(OTHER, "/v1/senders", &json!({ "channel": "email", "identity": "acme.example" })).await;
    let stolen = stolen.json()["id"].as_str().unwrap().to_owned();
    judge(&app, &stolen, json!({ "dkim_tokens": ["aaa", "bbb", "ccc"] })).await;
    publish(&app, &view, &["ownership"]);
    let theirs = app.call(Call::new("POST", format!("/v1/senders/{stolen}/verify")).key(OTHER)).await;
    assert_eq!(theirs.json()["status"], "pending");
}

#[tokio::test]
async fn in_test_mode_everything_counts_as_published() {
    let app = App::start().await;
    let body = json!({ "channel": "email", "identity": "news@acme.example" });
    let made = app.post(TEST, "/v1/senders", &body).await.json();
    let path = format!("/v1/senders/{}/verify", made["id"].as_str().unwrap());
    assert_eq!(app.call(Call::new("POST", path).key(TEST)).await.json()["status"], "verified");
}

#[tokio::test]
async fn senders_are_kept_changed_and_forgotten() {
    let app = App::start().await;
    let (id, _) = register(&app, acme()).await;
    let again = app
        .post(LIVE, "/v1/senders", &json!({ "channel": "sms", "sender": "acme", "countries": ["NO"] }))
        .await;
    assert_eq!((again.status, again.code()), (409, "conflict".into()));
    judge(&app, &id, json!({ "countries": { "DK": "verified" } })).await;
    let path = format!("/v1/senders/{id}");
    let change = |version: &str| {
        let body = json!({ "countries": ["DK", "NO"], "description": "shop" });
        Call::new("PATCH", &path).key(LIVE).json(&body).header("if-match", version)
    };
    assert_eq!(app.call(change("\"1\"")).await.code(), "version_conflict", "an operator was there");
    let changed = app.call(change("\"2\"")).await;
    assert_eq!(changed.json()["countries"], json!({ "DK": "verified", "NO": "pending" }), "{}", changed.text);
    let pending = app.get(ADMIN, "/admin/v1/senders?status=pending").await.json();
    assert_eq!(pending["data"][0]["tenant_id"], tenant(1).to_string());
    assert_eq!(app.get(ADMIN, "/admin/v1/senders?status=verified").await.json()["data"], json!([]));
    assert_eq!(app.call(Call::new("DELETE", &path).key(LIVE)).await.status, 204);
    assert_eq!(app.post(LIVE, "/v1/messages", &from(json!({ "sms": "ACME" }))).await.status, 202);
}

#[tokio::test]
async fn what_is_no_sender_is_refused_with_its_pointer() {
    let app = App::start().await;
    for (body, pointer) in [
        (json!({ "channel": "push" }), "/channel"),
        (json!({ "channel": "sms", "sender": "TWELVE CHARS", "countries": ["DK"] }), "/sender"),
        (json!({ "channel": "sms", "sender": "ACME", "countries": ["XX"] }), "/countries/0"),
        (json!({ "channel": "sms", "sender": "ACME", "countries": [] }), "/countries"),
        (json!({ "channel": "email", "identity": "acme" }), "/identity"),
        (json!({ "channel": "email", "identity": "acme.example", "sender": "ACME" }), "/sender"),
        (
            json!({ "channel": "whatsapp", "phone_number_id": "1", "display_number": "20123457" }),
            "/display_number",
        ),
    ] {
        let answer = app.post(LIVE, "/v1/senders", &body).await;
        assert_eq!(
            (answer.status, answer.pointers()),
            (422, vec![pointer.to_owned()]),
            "{body}: {}",
            answer.text
        );
    }
    let (id, _) = register(&app, json!({ "channel": "email", "identity": "acme.example" })).await;
    for (body, pointer) in [
        (json!({ "countries": { "DK": "verified" } }), "/countries"),
        (json!({ "status": "maybe" }), "/status"),
        (json!({ "dkim_tokens": ["a", "b"] }), "/dkim_tokens"),
    ] {
        let answer = judge(&app, &id, body.clone()).await;
        assert_eq!(
            (answer.status, answer.pointers()),
            (422, vec![pointer.to_owned()]),
            "{body}: {}",
            answer.text
        );
    }
}
