//! Message templates: kept, previewed and sent.

use hermes_ports::CascadeStore as _;
use serde_json::{Value, json};

use crate::{
    app::{App, LIVE, OTHER, TEST, sms, with},
    client::{Answer, Call},
    contract,
};

/// An order in Danish and English, with an email in English only.
fn order() -> Value {
    json!({
        "name": "order", "default_locale": "en",
        "variables": [
            { "name": "number", "type": "string", "example": "1042" },
            { "name": "count", "type": "number", "default": 1 },
            { "name": "note", "type": "string", "required": false },
        ],
        "locales": {
            "da": { "sms": { "text": "Ordre {{ number }} på {{ count }} æbler er afsendt{% if note %}: {{ note }}{% endif %}" } },
            "en": {
                "sms": { "text": "Order {{ number }} of {{ count }} has shipped" },
                "email": { "subject": "Order {{ number }}", "html": "<b>{{ number }}</b>" },
            },
        },
    })
}

/// `order` without its name.
fn version(text: &str) -> Value {
    let mut body = with(order(), "/locales/da/sms/text", json!(text));
    body.as_object_mut().unwrap().remove("name");
    body
}

/// The stored template of [`order`], and its path.
async fn stored(app: &App) -> (Value, String) {
    let made = app.post(LIVE, "/v1/templates", &order()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    (made.json()["id"].clone(), made.header("location").unwrap().to_owned())
}

fn message(template: Value) -> Value {
    let mut body = with(sms(), "/to/locale", json!("da-DK"));
    body.as_object_mut().unwrap().remove("content");
    with(body, "/template", template)
}

async fn send(app: &App, template: Value) -> Answer {
    app.post(LIVE, "/v1/messages", &message(template)).await
}

/// Code, pointers and codes of the faults of a refusal.
fn refusal(answer: &Answer) -> (String, Vec<(String, String)>) {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let faults = answer.json()["errors"].as_array().unwrap().clone();
    (answer.code(), faults.iter().map(|fault| (word(&fault["pointer"]), word(&fault["code"]))).collect())
}

fn refused(code: &str, faults: &[(&str, &str)]) -> (String, Vec<(String, String)>) {
    let owned = |(pointer, code): &(&str, &str)| ((*pointer).to_owned(), (*code).to_owned());
    (code.to_owned(), faults.iter().map(owned).collect())
}

#[tokio::test]
async fn a_template_is_made_read_replaced_and_deleted() {
    let app = App::start().await;
    let made = app.post(LIVE, "/v1/templates", &order()).await;
    let path = made.header("location").unwrap().to_owned();
    let read = app.get(LIVE, &path).await;
    assert_eq!((made.status, made.json(), made.header("etag")), (201, read.json(), read.header("etag")));
    assert_eq!(contract::faults_of("TemplateRequest", &order()), Vec::<String>::new());
    assert_eq!(read.json()["locales"]["en"], order()["locales"]["en"]);
    assert_eq!(
        read.json()["variables"][1],
        json!({ "name": "count", "type": "number", "required": false, "default": 1 })
    );
    let taken = app.post(LIVE, "/v1/templates", &order()).await;
    assert_eq!((taken.status, taken.code()), (409, "conflict".into()));

    let put = |tag: Option<&str>| {
        let call = Call::new("PUT", path.clone()).key(LIVE).json(&with(order(), "/name", json!("sale")));
        match tag {
            Some(tag) => call.header("if-match", tag),
            None => call,
        }
    };
    assert_eq!(app.call(put(None)).await.code(), "precondition_required");
    let renamed = app.call(put(made.header("etag"))).await.json();
    assert_eq!(
        (&renamed["name"], &renamed["latest_version"]),
        (&json!("sale"), &json!(1)),
        "a name makes no version"
    );
    assert_eq!(app.call(put(made.header("etag"))).await.code(), "version_conflict");
    let list = app.get(LIVE, "/v1/templates").await.json();
    assert_eq!(
        (&list["data"][0]["name"], &list["data"][0]["locales"]),
        (&json!("sale"), &json!(["da", "en"]))
    );
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    assert_eq!(app.call(Call::new("DELETE", path.clone()).key(LIVE)).await.status, 204);
    assert_eq!(app.get(LIVE, &path).await.status, 404);
}

#[tokio::test]
async fn versions_are_kept_activated_and_named_by_messages() {
    let app = App::start().await;
    let (id, path) = stored(&app).await;
    let versions = format!("{path}/versions");
    let made = app.post(LIVE, &versions, &version("Ny {{ number }}")).await;
    assert_eq!(
        (made.status, &made.json()["version"], &made.json()["active"]),
        (201, &json!(2), &json!(false))
    );
    assert_eq!(app.get(LIVE, made.header("location").unwrap()).await.json(), made.json());
    let data = json!({ "number": "7" });
    let first = send(&app, json!({ "id": id, "data": data })).await.json();
    assert_eq!(first["template"], json!({ "id": id, "version": 1, "locale": "da" }));
    let second = send(&app, json!({ "name": "order", "version": 2, "data": data })).await.json();
    assert_eq!(second["template"]["version"], 2);
    let stale = Call::new("POST", format!("{versions}/2/activate")).key(LIVE).header("if-match", "\"1\"");
    assert_eq!(app.call(stale).await.code(), "version_conflict");
    let active = app.call(Call::new("POST", format!("{versions}/2/activate")).key(LIVE)).await.json();
    assert_eq!(
        (&active["version"], &active["locales"]["da"]["sms"]["text"]),
        (&json!(2), &json!("Ny {{ number }}"))
    );
    let third = send(&app, json!({ "id": id, "data": data })).await.json();
    assert_eq!(third["template"]["version"], 2);
    // What was accepted stays as it was.
    let message = app.get(LIVE, &format!("/v1/messages/{}", first["id"].as_str().unwrap())).await.json();
    assert_eq!(message["template"], first["template"]);

    let list = app.get(LIVE, &versions).await.json();
    let told: Vec<_> = list["data"].as_array().unwrap().iter().map(|entry| &entry["version"]).collect();
    assert_eq!(told, [2, 1]);
    for missing in ["0", "3", "x"] {
        assert_eq!(app.get(LIVE, &format!("{versions}/{missing}")).await.status, 404, "{missing}");
        let activate = Call::new("POST", format!("{versions}/{missing}/activate")).key(LIVE);
        assert_eq!(app.call(activate).await.status, 404, "{missing}");
    }
}

#[tokio::test]
async fn the_envelope_holds_what_the_template_made() {
    let app = App::start().await;
    let (id, path) = stored(&app).await;
    let sent =
        send(&app, json!({ "id": id, "data": { "number": "<7>", "count": 2, "colour": "red" } })).await;
    assert_eq!(sent.status, 202, "{}", sent.text);
    let warning = json!({ "code": "undeclared_variable", "pointer": "/template/data/colour",
        "detail": "The template does not declare this variable, so it was not used." });
    assert_eq!(sent.json()["warnings"], json!([warning]));
    let message = sent.json()["id"].as_str().unwrap().parse().unwrap();
    app.call(Call::new("DELETE", path).key(LIVE)).await;
    let stored = app.backend.load(message).await.unwrap().unwrap();
    let content = serde_json::to_value(&stored.envelope.content).unwrap();
    assert_eq!(content["sms"]["text"], "Ordre <7> på 2 æbler er afsendt");
    assert_eq!(
        content["email"],
        json!({ "subject": "Order <7>", "html": "<b>&lt;7&gt;</b>" }),
        "the next language's"
    );
    assert_eq!(stored.envelope.template.as_ref().unwrap().locale.as_str(), "da");
}

#[tokio::test]
async fn missing_and_wrong_variables_are_told_where_they_belong() {
    let app = App::start().await;
    let (id, _) = stored(&app).await;
    let answer = send(&app, json!({ "id": id, "data": { "count": "two" } })).await;
    let expected = [("/template/data/number", "required"), ("/template/data/count", "type")];
    assert_eq!(refusal(&answer), refused("template_missing_variable", &expected));
    assert_eq!((answer.status, &answer.json()["layer"]), (422, &json!("schema")));
    let null = send(&app, json!({ "id": id, "data": { "number": null } })).await;
    assert_eq!(refusal(&null), refused("template_missing_variable", &expected[..1]));

    let validated = app.post(LIVE, "/v1/messages/validate", &message(json!({ "id": id }))).await.json();
    assert_eq!(validated["refusals"][0]["code"], "template_missing_variable");
    let valid = message(json!({ "id": id, "data": { "number": "1" } }));
    let validated = app.post(LIVE, "/v1/messages/validate", &valid).await.json();
    assert_eq!((&validated["valid"], &validated["segments"][0]["encoding"]), (&json!(true), &json!("gsm7")));
    let batch = json!({ "messages": [valid, message(json!({ "id": id }))] });
    let batch = app.post(LIVE, "/v1/batches", &batch).await.json();
    assert_eq!(batch["data"][0]["message"]["template"]["version"], 1);
    assert_eq!(batch["data"][1]["problem"]["code"], "template_missing_variable");
}

#[tokio::test]
async fn a_message_names_one_template_that_is_there() {
    let app = App::start().await;
    let (id, _) = stored(&app).await;
    for (template, pointer, code) in [
        (json!({}), "/template", "required"),
        (json!({ "id": id, "name": "order" }), "/template", "conflict"),
        (json!({ "name": "odder" }), "/template/name", "unknown_template"),
        (json!({ "id": "tpl_01ARZ3NDEKTSV4RRFFQ69G5FAV" }), "/template/id", "unknown_template"),
        (json!({ "id": id, "version": 2 }), "/template/version", "unknown_version"),
        (json!({ "id": id, "version": 0 }), "/template/version", "range"),
        (json!({ "id": id, "data": [] }), "/template/data", "type"),
        (json!({ "id": id, "date": {} }), "/template/date", "unknown_field"),
    ] {
        assert_eq!(refusal(&send(&app, template).await), refused("schema_invalid", &[(pointer, code)]));
    }
    let both = with(message(json!({ "id": id })), "/content", json!({ "text": "x" }));
    assert_eq!(
        refusal(&app.post(LIVE, "/v1/messages", &both).await),
        refused("schema_invalid", &[("/template", "conflict")])
    );
    assert!(!contract::faults_of("SendRequest", &both).is_empty());
    assert_eq!(contract::faults_of("SendRequest", &message(json!({ "id": id }))), Vec::<String>::new());
    let neither = message(Value::Null);
    assert_eq!(
        refusal(&app.post(LIVE, "/v1/messages", &neither).await),
        refused("schema_invalid", &[("/content", "required")])
    );
    for stranger in [OTHER, TEST] {
        for template in [json!({ "id": id }), json!({ "name": "order" })] {
            let answer = app.post(stranger, "/v1/messages", &message(template)).await;
            assert_eq!(refusal(&answer).1[0].1, "unknown_template", "nothing of another owner is there");
        }
    }
}

#[tokio::test]
async fn what_a_template_makes_is_held_to_the_rules_of_content() {
    let app = App::start().await;
    let body = json!({ "name": "x", "default_locale": "da", "variables": [
        { "name": "text", "type": "string" }, { "name": "order", "type": "object" } ],
        "locales": { "da": { "sms": { "text": "{{ text }}" }, "email": { "text": "x", "reply_to": "{{ text }}" },
            "push": { "title": "{{ order.number }}" } } } });
    let id = app.post(LIVE, "/v1/templates", &body).await.json()["id"].clone();
    let data = |text: &str, order: Value| json!({ "id": id, "data": { "text": text, "order": order } });
    let long = send(&app, data(&"x".repeat(1_601), json!({ "number": 1 }))).await;
    assert_eq!(refusal(&long), refused("content_rejected", &[("/template", "length")]));
    let long = send(
        &app,
        data(&format!("{}@example.com{}", "x".repeat(60), "x".repeat(200)), json!({ "number": 1 })),
    )
    .await;
    assert_eq!(refusal(&long), refused("content_rejected", &[("/template", "email_invalid")]));
    assert!(long.text.contains("email.reply_to"), "{}", long.text);
    // What is missing inside an object is found when it is looked for; what the data were is not told.
    let inside = send(&app, data("a@b.dk", json!({ "secret": 1 }))).await;
    assert_eq!(
        refusal(&inside),
        refused("template_missing_variable", &[("/template/data", "template_undefined")])
    );
    assert!(
        inside.text.contains("/locales/da/push/title") && !inside.text.contains("secret"),
        "{}",
        inside.text
    );
}

#[tokio::test]
async fn what_cannot_be_rendered_is_not_stored() {
    let app = App::start().await;
    let sms = |text: &str| with(order(), "/locales/da/sms/text", json!(text));
    let text = "/locales/da/sms/text";
    let endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}";
    for (body, pointer, code) in [
        (sms("{{ nobody }}"), text, "undeclared_variable"),
        (sms("{{ number"), text, "template_syntax"),
        (sms("{{ number|shout }}"), text, "template_unknown_call"),
        (sms("{{ note }}"), text, "template_undefined"),
        (sms(endless), text, "template_out_of_fuel"),
        (sms("{% include 'x' %}"), text, "template_syntax"),
        (with(order(), "/locales/da/sms", json!({ "txt": "x" })), "/locales/da/sms/txt", "unknown_field"),
        (with(order(), "/locales/da", json!({})), "/locales/da", "required"),
        (with(order(), "/locales/DA", json!({ "text": "x" })), "/locales/DA", "locale"),
        (with(order(), "/locales/x", json!({ "text": "x" })), "/locales/x", "length"),
        (with(order(), "/default_locale", json!("fr")), "/default_locale", "choice"),
        (with(order(), "/variables/0/name", json!("2x")), "/variables/0/name", "name"),
        (with(order(), "/variables/2/name", json!("count")), "/variables/2/name", "duplicate"),
        (with(order(), "/variables/1/default", json!("x")), "/variables/1/default", "type"),
        (with(order(), "/variables/1/required", json!(true)), "/variables/1/required", "conflict"),
        (with(order(), "/variables/0/type", json!("text")), "/variables/0/type", "choice"),
    ] {
        let answer = app.post(LIVE, "/v1/templates", &body).await;
        assert_eq!(refusal(&answer), refused("schema_invalid", &[(pointer, code)]), "{}", answer.text);
    }
    let many: serde_json::Map<_, _> =
        (0..51).map(|number| (format!("xx-{number:03}"), json!({ "text": "x" }))).collect();
    let variables: Vec<_> =
        (0..101).map(|number| json!({ "name": format!("v{number}"), "type": "string" })).collect();
    for (field, value) in [("/locales", json!(many)), ("/variables", json!(variables))] {
        let answer = app.post(LIVE, "/v1/templates", &with(order(), field, value)).await;
        assert_eq!(refusal(&answer).1[0], (field.to_owned(), "length".to_owned()), "{}", answer.text);
    }
    let large = with(order(), "/locales/da/text", json!("x".repeat(300_000)));
    assert_eq!(app.post(LIVE, "/v1/templates", &large).await.status, 413);
    assert_eq!(app.get(LIVE, "/v1/templates").await.json()["data"], json!([]));
}

