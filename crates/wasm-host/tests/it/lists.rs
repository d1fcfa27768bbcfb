//! Suppression lists of providers: the requests that adapters make of them, and how they read the answers.

use hermes_domain::{
    outcome::ErrorClass,
    suppression::SuppressionReason::{self, Complaint, HardBounce, Manual, OptOut},
};
use hermes_ports::{
    adapter::{AdapterHost, ConnectionAccess, ListAnswer, ListEntry, ListOperation, ListPage, Pending},
    http::{AuthScheme, HttpRequest, HttpResponse, Method, RequestEffect},
};
use serde_json::{Value, json};

use crate::{
    specs,
    support::{access, asked, done, host, response},
};

fn messente() -> ConnectionAccess {
    access("messente", json!({}), &[("username", "api-user"), ("password", "secret")])
}

fn ses(config: Value) -> ConnectionAccess {
    access("ses", config, &[("access_key_id", "AKIDEXAMPLE"), ("secret_access_key", "secret")])
}

fn in_ireland() -> ConnectionAccess {
    ses(json!({ "region": "eu-west-1" }))
}

fn add(address: &str, reason: SuppressionReason) -> ListOperation {
    ListOperation::Add { address: address.to_owned(), reason }
}

fn remove(address: &str) -> ListOperation {
    ListOperation::Remove { address: address.to_owned() }
}

fn page(cursor: Option<&str>) -> ListOperation {
    ListOperation::Page { cursor: cursor.map(str::to_owned) }
}

fn begun(access: &ConnectionAccess, operation: &ListOperation) -> (HttpRequest, Pending) {
    let step = host().suppression_list(access, operation).unwrap().expect("the provider has a list");
    let (request, pending) = asked(step);
    assert_eq!((request.effect, pending.submitted), (RequestEffect::Safe, false));
    (request, pending)
}

fn answer(access: &ConnectionAccess, operation: &ListOperation, answer: &HttpResponse) -> ListAnswer {
    let (_, pending) = begun(access, operation);
    done(host().resume_suppression_list(access, pending, answer).unwrap())
}

/// An answer in short: its kind and class.
fn short(answer: ListAnswer) -> (&'static str, Option<ErrorClass>) {
    match answer {
        ListAnswer::Done => ("done", None),
        ListAnswer::Page(_) => ("page", None),
        ListAnswer::Refused(failure) => ("refused", Some(failure.class)),
        ListAnswer::Throttled { failure, .. } => ("throttled", Some(failure.class)),
        ListAnswer::Failed(failure) => ("failed", Some(failure.class)),
    }
}

fn read(access: &ConnectionAccess, cursor: Option<&str>, body: &Value) -> ListPage {
    match answer(access, &page(cursor), &response(200, &[], body.to_string())) {
        ListAnswer::Page(page) => page,
        other => panic!("{other:?}"),
    }
}

fn entry(address: &str, reason: Option<SuppressionReason>) -> ListEntry {
    ListEntry { address: address.to_owned(), reason }
}

#[test]
fn only_messente_and_ses_have_a_list() {
    for (provider, has) in [
        ("messente", true),
        ("ses", true),
        ("twilio", false),
        ("vonage", false),
        ("whatsapp", false),
        ("fcm", false),
    ] {
        let descriptor = host().descriptor(provider).unwrap();
        assert_eq!(descriptor.suppression_list, has.then(|| descriptor.channels[0]), "{provider}");
        if !has {
            let asked = host().suppression_list(&access(provider, json!({}), &[]), &page(None)).unwrap();
            assert!(asked.is_none(), "{provider}");
        }
    }
}

#[test]
fn messentes_blacklist_is_asked_as_documented() {
    let (added, _) = begun(&messente(), &add("+37251000000", OptOut));
    assert_eq!(
        (added.method, &*added.url),
        (Method::Post, "https://api.messente.com/v1/phonebook/blacklist")
    );
    let body: Value = serde_json::from_slice(&added.body).unwrap();
    specs::messente_blacklisting(&body);
    assert_eq!(body, json!({ "phoneNumber": "+37251000000" }));
    let login = AuthScheme::Basic { user: "username".to_owned(), password: "password".to_owned() };
    assert_eq!(added.auth, login);
    let (removed, _) = begun(&messente(), &remove("+37251000000"));
    let url = "https://api.messente.com/v1/phonebook/blacklist/%2B37251000000";
    assert_eq!((removed.method, &*removed.url, removed.body.len()), (Method::Delete, url, 0));
    let (listed, _) = begun(&messente(), &page(None));
    assert_eq!(
        (listed.method, &*listed.url),
        (Method::Get, "https://api.messente.com/v1/phonebook/blacklist")
    );
}

