//! Submissions to SES: request bytes and the outcome table.

use hermes_domain::{
    address::{Destination, Email},
    content::{Attachment, ChannelContent, EmailBody},
    outcome::{Acceptance, ErrorClass, Outcome},
};
use hermes_ports::{
    adapter::{AdapterFault, AdapterHost, ConnectionAccess, SendCall},
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
        attachments: vec![
            Attachment {
                filename: "a.pdf".to_owned(),
                content_type: "application/pdf".to_owned(),
                content_base64: "JVBERi0=".to_owned(),
                content_id: None,
            },
            Attachment {
                filename: "logo.png".to_owned(),
                content_type: "image/png".to_owned(),
                content_base64: "iVBORw0=".to_owned(),
                content_id: Some("logo".to_owned()),
            },
        ],
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
    let attachment = |name: &str, kind: &str, raw: &str, disposition: &str| {
        json!({ "FileName": name, "ContentType": kind, "RawContent": raw, "ContentDisposition": disposition,
            "ContentTransferEncoding": "BASE64" })
    };
    let mut inline = attachment("logo.png", "image/png", "iVBORw0=", "INLINE");
    inline["ContentId"] = "logo".into();
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
            ],
            "Attachments": [attachment("a.pdf", "application/pdf", "JVBERi0=", "ATTACHMENT"), inline]
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
fn a_large_attachment_fits_and_one_beyond_memory_is_a_fault() {
    let attached = |mebibytes: usize| {
        let file = Attachment {
            filename: "a.bin".to_owned(),
            content_type: "application/octet-stream".to_owned(),
            content_base64: "QUJD".repeat(mebibytes << 18),
            content_id: None,
        };
        email(EmailBody {
            text: Some("see file".to_owned()),
            attachments: vec![file],
            ..EmailBody::default()
        })
    };
    for mebibytes in [1, 5, 7] {
        let (request, _) = begin(&plain(), &attached(mebibytes));
        assert!(request.body.len() > mebibytes << 20, "{mebibytes}");
    }
    let fault = host().send(&plain(), &attached(12)).unwrap_err();
    assert!(matches!(fault, AdapterFault::MemoryLimit { .. }), "{fault:?}");
    assert!(host().send(&plain(), &short()).is_ok());
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
        (403, r#"{"__type":"InvalidClientTokenId"}"#, Short::Rejected(ErrorClass::Auth)),
    ] {
        let answer =
            done(host().resume_send(&plain(), pending.clone(), &response(status, &[], body)).unwrap());
        assert_eq!(Short::from(&answer), expected, "{body}");
    }
}