#[tokio::test]
async fn a_preview_shows_each_channel_and_sends_nothing() {
    let app = App::start().await;
    let (_, path) = stored(&app).await;
    let preview = async |body: Value| app.post(LIVE, &format!("{path}/preview"), &body).await;
    let shown =
        preview(json!({ "locale": "da_DK", "data": { "number": "7", "note": "á", "x": 1 } })).await.json();
    assert_eq!(
        shown,
        json!({ "version": 1, "locale": "da", "undeclared": ["x"], "channels": {
            "sms": { "locale": "da", "content": { "text": "Ordre 7 på 1 æbler er afsendt: á" },
                "segments": { "encoding": "ucs2", "count": 1 } },
            "email": { "locale": "en", "content": { "subject": "Order 7", "html": "<b>7</b>" } },
        } })
    );
    assert_eq!(preview(json!({ "data": { "number": "7" } })).await.json()["locale"], "en");
    let missing = preview(json!({})).await;
    assert_eq!(refusal(&missing), refused("template_missing_variable", &[("/data/number", "required")]));
    assert_eq!(
        refusal(&preview(json!({ "version": 2 })).await),
        refused("schema_invalid", &[("/version", "unknown_version")])
    );
    assert_eq!(app.get(LIVE, "/v1/messages").await.json()["data"], json!([]));
    assert_eq!(app.post(OTHER, &format!("{path}/preview"), &json!({})).await.status, 404);
}