#[test]
fn messentes_answers_say_what_became_of_it() {
    use ErrorClass::{Auth, ProviderFault, ProviderThrottled, RecipientPermanent, Unknown};
    let error = |code: &str| json!({ "errors": [{ "code": code, "title": "t", "detail": "+37251000000" }] });
    for (operation, status, body, expected) in [
        (add("+37251000000", OptOut), 204, Value::Null, ("done", None)),
        (add("+37251000000", OptOut), 409, error("204"), ("done", None)),
        (add("+37251000000", OptOut), 400, error("201"), ("refused", Some(RecipientPermanent))),
        (add("+37251000000", OptOut), 401, error("202"), ("refused", Some(Auth))),
        (add("+37251000000", OptOut), 404, error("203"), ("refused", Some(Unknown))),
        (add("+37251000000", OptOut), 429, Value::Null, ("throttled", Some(ProviderThrottled))),
        (add("+37251000000", OptOut), 500, error("205"), ("failed", Some(ProviderFault))),
        (remove("+37251000000"), 204, Value::Null, ("done", None)),
        (remove("+37251000000"), 404, error("203"), ("done", None)),
        (remove("+37251000000"), 409, error("204"), ("refused", Some(Unknown))),
        (page(None), 200, json!({}), ("failed", Some(Unknown))),
        (page(None), 503, Value::Null, ("failed", Some(ProviderFault))),
    ] {
        let answer = answer(&messente(), &operation, &response(status, &[], body.to_string()));
        assert!(!format!("{answer:?}").contains("3725"), "{body} shows an address");
        assert_eq!(short(answer), expected, "{operation:?} {status}");
    }
}

#[test]
fn messentes_list_comes_whole_and_is_cut_into_pages_in_order() {
    let found = read(&messente(), None, &json!({ "phoneNumbers": ["+2", "+1", "+2"] }));
    let both = vec![entry("+1", None), entry("+2", None)];
    assert_eq!(found, ListPage { entries: both, cursor: None, more: false });
    let numbers: Vec<_> = (0..10_001).rev().map(|number| format!("+{number:05}")).collect();
    let all = json!({ "phoneNumbers": numbers });
    let first = read(&messente(), None, &all);
    assert_eq!((first.entries.len(), first.cursor.as_deref(), first.more), (10_000, Some("+09999"), true));
    let rest = read(&messente(), first.cursor.as_deref(), &all);
    let last = vec![entry("+10000", None)];
    assert_eq!(rest, ListPage { entries: last, cursor: None, more: false });
}

#[test]
fn the_list_of_ses_is_asked_as_documented() {
    let (added, _) = begun(&in_ireland(), &add("alice+tag@example.net", HardBounce));
    let base = "https://email.eu-west-1.amazonaws.com/v2/email/suppression/addresses";
    assert_eq!((added.method, &*added.url), (Method::Put, base));
    let body: Value = serde_json::from_slice(&added.body).unwrap();
    specs::ses_put_suppressed(&body);
    assert_eq!(body, json!({ "EmailAddress": "alice+tag@example.net", "Reason": "BOUNCE" }));
    for reason in [OptOut, Complaint, Manual] {
        let (added, _) = begun(&in_ireland(), &add("a@example.net", reason));
        let body: Value = serde_json::from_slice(&added.body).unwrap();
        assert_eq!(body["Reason"], "COMPLAINT", "{reason:?}");
    }
    // The path of the signature vector whose address is encoded twice.
    let (removed, _) = begun(&in_ireland(), &remove("alice+tag@example.net"));
    let url = format!("{base}/alice%2Btag%40example.net");
    assert_eq!((removed.method, &removed.url), (Method::Delete, &url));
    let AuthScheme::AwsSigV4 { region, service, .. } = &removed.auth else { panic!() };
    assert_eq!((region.as_str(), service.as_str()), ("eu-west-1", "ses"));
    let (listed, _) = begun(&in_ireland(), &page(None));
    assert_eq!((listed.method, listed.url), (Method::Get, format!("{base}?PageSize=1000")));
}

