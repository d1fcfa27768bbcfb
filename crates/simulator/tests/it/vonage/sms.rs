//! The SMS API.

use hermes_simulator::{Accounts, VonageAccount, VonageReportMethod, VonageSignatureMethod, demo};
use reqwest::Method;
use serde_json::json;

use super::{first, form, form_request, raw_form, specs, texts, verified};
use crate::{
    receiver::Receiver,
    sim::{Sim, answer},
};

const GOOD: [(&str, &str); 3] = [("from", "AcmeInc"), ("to", "4520123456"), ("text", "Hello")];

/// The demo account, changed.
async fn start_with(change: impl FnOnce(&mut VonageAccount)) -> Sim {
    let mut account = demo::vonage();
    change(&mut account);
    Sim::start_with(|options| options.accounts = Accounts { vonage: vec![account], ..Accounts::default() })
        .await
}

#[tokio::test]
async fn every_part_has_an_id_and_a_report() {
    let sim = Sim::start().await;
    let mut receiver = Receiver::start().await;
    let (text, callback) = ("x".repeat(307), receiver.url("/r"));
    let fields =
        [("text", &*text), ("callback", &callback), ("client-ref", "msg_1.1"), ("account-ref", "a1")];
    let sent = form(&sim, &[&GOOD[..2], &fields].concat()).await;
    let body = sent.json();
    specs::sms_accepted(&body);
    assert_eq!((sent.status.as_u16(), &body["message-count"]), (200, &"3".into()));
    let messages = body["messages"].as_array().unwrap();
    let ids: Vec<_> = messages.iter().map(|part| part["message-id"].as_str().unwrap().to_owned()).collect();
    for (part, balance) in messages.iter().zip(["37.40233628", "37.36903628", "37.33573628"]) {
        assert_eq!((&part["status"], &part["to"]), (&"0".into(), &"4520123456".into()));
        assert_eq!((&part["client-ref"], &part["account-ref"]), (&"msg_1.1".into(), &"a1".into()));
        assert_eq!(
            (&part["remaining-balance"], &part["message-price"]),
            (&balance.into(), &"0.03330000".into())
        );
    }
    for id in ids {
        let received = receiver.next().await;
        assert_eq!((&received.method, received.header("content-type")), (&Method::POST, "application/json"));
        specs::sms_report(&received.json());
        let report = verified(texts(&received.json()));
        assert_eq!(
            (&*report["messageId"], &*report["status"], &*report["err-code"]),
            (&*id, "delivered", "0")
        );
        assert_eq!(
            (&*report["msisdn"], &*report["to"], &*report["client-ref"]),
            ("4520123456", "AcmeInc", "msg_1.1")
        );
        assert_eq!((report["scts"].len(), report["message-timestamp"].len()), (10, 19));
        assert_eq!((&*report["api-key"], &*report["network-code"]), ("abcd1234", "23410"));
    }
    let requests = sim.get("/sim/requests").await.json();
    assert_eq!(requests["counts"], json!({ "msg_1.1": 1 }), "one request, whatever its parts");
    assert_eq!(requests["data"][0]["provider"], "vonage");
}

#[tokio::test]
async fn parts_follow_the_type() {
    let sim = Sim::start().await;
    let (plain, wide) = ("x".repeat(160), "ш".repeat(70));
    for (text, kind, parts) in [
        (plain.clone(), "text", "1"),
        (format!("{plain}x"), "text", "2"),
        (wide.clone(), "unicode", "1"),
        (format!("{wide}ш"), "unicode", "2"),
        (plain, "unicode", "3"),
    ] {
        let sent = form(&sim, &[&GOOD[..2], &[("text", &*text), ("type", kind)]].concat()).await;
        assert_eq!(sent.json()["message-count"], parts, "{} characters of {kind}", text.chars().count());
    }
}