#[tokio::test]
async fn nothing_of_a_template_is_there_for_others_and_for_the_other_mode() {
    let app = App::start().await;
    let (_, path) = stored(&app).await;
    for stranger in [OTHER, TEST] {
        for path in [path.clone(), format!("{path}/versions"), format!("{path}/versions/1")] {
            assert_eq!(app.get(stranger, &path).await.status, 404, "{path}");
        }
        let calls = [
            Call::new("DELETE", path.clone()),
            Call::new("PUT", path.clone()).json(&order()).header("if-match", "*"),
            Call::new("POST", format!("{path}/versions")).json(&version("x")),
            Call::new("POST", format!("{path}/versions/1/activate")),
        ];
        for call in calls {
            assert_eq!(app.call(call.clone().key(stranger)).await.status, 404, "{call:?}");
        }
        assert_eq!(app.get(stranger, "/v1/templates").await.json()["data"], json!([]));
    }
    // A name is free in another mode.
    assert_eq!(app.post(TEST, "/v1/templates", &order()).await.status, 201);
}

#[tokio::test]
async fn a_repeated_creation_makes_one_template() {
    let app = App::start().await;
    let call = Call::new("POST", "/v1/templates").key(LIVE).json(&order()).header("idempotency-key", "k");
    let (first, second) = (app.call(call.clone()).await, app.call(call).await);
    assert_eq!((first.status, first.json()), (second.status, second.json()));
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
}

/// What stands between `begin` and the next `end` after it.
fn quoted<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let after = text.split_once(begin).unwrap().1;
    after.split_once(end).unwrap().0
}

#[tokio::test]
async fn the_examples_of_the_guide_do_what_it_says() {
    let app = App::start().await;
    let guide = include_str!("../../../../docs/templates.md");
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let (create, send) = guide.split_once("curl $API/v1/messages").unwrap();
    let made = app.post(LIVE, "/v1/templates", &json(quoted(create, "-d '", "'\n"))).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let message = json(quoted(send, "-d '", "'\n"));
    let sent = app.post(LIVE, "/v1/messages", &message).await;
    assert_eq!((sent.status, &sent.json()["template"]["locale"]), (202, &json!("da")), "{}", sent.text);
    let shown = json(quoted(guide, "```json\n", "```"));
    let preview = json!({ "locale": message["to"]["locale"], "data": message["template"]["data"] });
    let path = format!("{}/preview", made.header("location").unwrap());
    let mut previewed = app.post(LIVE, &path, &preview).await.json();
    assert_eq!(previewed["channels"]["email"]["locale"], "en");
    previewed["channels"].as_object_mut().unwrap().remove("email");
    assert_eq!(previewed, shown);
}