#[test]
fn an_ses_tenant_has_a_list_of_its_own() {
    let connection = ses(json!({ "region": "eu-west-1", "tenant_name": "acme 1" }));
    let (added, _) = begun(&connection, &add("a@example.net", OptOut));
    let body: Value = serde_json::from_slice(&added.body).unwrap();
    specs::ses_put_suppressed(&body);
    assert_eq!(body["TenantName"], "acme 1");
    for operation in [remove("a@example.net"), page(None)] {
        assert!(begun(&connection, &operation).0.url.ends_with("TenantName=acme%201"), "{operation:?}");
    }
}

#[test]
fn answers_of_ses_say_what_became_of_it() {
    use ErrorClass::{Auth, ProviderFault, ProviderThrottled};
    for (operation, status, code, expected) in [
        (add("a@example.net", OptOut), 200, "", ("done", None)),
        (remove("a@example.net"), 200, "", ("done", None)),
        (remove("a@example.net"), 404, "NotFoundException", ("done", None)),
        (add("a@example.net", OptOut), 404, "NotFoundException", ("refused", Some(Auth))),
        (add("a@example.net", OptOut), 403, "SignatureDoesNotMatch", ("refused", Some(Auth))),
        (page(None), 429, "TooManyRequestsException", ("throttled", Some(ProviderThrottled))),
        (page(None), 500, "InternalFailure", ("failed", Some(ProviderFault))),
        (page(None), 400, "InvalidNextTokenException", ("page", None)),
    ] {
        let response = response(status, &[("x-amzn-errortype", code)], "{}");
        assert_eq!(
            short(answer(&in_ireland(), &operation, &response)),
            expected,
            "{operation:?} {status} {code}"
        );
    }
}

#[test]
fn the_list_of_ses_is_read_page_by_page_and_then_from_the_newest_entry_on() {
    let summary = |address: &str, reason: &str, at: f64| json!({ "EmailAddress": address, "Reason": reason, "LastUpdateTime": at });
    let first = read(
        &in_ireland(),
        None,
        &json!({
            "SuppressedDestinationSummaries": [
                summary("a@example.net", "BOUNCE", 1_767_323_045.123),
                summary("b@example.net", "COMPLAINT", 1_767_000_000.0),
                summary("c@example.net", "NEWER_REASON", 1_767_000_000.0),
            ],
            "NextToken": "a/b+c==",
        }),
    );
    let expected = [
        entry("a@example.net", Some(HardBounce)),
        entry("b@example.net", Some(Complaint)),
        entry("c@example.net", None),
    ];
    assert_eq!((first.entries.as_slice(), first.more), (expected.as_slice(), true));
    let url = |cursor: &Option<String>| begun(&in_ireland(), &page(cursor.as_deref())).0.url;
    assert!(
        url(&first.cursor).ends_with("?NextToken=a%2Fb%2Bc%3D%3D&PageSize=1000"),
        "{}",
        url(&first.cursor)
    );

    let last = read(&in_ireland(), first.cursor.as_deref(), &json!({ "SuppressedDestinationSummaries": [] }));
    assert_eq!((last.entries.len(), last.more), (0, false));
    // Five minutes before the newest entry: others may have shown late.
    assert!(
        url(&last.cursor).ends_with("?PageSize=1000&StartDate=2026-01-02T02%3A59%3A05Z"),
        "{}",
        url(&last.cursor)
    );

    // A token that has expired begins the reading again, from where the one before ended.
    let expired = response(400, &[("x-amzn-errortype", "InvalidNextTokenException")], "{}");
    let ListAnswer::Page(again) = answer(&in_ireland(), &page(first.cursor.as_deref()), &expired) else {
        panic!()
    };
    assert_eq!((again.entries.len(), again.more), (0, true));
    assert!(url(&again.cursor).ends_with("?PageSize=1000"), "{}", url(&again.cursor));
}
