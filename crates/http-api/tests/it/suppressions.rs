//! Rules as a tenant keeps them: one by one, and many at once.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    app::{App, LIVE, OTHER, TEST},
    client::{Answer, Call},
};

const PATH: &str = "/v1/suppressions";

async fn created(app: &App, body: &Value) -> Value {
    let answer = app.post(LIVE, PATH, body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    app.clock.advance(Duration::from_millis(1));
    answer.json()
}

fn path(rule: &Value) -> String {
    format!("{PATH}/{}", rule["id"].as_str().unwrap())
}

async fn import(app: &App, content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    let call = Call::new("POST", format!("{PATH}/import")).key(LIVE).header("content-type", content_type);
    app.call(call.bytes(body)).await
}

#[tokio::test]
async fn a_rule_is_made_read_changed_and_removed() {
    let app = App::start().await;
    let body = json!({ "address": "Ada@Example.com", "channel": "email", "sender": "Acme <No-Reply@acme.example>",
        "reason": "opt_out", "note": "by phone", "expires_at": "2030-01-01T00:00:00Z" });
    let answer = app.post(LIVE, PATH, &body).await;
    let rule = answer.json();
    assert_eq!((answer.status, answer.header("etag")), (201, Some("\"1\"")));
    assert_eq!(answer.header("location"), Some(path(&rule).as_str()));
    assert!(rule["id"].as_str().unwrap().starts_with("sup_"));
    let shown = json!({ "id": rule["id"], "mode": "live", "address": "ada@example.com", "domain": null,
        "prefix": null, "channel": "email", "sender": "no-reply@acme.example", "reason": "opt_out",
        "source": "api", "note": "by phone", "created_at": rule["created_at"],
        "expires_at": "2030-01-01T00:00:00.000Z" });
    assert_eq!(rule, shown);
    let read = app.get(LIVE, &path(&rule)).await;
    assert_eq!((read.json(), read.header("etag")), (shown, Some("\"1\"")));
    let change = |etag: Option<&str>, body: Value| {
        let call = Call::new("PATCH", path(&rule)).key(LIVE).json(&body);
        match etag {
            Some(etag) => call.header("if-match", etag),
            None => call,
        }
    };
    assert_eq!(app.call(change(None, json!({}))).await.code(), "precondition_required");
    assert_eq!(app.call(change(Some("\"7\""), json!({}))).await.code(), "version_conflict");
    let changed = app.call(change(Some("\"1\""), json!({ "note": null }))).await;
    assert_eq!((changed.status, changed.header("etag")), (200, Some("\"2\"")));
    assert_eq!((&changed.json()["note"], &changed.json()["expires_at"]), (&Value::Null, &rule["expires_at"]));
    let changed = app.call(change(Some("\"2\""), json!({ "note": "x", "expires_at": null }))).await.json();
    assert_eq!((&changed["note"], &changed["expires_at"]), (&json!("x"), &Value::Null));
    let remove = |etag: &str| Call::new("DELETE", path(&rule)).key(LIVE).header("if-match", etag);
    assert_eq!(app.call(remove("\"2\"")).await.code(), "version_conflict");
    assert_eq!(app.call(remove("\"3\"")).await.status, 204);
    assert_eq!(app.get(LIVE, &path(&rule)).await.status, 404);
}

#[tokio::test]
async fn what_cannot_be_a_rule_is_refused_with_every_fault() {
    let app = App::start().await;
    for (body, pointers) in [
        (json!({}), vec![""]),
        (json!({ "address": "+4520123456", "prefix": "+45" }), vec![""]),
        (json!({ "address": "4520123456" }), vec!["/address"]),
        (json!({ "address": "a@example.com", "channel": "sms" }), vec!["/address"]),
        (json!({ "domain": "localhost" }), vec!["/domain"]),
        (json!({ "prefix": "45" }), vec!["/prefix"]),
        (json!({ "prefix": "+45", "channel": "fax" }), vec!["/channel"]),
        (
            json!({ "prefix": "+45", "reason": "x", "note": "", "expires_at": "2020-01-01T00:00:00Z", "extra": 1 }),
            vec!["/reason", "/note", "/expires_at", "/extra"],
        ),
    ] {
        let answer = app.post(LIVE, PATH, &body).await;
        assert_eq!((answer.status, answer.code()), (422, "schema_invalid".into()), "{body}");
        assert_eq!(answer.pointers(), pointers, "{body}");
    }
    let first = created(&app, &json!({ "prefix": "+45" })).await;
    let again = app.post(LIVE, PATH, &json!({ "prefix": "+45", "note": "again" })).await;
    assert_eq!((again.status, again.code()), (409, "conflict".into()));
    assert!(again.text.contains(first["id"].as_str().unwrap()), "{}", again.text);
}

#[tokio::test]
async fn lists_are_paged_filtered_and_the_tenants_own() {
    let app = App::start().await;
    let first = created(&app, &json!({ "address": "+4520123456", "channel": "sms", "sender": "ACME" })).await;
    let second = created(&app, &json!({ "domain": "example.com", "reason": "complaint" })).await;
    let third = created(&app, &json!({ "prefix": "+4520" })).await;
    let ids = |rules: &[&Value]| json!(rules.iter().map(|rule| &rule["id"]).collect::<Vec<_>>());
    let list = async |query: &str| {
        let answer = app.get(LIVE, &format!("{PATH}?{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let data = answer.json()["data"].as_array().unwrap().clone();
        (json!(data.iter().map(|rule| &rule["id"]).collect::<Vec<_>>()), answer.json()["next_cursor"].clone())
    };
    let (page, cursor) = list("limit=2").await;
    assert_eq!(page, ids(&[&third, &second]));
    let rest = list(&format!("limit=2&cursor={}", cursor.as_str().unwrap())).await;
    assert_eq!(rest, (ids(&[&first]), Value::Null));
    for (query, expected) in [
        ("address=%2B4520123456", ids(&[&first])),
        ("address=+4520123456", ids(&[&first])),
        ("address=Example.com", ids(&[&second])),
        ("channel=sms", ids(&[&first])),
        ("reason=complaint", ids(&[&second])),
        ("sender=acme", ids(&[&first])),
        (&format!("created_after={}", third["created_at"].as_str().unwrap()), ids(&[&third])),
    ] {
        assert_eq!(list(query).await.0, expected, "{query}");
    }
    assert_eq!(app.get(LIVE, &format!("{PATH}?reason=x&colour=red")).await.pointers(), ["reason", "colour"]);
    for stranger in [OTHER, TEST] {
        assert_eq!(app.get(stranger, PATH).await.json()["data"], json!([]));
        assert_eq!(app.get(stranger, &format!("{PATH}/export?format=ndjson")).await.text, "");
        assert_eq!(app.get(stranger, &path(&first)).await.status, 404);
        assert_eq!(app.call(Call::new("DELETE", path(&first)).key(stranger)).await.status, 404);
    }
}

#[tokio::test]
async fn an_export_comes_back_as_an_import_in_either_form() {
    let app = App::start().await;
    created(&app, &json!({ "address": "ada@example.com", "note": "said \"no\",\ntwice" })).await;
    created(&app, &json!({ "prefix": "+45", "channel": "sms", "reason": "opt_out", "sender": "acme" })).await;
    let ends = json!({ "domain": "example.org", "channel": "email", "expires_at": "2030-01-01T00:00:00Z" });
    created(&app, &ends).await;
    let all = app.get(LIVE, PATH).await.json()["data"].as_array().unwrap().clone();
    for (format, content_type) in [("csv", "text/csv; charset=utf-8"), ("ndjson", "application/x-ndjson")] {
        let export = app.get(LIVE, &format!("{PATH}/export?format={format}")).await;
        assert_eq!((export.status, export.header("content-type")), (200, Some(content_type)));
        for rule in app.get(LIVE, PATH).await.json()["data"].as_array().unwrap() {
            assert_eq!(app.call(Call::new("DELETE", path(rule)).key(LIVE)).await.status, 204);
        }
        let report = import(&app, content_type, export.text.clone()).await.json();
        let expected = json!({ "lines": 3, "added": 3, "unchanged": 0, "rejected": 0, "problems": [] });
        assert_eq!(report, expected, "{}", export.text);
        let again = import(&app, content_type, export.text).await.json();
        assert_eq!((&again["added"], &again["unchanged"]), (&json!(0), &json!(3)));
        let mut imported = app.get(LIVE, PATH).await.json()["data"].as_array().unwrap().clone();
        let mut wanted = all.clone();
        for rule in imported.iter_mut().chain(&mut wanted) {
            for own in ["id", "source", "created_at"] {
                rule.as_object_mut().unwrap().remove(own);
            }
        }
        let by_text = |rules: &mut Vec<Value>| rules.sort_by_key(Value::to_string);
        by_text(&mut imported);
        by_text(&mut wanted);
        assert_eq!(imported, wanted);
    }
}

#[tokio::test]
async fn bad_lines_are_counted_and_told_and_harm_no_others() {
    let app = App::start().await;
    let csv = "address,channel,note\r\n+4520123456,sms,\n\nnobody,,\n+4520123457,fax,\n+4520123458\n\"a@b.dk\",,\"x\ny\"\n";
    let report = import(&app, "text/csv", csv).await.json();
    assert_eq!(report["lines"], 5);
    assert_eq!((&report["added"], &report["rejected"]), (&json!(2), &json!(3)));
    let told: Vec<_> = report["problems"].as_array().unwrap().iter().map(|one| one["line"].clone()).collect();
    assert_eq!(told, [json!(4), json!(5), json!(6)]);
    assert_eq!(report["problems"][0]["errors"][0]["pointer"], "/address");
    assert_eq!(report["problems"][1]["errors"][0]["pointer"], "/channel");
    let lines = "{\"prefix\":\"+46\"}\n{\"prefix\":\"+47\",\"colour\":1}\nno\n[]\n".to_owned();
    let report = import(&app, "application/x-ndjson", lines).await.json();
    assert_eq!((&report["lines"], &report["added"], &report["rejected"]), (&json!(4), &json!(1), &json!(3)));
    let many = "{}\n".repeat(250);
    let report = import(&app, "application/x-ndjson", many).await.json();
    assert_eq!((&report["rejected"], report["problems"].as_array().unwrap().len()), (&json!(250), 100));
}

#[tokio::test]
async fn thousands_of_lines_are_kept_and_listed() {
    let app = App::start().await;
    let mut csv = "address\n".to_owned();
    for number in 0..1_205 {
        csv.push_str(&format!("user{number}@example.com\n"));
    }
    let report = import(&app, "text/csv", csv).await.json();
    assert_eq!((&report["added"], &report["rejected"]), (&json!(1_205), &json!(0)));
    let export = app.get(LIVE, &format!("{PATH}/export")).await;
    assert_eq!(export.text.lines().count(), 1_206);
}

#[tokio::test]
async fn imports_that_cannot_be_read_at_all_are_refused() {
    let app = App::start().await;
    assert_eq!(import(&app, "application/json", "{}").await.code(), "unsupported_media_type");
    for header in ["phone\n+4520123456", "address,address\n", "note\nx\n"] {
        let answer = import(&app, "text/csv", header).await;
        assert_eq!((answer.status, answer.code()), (422, "schema_invalid".into()), "{header}");
    }
    let answer = app.get(LIVE, &format!("{PATH}/export?format=xml")).await;
    assert_eq!(answer.pointers(), ["format"]);
}

#[tokio::test]
async fn a_tenant_says_how_far_a_stop_reaches() {
    let app = App::start().await;
    let settings = format!("{PATH}/settings");
    assert_eq!(app.get(LIVE, &settings).await.json(), json!({ "opt_out_scope": "all" }));
    let put = |body: Value| Call::new("PUT", settings.clone()).key(LIVE).json(&body);
    assert_eq!(app.call(put(json!({ "opt_out_scope": "some" }))).await.pointers(), ["/opt_out_scope"]);
    let answer = app.call(put(json!({ "opt_out_scope": "sender" }))).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "opt_out_scope": "sender" })));
    assert_eq!(app.get(LIVE, &settings).await.json(), json!({ "opt_out_scope": "sender" }));
    assert_eq!(app.get(TEST, &settings).await.json(), json!({ "opt_out_scope": "all" }));
}