#[tokio::test]
async fn refusals_are_answered_with_200_and_logged() {
    let sim = Sim::start().await;
    let account = demo::vonage();
    let key = ("api_key", &*account.api_key);
    let secret = ("api_secret", &*account.api_secret);
    let good = &GOOD[..];
    for (request, status, text) in [
        (raw_form(&sim, good), "2", "Missing api_key param"),
        (raw_form(&sim, &[good, &[key]].concat()), "2", "Missing api_secret param"),
        (raw_form(&sim, &[good, &[key, ("api_secret", "wrong")]].concat()), "4", "Bad Credentials"),
        (raw_form(&sim, good).basic_auth(&account.api_key, Some("wrong")), "4", "Bad Credentials"),
        (
            raw_form(&sim, &[good, &[key, ("sig", "00"), ("timestamp", "1")]].concat()),
            "14",
            "Invalid Signature",
        ),
        (
            raw_form(&sim, &[good, &[key, secret, ("sig", "00")]].concat()),
            "32",
            "Both a signature and an API secret were given; use one of them",
        ),
        (form_request(&sim, &GOOD[1..]), "2", "Missing from param"),
        (form_request(&sim, &[good, &[("to", "+4520123456")]].concat()), "3", "Invalid value for param: to"),
        (
            form_request(&sim, &[good, &[("from", "waytoolongsender")]].concat()),
            "15",
            "Illegal Sender Address - rejected",
        ),
        (form_request(&sim, &[good, &[("callback", "x")]].concat()), "23", "Invalid Callback URL"),
        (
            sim.request(Method::POST, "/sms/json")
                .header("content-type", "application/json")
                .body(json!({ "api_key": key.1, "api_secret": secret.1 }).to_string()),
            "2",
            "Missing api_key param",
        ),
    ] {
        let refused = answer(request).await;
        specs::sms_refused(&refused.json());
        assert_eq!(refused.status, 200, "{text}");
        assert_eq!(first(&refused), (status.into(), text.into()));
    }
    let requests = sim.get("/sim/requests").await.json();
    assert_eq!(requests["totals"], json!({ "received": 11, "processed": 0 }));
    let outcomes: Vec<_> =
        requests["data"].as_array().unwrap().iter().map(|entry| &entry["outcome"]).collect();
    assert!(outcomes.iter().all(|outcome| *outcome == "refused"), "{outcomes:?}");
}

#[tokio::test]
async fn what_never_reaches_the_api_is_answered_in_html() {
    let sim = Sim::start().await;
    for (request, status) in [
        (sim.request(Method::GET, "/sms/json"), 405),
        (sim.request(Method::POST, "/sms/xml"), 404),
        (sim.request(Method::POST, "/v2/reports"), 404),
        (sim.request(Method::GET, "/v1/messages"), 405),
        (sim.request(Method::POST, "/v1/messages/1"), 404),
        (sim.request(Method::POST, "/sms/json").body("x".repeat(65 * 1024)), 413),
    ] {
        let refused = answer(request).await;
        assert_eq!((refused.status.as_u16(), refused.header("content-type")), (status, "text/html"));
    }
}

#[tokio::test]
async fn basic_and_a_signature_log_in_too() {
    let sim = Sim::start().await;
    let account = demo::vonage();
    let basic = answer(raw_form(&sim, &GOOD).basic_auth(&account.api_key, Some(&account.api_secret))).await;
    assert_eq!(first(&basic).0, "0");

    let timestamp = super::now_s().to_string();
    let text: String = [
        ("api_key", "abcd1234"),
        ("from", "AcmeInc"),
        ("text", "a_b_c"),
        ("timestamp", &timestamp),
        ("to", "4520123456"),
    ]
    .iter()
    .map(|(name, value)| format!("&{name}={value}"))
    .collect();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, account.signature_secret.as_bytes());
    let sig = hex::encode(ring::hmac::sign(&key, text.as_bytes()));
    let login = [("api_key", "abcd1234"), ("timestamp", &timestamp), ("sig", &sig)];
    let signed = answer(raw_form(&sim, &[&GOOD[..2], &[("text", "a=b&c")], &login].concat())).await;
    assert_eq!(first(&signed), ("0".into(), String::new()));
    let changed = answer(raw_form(&sim, &[&GOOD[..2], &[("text", "a=b&d")], &login].concat())).await;
    assert_eq!(first(&changed).0, "14");
}

