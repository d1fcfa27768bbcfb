//! Cascades that cannot run, and settings that cannot be meant.

use serde_json::{Value, json};

use super::{Case, ROUTE, SCHEMA, case, message};
use crate::app::{sms, with};

pub(super) fn wrong_cascades() -> Vec<Case> {
    let step = |field: &str, value: Value| message(&with(sms(), &format!("/cascade/steps/0/{field}"), value));
    let many = json!({ "steps": vec![json!({ "channel": "sms" }); 11] });
    vec![
        case(
            "no steps",
            message(&with(sms(), "/cascade", json!({ "steps": [] }))),
            SCHEMA,
            &["/cascade/steps"],
        ),
        case("eleven steps", message(&with(sms(), "/cascade", many)), SCHEMA, &["/cascade/steps"]),
        case("cascade is a number", message(&with(sms(), "/cascade", json!(1))), SCHEMA, &["/cascade"]),
        case("cascade is no id", message(&with(sms(), "/cascade", json!("default"))), SCHEMA, &["/cascade"]),
        case(
            "stored cascade unknown",
            message(&with(sms(), "/cascade", json!("csc_01ARZ3NDEKTSV4RRFFQ69G5FAV"))),
            SCHEMA,
            &["/cascade"],
        ),
        case("channel unknown", step("channel", json!("fax")), SCHEMA, &["/cascade/steps/0/channel"]),
        case("channel null", step("channel", Value::Null), SCHEMA, &["/cascade/steps/0/channel"]),
        case("time-out zero", step("timeout_s", json!(0)), SCHEMA, &["/cascade/steps/0/timeout_s"]),
        case("time-out too long", step("timeout_s", json!(259_201)), SCHEMA, &["/cascade/steps/0/timeout_s"]),
        case("time-out a fraction", step("timeout_s", json!(1.5)), SCHEMA, &["/cascade/steps/0/timeout_s"]),
        case("time-out negative", step("timeout_s", json!(-1)), SCHEMA, &["/cascade/steps/0/timeout_s"]),
        case("level unknown", step("success_on", json!("seen")), SCHEMA, &["/cascade/steps/0/success_on"]),
        case(
            "level out of reach",
            step("success_on", json!("read")),
            SCHEMA,
            &["/cascade/steps/0/success_on"],
        ),
        case("misspelt step field", step("time_out", json!(1)), SCHEMA, &["/cascade/steps/0/time_out"]),
        case(
            "policy unknown",
            message(&with(sms(), "/cascade/on_unknown_outcome", json!("retry"))),
            SCHEMA,
            &["/cascade/on_unknown_outcome"],
        ),
    ]
}

pub(super) fn wrong_routes() -> Vec<Case> {
    let step = |field: &str, value: Value| message(&with(sms(), &format!("/cascade/steps/0/{field}"), value));
    vec![
        case(
            "provider unknown",
            step("providers", json!(["twilio", "twillio"])),
            ROUTE,
            &["/cascade/steps/0/providers/1"],
        ),
        case(
            "another tenant's provider",
            step("providers", json!(["twilio-5"])),
            ROUTE,
            &["/cascade/steps/0/providers/0"],
        ),
        case(
            "no address for any step",
            message(&with(sms(), "/to", json!({ "email": "a@b.dk" }))),
            ROUTE,
            &["/cascade/steps/0"],
        ),
        case(
            "no connection for the channel",
            step("channel", json!("whatsapp")),
            ROUTE,
            &["/cascade/steps/0"],
        ),
    ]
}

pub(super) fn wrong_settings() -> Vec<Case> {
    let set = |pointer: &str, value: Value| message(&with(sms(), pointer, value));
    let many_keys: Value =
        (0..51).map(|index| (format!("k{index}"), json!("v"))).collect::<serde_json::Map<_, _>>().into();
    vec![
        case("misspelt field", set("/metdata", json!({})), SCHEMA, &["/metdata"]),
        case("template beside content", set("/template", json!({ "name": "x" })), SCHEMA, &["/template"]),
        case("lane unknown", set("/lane", json!("express")), SCHEMA, &["/lane"]),
        case("send_at no instant", set("/send_at", json!("tomorrow")), SCHEMA, &["/send_at"]),
        case("send_at too far", set("/send_at", json!("2026-04-03T03:04:06Z")), SCHEMA, &["/send_at"]),
        case("expired already", set("/expires_at", json!("2026-01-02T03:04:05Z")), SCHEMA, &["/expires_at"]),
        case("eleven tags", set("/tags", json!(vec!["t"; 11])), SCHEMA, &["/tags"]),
        case("metadata too many", set("/metadata", many_keys), SCHEMA, &["/metadata"]),
        case(
            "metadata too long",
            set("/metadata", json!({ "k": "v".repeat(501) })),
            SCHEMA,
            &["/metadata/k"],
        ),
        case("metadata not text", set("/metadata", json!({ "k": 1 })), SCHEMA, &["/metadata/k"]),
        case("dedupe without key", set("/dedupe", json!({ "window_s": 1 })), SCHEMA, &["/dedupe/key"]),
        case(
            "cost no amount",
            set("/limits", json!({ "max_cost": "1e3", "currency": "EUR" })),
            SCHEMA,
            &["/limits/max_cost"],
        ),
        case(
            "everything at once",
            message(
                &json!({ "to": { "phone": 1 }, "content": { "text": 2 }, "cascade": { "steps": [{}] }, "lane": 3, "x": 4 }),
            ),
            SCHEMA,
            &["/to/phone", "/content/text", "/cascade/steps/0/channel", "/lane", "/x"],
        ),
    ]
}
