//! Submissions to SES: request bytes and the outcome table.

use hermes_domain::{
    UnixMillis,
    address::{Destination, Email},
    content::{ChannelContent, EmailBody},
    outcome::{Acceptance, ErrorClass, Level, Outcome},
};
use hermes_ports::{
    adapter::{AdapterHost, ConnectionAccess, LookupQuery, SendCall},
    http::{AuthScheme, Method, RequestEffect},
};
use serde_json::{Value, json};

use crate::{
    specs,
    support::{Short, access, asked, begin, call, done, host, outcome, response},
};

fn connection(config: Value) -> ConnectionAccess {
    access("ses", config, &[("access_key_id", "AKIDEXAMPLE"), ("secret_access_key", "secret")])
}

fn plain() -> ConnectionAccess {
    connection(
        json!({ "region": "eu-west-1", "from": "Hermes <no-reply@example.com>", "configuration_set": "hermes" }),
    )
}

fn email(content: EmailBody) -> SendCall {
    call(Destination::Email(Email::parse("alice@example.net").unwrap()), ChannelContent::Email(content))
}

fn full() -> EmailBody {
    EmailBody {
        subject: Some("Your receipt €5".to_owned()),
        text: Some("Thank you.\n".to_owned()),
        html: Some("<p>Thank you.</p>".to_owned()),
        reply_to: Some("support@example.com".to_owned()),
        list_unsubscribe: Some("https://example.com/u/01JQZ8".to_owned()),
        attachments: Vec::new(),
    }
}

fn short() -> SendCall {
    email(EmailBody { subject: Some("s".to_owned()), text: Some("t".to_owned()), ..EmailBody::default() })
}

fn body(access: &ConnectionAccess, call: &SendCall) -> Value {
    serde_json::from_slice(&begin(access, call).0.body).unwrap()
}

#[test]
fn a_submission_is_the_documented_json() {
    let (request, pending) = begin(&plain(), &email(full()));
    assert_eq!(request.url, "https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails");
    assert_eq!(
        (request.method, request.effect, pending.submitted),
        (Method::Post, RequestEffect::Submits, true)
    );
    let auth = AuthScheme::AwsSigV4 {
        access_key_id: "access_key_id".to_owned(),
        secret_access_key: "secret_access_key".to_owned(),
        session_token: "session_token".to_owned(),
        region: "eu-west-1".to_owned(),
        service: "ses".to_owned(),
    };
    assert_eq!(request.auth, auth);
    let sent: Value = serde_json::from_slice(&request.body).unwrap();
    let utf8 = |text: &str| json!({ "Data": text, "Charset": "UTF-8" });
    let expected = json!({
        "FromEmailAddress": "Hermes <no-reply@example.com>",
        "Destination": { "ToAddresses": ["alice@example.net"] },
        "ReplyToAddresses": ["support@example.com"],
        "Content": { "Simple": {
            "Subject": utf8("Your receipt €5"),
            "Body": { "Text": utf8("Thank you.\n"), "Html": utf8("<p>Thank you.</p>") },
            "Headers": [
                { "Name": "List-Unsubscribe", "Value": "<https://example.com/u/01JQZ8>" },
                { "Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click" }
            ]
        } },
        "EmailTags": [
            { "Name": "hermes_ref", "Value": "msg_01KDYYXGFEMXQKR0ZC0000001A-1" },
            { "Name": "hermes_tag_0", "Value": "order" },
            { "Name": "hermes_tag_1", "Value": "ny-kunde" }
        ],
        "ConfigurationSetName": "hermes"
    });
    assert_eq!(sent, expected);
    specs::ses_send_email(&sent);
}

#[test]
fn senders_follow_call_and_connection() {
    let mut named = short();
    named.sender = Some("Bjørn Ærlig <no-reply@acme.example>".to_owned());
    let sent = body(&plain(), &named);
    assert_eq!(sent["FromEmailAddress"], "=?UTF-8?B?QmrDuHJuIMOGcmxpZw==?= <no-reply@acme.example>");
    specs::ses_send_email(&sent);
    let nobody = connection(json!({ "region": "eu-west-1" }));
    let refused = done(host().send(&nobody, &short()).unwrap());
    assert_eq!(Short::from(&refused), Short::Rejected(ErrorClass::SenderRejected));
    let nowhere = done(host().send(&connection(json!({ "from": "a@b.example" })), &short()).unwrap());
    assert_eq!(Short::from(&nowhere), Short::Rejected(ErrorClass::Auth));
    let mut header = full();
    header.list_unsubscribe = Some("https://a.example/\r\nBcc: x@y.example".to_owned());
    let refused = done(host().send(&plain(), &email(header)).unwrap());
    assert_eq!(Short::from(&refused), Short::Rejected(ErrorClass::ContentRejected));
}