#[tokio::test]
async fn reports_come_the_way_the_account_asks() {
    let mut receiver = Receiver::start().await;
    let url = receiver.url("/r?ref=msg_1.1&x=a+b");
    let fields = [&GOOD[..], &[("callback", &*url)]].concat();

    let sim = start_with(|account| account.report_method = VonageReportMethod::Post).await;
    form(&sim, &fields).await;
    let posted = receiver.next().await;
    assert_eq!(
        (&posted.method, posted.header("content-type")),
        (&Method::POST, "application/x-www-form-urlencoded")
    );
    assert_eq!(posted.uri.query(), Some("ref=msg_1.1&x=a+b"));
    assert_eq!(verified(posted.form())["status"], "delivered");

    let sim = start_with(|account| account.report_method = VonageReportMethod::Get).await;
    form(&sim, &fields).await;
    let got = receiver.next().await;
    assert_eq!((&got.method, got.uri.path(), got.body.len()), (&Method::GET, "/r", 0));
    let query = got.uri.query().unwrap().strip_prefix("ref=msg_1.1&x=a+b&").unwrap();
    let parameters = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    assert_eq!(verified(parameters)["status"], "delivered");
    let counted = sim.get("/sim/requests").await.json();
    assert_eq!(counted["counts"], json!({ "msg_1.1": 1 }), "the reference is in the callback");
}

#[tokio::test]
async fn reports_go_to_the_message_or_the_account_and_are_unsigned_by_default() {
    let mut receiver = Receiver::start().await;
    let urls = [receiver.url("/account"), receiver.url("/inbound"), receiver.url("/own?ref=msg_1.1")];
    let sim = start_with(|account| {
        account.signature_method = None;
        account.report_url = Some(urls[0].parse().unwrap());
        account.inbound_url = Some(urls[1].parse().unwrap());
    })
    .await;
    form(&sim, &GOOD).await;
    let report = receiver.next().await;
    assert_eq!(report.uri.to_string(), "/account");
    let names: Vec<_> = texts(&report.json()).into_keys().collect();
    assert!(
        ["sig", "nonce", "timestamp"].iter().all(|name| !names.iter().any(|other| other == name)),
        "{names:?}"
    );

    form(&sim, &[&GOOD[..], &[("callback", &*urls[2])]].concat()).await;
    assert_eq!(receiver.next().await.uri.to_string(), "/own?ref=msg_1.1");

    form(&sim, &[&GOOD[..], &[("status-report-req", "false"), ("to", "4520129912")]].concat()).await;
    let stop = receiver.next().await;
    assert_eq!(stop.uri.to_string(), "/inbound", "no report was wanted");
    specs::sms_inbound(&stop.json());
    sim.no_receipt_waits().await;
}

#[tokio::test]
async fn accounts_are_added_with_every_setting() {
    let sim = Sim::start().await;
    let account = json!({
        "api_key": "other000", "api_secret": "secret", "signature_secret": "s",
        "signature_method": "md5_hash", "report_method": "get", "senders": ["AcmeInc"],
        "report_url": "http://127.0.0.1:9/r", "inbound_url": "http://127.0.0.1:9/i",
        "application": { "id": "other", "key": demo::VONAGE_PRIVATE_KEY, "status_url": "http://127.0.0.1:9/s",
            "inbound_url": "http://127.0.0.1:9/i" },
    });
    let added = sim.post("/sim/accounts", json!({ "vonage": [account] })).await;
    assert_eq!(added.status, 204, "{}", added.body);
    let login = [("api_key", "other000"), ("api_secret", "secret"), ("to", "4520129902")];
    assert_eq!(first(&answer(raw_form(&sim, &[&GOOD[..], &login].concat())).await).0, "0");
    let other_sender = [&GOOD[..], &login, &[("from", "Other")]].concat();
    assert_eq!(first(&answer(raw_form(&sim, &other_sender)).await).0, "15");

    for (member, value) in [
        ("report_method", json!("put")),
        ("signature_method", json!("md4")),
        ("unknown", json!(1)),
        ("application", json!({ "id": "x", "key": "no key" })),
    ] {
        let mut bad = account.clone();
        bad[member] = value;
        assert_eq!(sim.post("/sim/accounts", json!({ "vonage": [bad] })).await.status, 422, "{member}");
    }
    let debug = format!("{:?}", demo::accounts());
    assert!(!debug.contains("SIGNATURE_SECRET") && !debug.contains("abcdef0123456789"), "{debug}");
    assert_eq!(demo::vonage().signature_method, Some(VonageSignatureMethod::Sha256Hmac));
}
