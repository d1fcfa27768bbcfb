//! Keys, headers, sizes, paths and parameters.

use hermes_testkit::{connection, tenant};
use serde_json::{Value, json};

use super::{
    Case, HEADER, MALFORMED, NOT_FOUND, PARAMETER, SCHEMA, UNAUTHENTICATED, case, get, message, raw,
};
use crate::{
    app::{ADMIN, LIVE, OTHER, sms, with},
    client::Call,
};

pub(super) fn wrong_keys() -> Vec<Case> {
    vec![
        case("no key", Call::new("POST", "/v1/messages").json(&sms()), UNAUTHENTICATED, &["Authorization"]),
        case(
            "unknown key",
            Call::new("POST", "/v1/messages").key("hk_live_no").json(&sms()),
            UNAUTHENTICATED,
            &["Authorization"],
        ),
        case(
            "basic auth",
            get("/v1/status").header("authorization", "Basic eDp5").drop_first(),
            UNAUTHENTICATED,
            &["Authorization"],
        ),
        case(
            "key of absurd length",
            Call::new("GET", "/v1/status").key(&"k".repeat(5_000)),
            UNAUTHENTICATED,
            &["Authorization"],
        ),
        case("operator as tenant", Call::new("GET", "/v1/status").key(ADMIN), (403, "forbidden"), &[]),
        case("tenant as operator", Call::new("GET", "/admin/v1/tenants").key(LIVE), (403, "forbidden"), &[]),
    ]
}

pub(super) fn wrong_bodies() -> Vec<Case> {
    let plain = |content_type: &str| {
        Call::new("POST", "/v1/messages")
            .key(LIVE)
            .header("content-type", content_type)
            .bytes(sms().to_string())
    };
    let chunked = |body: &str| raw(body).header("transfer-encoding", "chunked");
    let media = (415, "unsupported_media_type");
    vec![
        case(
            "no content type",
            Call::new("POST", "/v1/messages").key(LIVE).bytes(sms().to_string()),
            media,
            &[],
        ),
        case("form", plain("application/x-www-form-urlencoded"), media, &[]),
        case("other charset", plain("application/json; charset=latin1"), media, &[]),
        case("compressed", plain("application/json").header("content-encoding", "gzip"), media, &[]),
        case("chunks that are none", chunked("zz\r\n{}\r\n0\r\n\r\n"), MALFORMED, &[]),
        case("too large", raw(vec![b' '; 11 * 1024 * 1024]), (413, "payload_too_large"), &[]),
        case(
            "too large without attachments",
            message(&with(sms(), "/content/text", json!("x".repeat(300_000)))),
            (413, "payload_too_large"),
            &[],
        ),
    ]
}

pub(super) fn wrong_headers() -> Vec<Case> {
    let long_key = "k".repeat(256);
    vec![
        case(
            "idempotency key empty",
            message(&sms()).header("idempotency-key", ""),
            HEADER,
            &["Idempotency-Key"],
        ),
        case(
            "idempotency key too long",
            message(&sms()).header("idempotency-key", &long_key),
            HEADER,
            &["Idempotency-Key"],
        ),
        case(
            "idempotency key with a blank",
            message(&sms()).header("idempotency-key", "a b"),
            HEADER,
            &["Idempotency-Key"],
        ),
        case(
            "idempotency key twice",
            message(&sms()).header("idempotency-key", "a").header("idempotency-key", "b"),
            HEADER,
            &["Idempotency-Key"],
        ),
        case("headers too large", get("/v1/status").header("x-junk", &"j".repeat(40_000)), HEADER, &[]),
    ]
}