#[test]
fn settings_of_a_connection_go_with_every_message() {
    let access = connection(json!({ "region": "eu-west-1", "from": "a@b.example", "tenant_name": "acme",
        "feedback_address": "bounces@b.example" }));
    let sent = body(&access, &short());
    assert_eq!(
        (&sent["TenantName"], &sent["FeedbackForwardingEmailAddress"]),
        (&json!("acme"), &json!("bounces@b.example"))
    );
    assert!(sent.get("ConfigurationSetName").is_none());
    specs::ses_send_email(&sent);
}

#[test]
fn base_url_replaces_the_host() {
    let access = connection(json!({ "from": "a@b.example", "base_url": "http://127.0.0.1:8090/ses/" }));
    assert_eq!(begin(&access, &short()).0.url, "http://127.0.0.1:8090/ses/v2/email/outbound-emails");
}

#[test]
fn a_message_id_is_an_acceptance() {
    let id = "0102018f3c0a1b2c-5d6e7f80-1234-4abc-9def-0123456789ab-000000";
    let accepted = outcome(&plain(), &short(), &response(200, &[], json!({ "MessageId": id }).to_string()));
    let expected = Acceptance { provider_message_id: Some(id.to_owned()), ..Acceptance::default() };
    assert_eq!(accepted, Outcome::Accepted(expected));
    let unreadable = outcome(&plain(), &short(), &response(200, &[], "{}"));
    assert_eq!(Short::from(&unreadable), Short::Unknown);
}

#[test]
fn every_code_of_the_table_has_its_outcome() {
    use ErrorClass::{Auth, ContentRejected, RecipientPermanent, SenderRejected, Unknown};
    let rejected = Short::Rejected;
    let unverified =
        "Email address is not verified. The following identities failed the check in region EU-WEST-1: ";
    let table = [
        (400, "MessageRejected", format!("{unverified}no-reply@example.com"), rejected(SenderRejected)),
        (400, "MessageRejected", format!("{unverified}Alice@example.net"), rejected(Auth)),
        (400, "MessageRejected", "Bad content".to_owned(), rejected(ContentRejected)),
        (400, "MailFromDomainNotVerifiedException", String::new(), rejected(SenderRejected)),
        (400, "AccountSuspendedException", String::new(), rejected(Auth)),
        (400, "SendingPausedException", String::new(), rejected(Auth)),
        (400, "LimitExceededException", String::new(), Short::Throttled(None)),
        (
            429,
            "TooManyRequestsException",
            "Maximum sending rate exceeded.".to_owned(),
            Short::Throttled(None),
        ),
        (400, "Throttling", "Maximum sending rate exceeded.".to_owned(), Short::Throttled(None)),
        (
            429,
            "ThrottlingException",
            "Daily message quota exceeded.".to_owned(),
            Short::Throttled(Some(3_600_000)),
        ),
        (404, "NotFoundException", "Configuration set <x> does not exist.".to_owned(), rejected(Auth)),
        (
            400,
            "BadRequestException",
            "Local address contains control or whitespace".to_owned(),
            rejected(RecipientPermanent),
        ),
        (400, "BadRequestException", "Missing final '@domain'".to_owned(), rejected(RecipientPermanent)),
        (
            400,
            "BadRequestException",
            "From address: missing final '@domain'".to_owned(),
            rejected(SenderRejected),
        ),
        (400, "BadRequestException", "Duplicate header 'Subject'.".to_owned(), rejected(ContentRejected)),
        (400, "BadRequestException", "Something else".to_owned(), rejected(Unknown)),
        (403, "SignatureDoesNotMatch", "Signature expired".to_owned(), rejected(Auth)),
        (403, "InvalidClientTokenId", String::new(), rejected(Auth)),
        (403, "AccessDeniedException", String::new(), rejected(Auth)),
        (400, "OptInRequired", String::new(), rejected(Auth)),
        (413, "RequestEntityTooLargeException", String::new(), rejected(ContentRejected)),
        (500, "InternalFailure", String::new(), Short::ServerError),
        (503, "ServiceUnavailable", String::new(), Short::NotSent),
        (400, "BrandNewException", String::new(), rejected(Unknown)),
        (502, "BrandNewException", String::new(), Short::ServerError),
    ];
    for (status, code, message, expected) in table {
        let body = json!({ "message": message }).to_string();
        let dressed = format!("com.amazonaws.sesv2#{code}:http://internal.amazon.com/coral/");
        for (headers, body) in [
            (vec![("x-amzn-errortype", code)], body.clone()),
            (vec![("x-amzn-errortype", dressed.as_str())], body),
            (vec![], json!({ "__type": code, "message": message }).to_string()),
        ] {
            let outcome = outcome(&plain(), &short(), &response(status, &headers, body));
            assert_eq!(Short::from(&outcome), expected, "{status} {code} {message}");
            let shown = format!("{outcome:?}");
            assert!(!shown.contains("alice") && !shown.contains("no-reply"), "{code} shows an address");
        }
    }
    for (status, expected) in [
        (418, rejected(Unknown)),
        (403, rejected(Auth)),
        (413, rejected(ContentRejected)),
        (503, Short::ServerError),
    ] {
        let outcome = outcome(&plain(), &short(), &response(status, &[], "<html>"));
        assert_eq!(Short::from(&outcome), expected, "{status}");
    }
}

#[test]
fn a_check_reads_the_account() {
    let (request, pending) = asked(host().check(&plain()).unwrap());
    assert_eq!((request.method, request.effect), (Method::Get, RequestEffect::Safe));
    assert_eq!(request.url, "https://email.eu-west-1.amazonaws.com/v2/email/account");
    for (status, body, expected) in [
        (200, r#"{"SendingEnabled":true,"EnforcementStatus":"HEALTHY"}"#, Short::Accepted),
        (200, r#"{"SendingEnabled":false}"#, Short::Rejected(ErrorClass::Auth)),
        (200, r#"{"SendingEnabled":true,"EnforcementStatus":"SHUTDOWN"}"#, Short::Rejected(ErrorClass::Auth)),
        (403, r#"{"__type":"InvalidClientTokenId"}"#, Short::Rejected(ErrorClass::Auth)),
    ] {
        let answer =
            done(host().resume_send(&plain(), pending.clone(), &response(status, &[], body)).unwrap());
        assert_eq!(Short::from(&answer), expected, "{body}");
    }
}

#[test]
fn insights_tell_how_far_a_message_got() {
    let id = "0102018f00000000-11111111-2222-3333-4444-555555555555-000000";
    let query = |id: Option<&str>| LookupQuery {
        call: short(),
        provider_message_id: id.map(str::to_owned),
        submitted_at: UnixMillis(1_767_323_045_678),
    };
    assert!(host().lookup(&plain(), &query(None)).unwrap().is_none(), "there is no search by tag");
    let (request, pending) = asked(host().lookup(&plain(), &query(Some(id))).unwrap().unwrap());
    assert_eq!(request.url, format!("https://email.eu-west-1.amazonaws.com/v2/email/insights/{id}/"));
    assert_eq!((request.method, request.effect), (Method::Get, RequestEffect::Safe));
    let answered = |status: u16, body: Value| {
        done(host().resume_send(&plain(), pending.clone(), &response(status, &[], body.to_string())).unwrap())
    };
    let told = |events: Value| {
        let insights = json!([{ "Destination": "alice@example.net", "Isp": "x", "Events": events }]);
        answered(200, json!({ "MessageId": id, "Insights": insights }))
    };
    let event = |kind: &str, details: Value| json!({ "Timestamp": 1_767_323_047.0, "Type": kind, "Details": details });
    let level = |outcome: Outcome| match outcome {
        Outcome::Accepted(told) => {
            assert_eq!(told.provider_message_id.as_deref(), Some(id));
            told.level
        }
        other => panic!("{other:?}"),
    };
    let (send, delivery) = (event("SEND", json!({})), event("DELIVERY", json!({})));
    assert_eq!(level(told(json!([send]))), Some(Level::Sent));
    assert_eq!(level(told(json!([send, event("DELIVERY_DELAY", json!({}))]))), Some(Level::Sent));
    assert_eq!(level(told(json!([delivery, send]))), Some(Level::Delivered));
    let bounce = |kind: &str, subtype: &str| {
        let told = told(json!([
            send,
            event("BOUNCE", json!({ "Bounce": { "BounceType": kind, "BounceSubType": subtype } }))
        ]));
        Short::from(&told)
    };
    assert_eq!(bounce("PERMANENT", "NoEmail"), Short::Rejected(ErrorClass::RecipientPermanent));
    assert_eq!(bounce("PERMANENT", "OnAccountSuppressionList"), Short::Rejected(ErrorClass::OptedOut));
    assert_eq!(bounce("TRANSIENT", "MailboxFull"), Short::Rejected(ErrorClass::RecipientTemporary));
    assert_eq!(bounce("TRANSIENT", "ContentRejected"), Short::Rejected(ErrorClass::ContentRejected));
    assert_eq!(bounce("UNDETERMINED", "Undetermined"), Short::Rejected(ErrorClass::Unknown));
    let suppressed =
        event("COMPLAINT", json!({ "Complaint": { "ComplaintSubType": "OnAccountSuppressionList" } }));
    assert_eq!(Short::from(&told(json!([suppressed]))), Short::Rejected(ErrorClass::OptedOut));
    assert_eq!(
        Short::from(&told(json!([event("REJECT", json!({}))]))),
        Short::Rejected(ErrorClass::ContentRejected)
    );
    assert_eq!(Short::from(&told(json!([]))), Short::Unknown);
    // An account without insights says 404 of every message: that proves nothing.
    assert_eq!(Short::from(&answered(404, json!({ "message": "not found" }))), Short::Unknown);
    assert_eq!(Short::from(&answered(403, json!({}))), Short::Unknown);
    assert!(matches!(answered(429, json!({})), Outcome::Throttled { .. }));
}