pub(super) fn wrong_paths() -> Vec<Case> {
    vec![
        case("wrong method", Call::new("DELETE", "/v1/messages").key(LIVE), (405, "method_not_allowed"), &[]),
        case("no such path", get("/v1/mesages"), NOT_FOUND, &[]),
        case("no such path outside", Call::new("GET", "/nope"), NOT_FOUND, &[]),
        case("no id", get("/v1/messages/42"), NOT_FOUND, &[]),
        case("id of another kind", get("/v1/messages/tnt_01ARZ3NDEKTSV4RRFFQ69G5FAV"), NOT_FOUND, &[]),
        case("unknown id", get("/v1/messages/msg_01ARZ3NDEKTSV4RRFFQ69G5FAV"), NOT_FOUND, &[]),
        case("path not UTF-8", get("/v1/messages/%ff%fe"), NOT_FOUND, &[]),
        case("limit zero", get("/v1/messages?limit=0"), PARAMETER, &["limit"]),
        case("limit too large", get("/v1/messages?limit=251"), PARAMETER, &["limit"]),
        case("cursor of nobody", get("/v1/messages?cursor=abc"), PARAMETER, &["cursor"]),
        case("instant without a value", get("/v1/messages?created_after="), PARAMETER, &["created_after"]),
        case("limit without a value", get("/v1/messages?limit="), PARAMETER, &["limit"]),
        case("status unknown", get("/v1/messages?status=lost"), PARAMETER, &["status"]),
        case(
            "two bad parameters",
            get("/v1/messages?created_after=now&colour=red"),
            PARAMETER,
            &["created_after", "colour"],
        ),
        case("parameter twice", get("/v1/messages?tag=a&tag=b"), PARAMETER, &["tag"]),
    ]
}

pub(super) fn wrong_resources() -> Vec<Case> {
    vec![
        case("no default cascade", no_default(), SCHEMA, &["/cascade"]),
        case(
            "batch without messages",
            Call::new("POST", "/v1/batches").key(LIVE).json(&json!({})),
            SCHEMA,
            &["/messages"],
        ),
        case(
            "batch too long",
            Call::new("POST", "/v1/batches").key(LIVE).json(&json!({ "messages": vec![0; 1_001] })),
            SCHEMA,
            &["/messages"],
        ),
        case(
            "batch too large",
            Call::new("POST", "/v1/batches")
                .key(LIVE)
                .header("content-type", "application/json")
                .bytes(vec![b' '; 5 * 1024 * 1024]),
            (413, "payload_too_large"),
            &[],
        ),
        case("ack token forged", Call::new("POST", format!("/v1/ack/{}", "A".repeat(43))), NOT_FOUND, &[]),
        case("webhook over ftp", webhook(json!({ "url": "ftp://a.dk" })), SCHEMA, &["/url"]),
        case("webhook to this machine", webhook(json!({ "url": "https://127.0.0.1/x" })), SCHEMA, &["/url"]),
        case(
            "webhook event unknown",
            webhook(json!({ "url": "https://a.dk", "event_types": ["message.lost"] })),
            SCHEMA,
            &["/event_types/0"],
        ),
        case("batch of other things", batch(json!({ "messages": {} })), SCHEMA, &["/messages"]),
        case(
            "tenant without a name",
            change("/admin/v1/tenants/", &tenant(1), json!({ "name": null })),
            SCHEMA,
            &["/name"],
        ),
        case(
            "connection without what it is made of",
            change(
                "/admin/v1/providers/",
                &connection(1),
                json!({ "name": null, "credentials": null, "config": null }),
            ),
            SCHEMA,
            &["/name", "/credentials", "/config"],
        ),
    ]
}

fn batch(body: Value) -> Call {
    Call::new("POST", "/v1/batches").key(LIVE).json(&body)
}

fn change(path: &str, id: &impl std::fmt::Display, body: Value) -> Call {
    Call::new("PATCH", format!("{path}{id}")).key(ADMIN).json(&body)
}

fn no_default() -> Call {
    let mut body = sms();
    body.as_object_mut().unwrap().remove("cascade");
    Call::new("POST", "/v1/messages").key(OTHER).json(&body)
}

fn webhook(body: Value) -> Call {
    Call::new("POST", "/v1/webhooks").key(LIVE).json(&body)
}

impl Call {
    /// Without its first header.
    fn drop_first(mut self) -> Self {
        self.headers.remove(0);
        self
    }
}
